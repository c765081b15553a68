import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { HintRow } from './hint-row.ts';
import { BASE, type HintScene } from './hint-scene.ts';

const WIDER = `${BASE}  disputes: read\n`;
const WITH_WIDENING = `${BASE}  refunds: write\n`;

/** The profile's key is as it says. */
const isProved = async (here: HintScene) => {
  const verified = await here.cli('verify mine');
  expect(verified.exitCode, verified.said).toBe(0);
};

const provisioned = async (here: HintScene) => {
  const made = await here.cli('provision mine');
  expect(made.exitCode, made.said).toBe(0);
  return made;
};

const ed25519 = () =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

const AGENT = 'require("fs").writeFileSync("ran", process.env.STRIPE_REFUND_AGENT_KEY.slice(0, 8));\n';

const idOf = (said: string) => /mk_\w+/.exec(said)?.[0] ?? '';
const missingKey = [['store/find-key.ts', /Make one with/]] as const;
const LOCK: HintRow['of'] = [['store/lock-file.ts', /^keyaudit lock$/]];
const newKey = /Make (?:a new )?one with \\?"(keyaudit provision mine[^"\\]*)/;

/** A key of the wrong kind in the profile's variable. */
const wrongKind = (kind: string, key: string): HintRow => ({
  of: [['store/find-key.ts', kind === 'webhook' ? /Make a restricted key/ : new RegExp(`${kind} key`, 'i')]],
  what: `a ${kind} key in an agent's variable`,
  state: (here) => here.cli('verify mine', { env: { STRIPE_MINE_KEY: key } }),
  prints: /"(keyaudit provision PROFILE[^"]*)"/,
  as: { PROFILE: 'mine' },
  after: isProved,
});

/** Hints about keys: made, proved, rotated, ended. */
export const KEY_ROWS: readonly HintRow[] = [
  {
    of: missingKey,
    what: 'a key that was never made',
    // The table has the same command as what mends it.
    state: (here) => here.cli('verify mine --format json'),
    prints: newKey,
    after: isProved,
    where: 'both',
  },
  {
    of: missingKey,
    what: 'a key that was made, and whose secret is gone',
    state: async (here) => {
      await provisioned(here);
      await rm(join(here.cwd, '.keyaudit/keys.env'));
      return here.cli('verify mine --format json');
    },
    prints: newKey,
    after: isProved,
    where: 'both',
  },
  wrongKind('secret', 'sk_test_nothingThatWorks00'),
  {
    ...wrongKind('organisation', 'sk_org_test_nothingThatWorks00'),
    of: [['store/find-key.ts', /Nothing was sent\. An agent gets/]],
  },
  wrongKind('publishable', 'pk_test_nothingThatWorks00'),
  wrongKind('webhook', 'whsec_nothingThatWorks00'),
  {
    of: [['audit/stopped-text.ts', /keyaudit provision/]],
    what: 'a key that is dead',
    state: async (here) => {
      await here.expire(idOf((await provisioned(here)).said));
      return here.cli('verify mine --format json');
    },
    prints: newKey,
    after: isProved,
    where: 'elsewhere',
  },
  {
    of: [['audit/probe-key.ts', /keyaudit provision/]],
    what: "a key that Stripe's record calls expired",
    state: async (here) => {
      await here.expire(idOf((await provisioned(here)).said));
      return here.cli('verify mine --depth record --format json');
    },
    prints: newKey,
    after: isProved,
    where: 'elsewhere',
  },
  {
    of: [['report/keys/provision.ts', /^keyaudit verify \$\{…\}$/]],
    what: 'a key that was made',
    state: provisioned,
    prints: /Prove it: (keyaudit verify mine.*?) \n?$/,
    says: /as the profile says/,
    where: 'both',
  },
  {
    of: [['report/keys/provision.ts', /^keyaudit verify \$\{…\}$/]],
    what: 'a key that was put into another file',
    state: (here) => here.cli('provision mine --store env-file:.env.local'),
    prints: /Prove it: (keyaudit verify mine.*?) \n?$/,
    says: /as the profile says/,
    where: 'both',
  },
  {
    of: [['report/keys/provision.ts', /^keyaudit verify \$\{…\}$/]],
    what: 'a key that was handed to a command',
    state: async (here) => here.cli('provision mine --store "exec:cat > handed"'),
    prints: /say --key-from exec:COMMAND, with "(keyaudit verify mine[^"]*)"/,
    first: async (here) => {
      await writeFile(join(here.cwd, 'key.txt'), await readFile(join(here.cwd, 'handed'), 'utf8'));
    },
    plus: '--key-from "exec:cat key.txt"',
    says: /as the profile says/,
    where: 'both',
  },
  {
    of: [['report/keys/provision.ts', /^keyaudit revoke/]],
    what: 'a further key beside one that works',
    state: async (here) => {
      await provisioned(here);
      return here.cli('provision mine --again');
    },
    prints: /still works; "(keyaudit revoke mk_\w+[^"]*)" ends it/,
    // Its secret gave way to that of the new one, so that nobody can see it dead.
    exitCode: 3,
    says: /mk_\w+ is narrowed and expired/,
    after: isProved,
    where: 'elsewhere',
  },
  {
    of: [['keys/require-free.ts', /^keyaudit rotate/]],
    what: 'a key that works and would be made again',
    state: async (here) => {
      await provisioned(here);
      return here.cli('provision mine');
    },
    prints: /"(keyaudit rotate mine[^"]*)" replaces it/,
    after: isProved,
    where: 'elsewhere',
  },
  {
    of: [['keys/require-free.ts', /^keyaudit provision$/]],
    what: 'two profiles of which one has a key',
    state: async (here) => {
      await here.write('profiles/other.yaml', 'name: other\npermissions: { products: read }\n');
      await provisioned(here);
      return here.cli('provision mine other');
    },
    prints: /For the others alone: "(keyaudit provision other[^"]*)"/,
    after: async (here) => {
      expect((await here.cli('verify other')).exitCode).toBe(0);
    },
    where: 'both',
  },
  {
    of: [['keys/rotate-key.ts', /Make one with/]],
    what: 'a rotation of a key that was never made',
    state: (here) => here.cli('rotate mine'),
    prints: newKey,
    after: isProved,
    where: 'both',
  },
  {
    of: [['keys/rotate-key.ts', /makes a new one/]],
    what: 'a rotation of a key that the account does not know',
    state: async (here) => {
      await provisioned(here);
      const { sandbox } = here;
      if (sandbox === undefined) throw new Error('no server');
      const { KeyRecords } = await import('../../../src/store/notes/key-records.ts');
      const records = new KeyRecords(here.cwd, { HOME: here.cwd });
      // Deleted by somebody: no key of that id is there any more.
      await records.update((all) => all.map((record) => ({ ...record, id: 'mk_deletedByHand' })));
      return here.cli('rotate mine');
    },
    prints: /"(keyaudit provision mine[^"]*)" makes a new one/,
    after: isProved,
    where: 'elsewhere',
  },
  {
    of: [['keys/judge-new-key.ts', /keyaudit provision/]],
    what: 'a rotation that would widen the key',
    state: async (here) => {
      await provisioned(here);
      await here.write('profiles/mine.yaml', WIDER);
      return here.cli('rotate mine');
    },
    prints: /Widen a key on purpose with "(keyaudit provision mine --again[^"]*)"/,
    after: isProved,
    where: 'elsewhere',
  },
  {
    of: [['keys/make-key.ts', /keyaudit revoke KEY_ID/]],
    what: 'a store of which nobody knows what it holds',
    state: async (here) => {
      await provisioned(here);
      const rotated = await here.cli('rotate mine --store "exec:cat > taken; exit 1"');
      const names = [...rotated.said.matchAll(/the new key (mk_\w+)/g)].map(([, id]) => id);
      // The reader has seen that the agents read the old one.
      return { ...rotated, said: rotated.said.replace('KEY_ID', names.at(-1) ?? '') };
    },
    prints: /end the other with "(keyaudit revoke mk_[^"]*)"/,
    exitCode: 3,
    says: /is narrowed and expired|could do nothing/,
    after: isProved,
    where: 'elsewhere',
  },
  {
    of: [['keys/end/revoke-key.ts', /Arguments are seen/]],
    what: 'a key in the place of its id',
    state: (here) => here.cli('revoke rk_test_nothingThatWorks00'),
    prints: /"(keyaudit keys list)" shows them/,
    says: /No key was made here yet/,
    where: 'here',
  },
  {
    of: [['keys/end/revoke-key.ts', /shows the keys that were made here/]],
    what: 'a revocation for a profile without a key',
    state: (here) => here.cli('revoke qqqqq'),
    prints: /"(keyaudit keys list)" shows the keys/,
    says: /No key was made here yet/,
    where: 'here',
  },
  {
    of: [['report/keys/retirement.ts', /Look again/]],
    what: 'a key that outlives the watch',
    state: async (here) => {
      await provisioned(here);
      if (here.sandbox === undefined) throw new Error('no server');
      here.sandbox.behaviour.expiryDelayMs = 4_000;
      const watched = await here.cli('revoke mine --timeout 1s');
      here.sandbox.behaviour.expiryDelayMs = 0;
      return watched;
    },
    prints: /Look again with "(keyaudit revoke mk_\w+[^"]*)"/,
    says: /dead after|was gone/,
    where: 'elsewhere',
  },
  {
    of: [['commands/keys.ts', /^keyaudit provision PROFILE$/]],
    what: 'a list without a key',
    state: (here) => here.cli('keys list'),
    prints: /"(keyaudit provision PROFILE[^"]*)" makes one/,
    as: { PROFILE: 'mine' },
    after: isProved,
    where: 'here',
  },
  {
    of: [['commands/keys.ts', /shows all/]],
    what: 'a list without a key in use',
    state: async (here) => {
      await provisioned(here);
      await here.cli('revoke mine --no-wait');
      return here.cli('keys list --active');
    },
    prints: /"(keyaudit keys list)" shows all/,
    says: /mine/,
    where: 'here',
  },
  {
    of: [['commands/keys.ts', /shows the keys that were made here/]],
    what: 'a key to forget that was never made',
    state: (here) => here.cli('keys prune mk_none'),
    prints: /"(keyaudit keys list)" shows the keys/,
    says: /No key was made here yet/,
    where: 'here',
  },
  {
    of: [['commands/keys.ts', /^keyaudit revoke/]],
    what: 'an active key that is to be forgotten, from wherever it is',
    state: async (here) => {
      const id = idOf((await provisioned(here)).said);
      // Says no place: it asks nobody.
      return here.asPrinted(`keyaudit keys prune ${id}`);
    },
    prints: /"(keyaudit revoke mk_\w+[^"]*)" ends it/,
    after: async (here) => {
      expect((await here.cli('keys list --active --format json')).stdout).toContain('"keys": []');
    },
    where: 'elsewhere',
  },
  {
    of: [['keys/end/name-leftovers.ts', /warning: .* shows what it would end/]],
    what: 'notes of another user',
    state: async (here) => {
      await provisioned(here);
      return here.cli('keys list', { env: { XDG_CONFIG_HOME: join(here.cwd, 'other-user') } });
    },
    env: (here) => ({ XDG_CONFIG_HOME: join(here.cwd, 'other-user') }),
    prints: /"(keyaudit keys clean-up --take-over)" shows/,
    says: /a record of the key mk_\w+ of mine/,
    where: 'here',
  },
  {
    of: [['keys/end/clean-up.ts', /Finish it with/]],
    what: 'what a dead process left at another place',
    state: async (here) => {
      await here.kill('provision mine', '.keyaudit/journal.json');
      // Asks the embedded sandbox.
      await here.write('profiles/other.yaml', 'name: other\npermissions: { products: read }\n');
      return here.asPrinted('keyaudit provision other --target sandbox', { env: { STRIPE_SECRET_KEY: '' } });
    },
    prints: /Finish it with "(keyaudit keys clean-up [^"]*)"/,
    after: async (here) => {
      await expect(readFile(join(here.cwd, '.keyaudit/journal.json'), 'utf8')).rejects.toThrow('ENOENT');
    },
    behaviour: { latencyMs: 300 },
    where: 'elsewhere',
  },
  {
    of: [['commands/attest.ts', /keyaudit verify/]],
    what: 'a file that is no statement',
    state: async (here) => {
      await provisioned(here);
      await here.write('old.json', '{}');
      await here.write('attest.pem', ed25519());
      return here.cli('attest verify old.json --key attest.pem');
    },
    env: () => ({ KEYAUDIT_ATTEST_KEY: 'attest.pem' }),
    prints: /"(keyaudit verify PROFILE --attest FILE[^"]*)" writes one/,
    as: { PROFILE: 'mine', FILE: 'new.json' },
    after: async (here) => {
      const read = await here.cli('attest verify new.json --key attest.pem');
      expect(read.exitCode, read.said).toBe(0);
    },
    where: 'here',
  },
  {
    of: [['commands/exec.ts', /keyaudit exec/]],
    what: 'exec without a command',
    state: (here) => here.cli('exec refund-agent'),
    prints: /(keyaudit exec refund-agent -- node agent\.js)/,
    first: (here) => here.write('agent.js', AGENT),
    after: async (here) => {
      expect(await readFile(join(here.cwd, 'ran'), 'utf8')).toBe('rk_test_');
    },
    where: 'here',
  },
  {
    of: [['commands/calibrate.ts', /Run "keyaudit calibrate" first/]],
    what: 'nothing that was calibrated to print',
    state: (here) => here.cli('calibrate --print'),
    prints: /Run "(keyaudit calibrate[^"]*)" first/,
    after: async (here) => {
      expect((await here.cli('calibrate --print')).exitCode).toBe(0);
    },
    where: 'elsewhere',
  },
  {
    of: [['commands/calibrate.ts', /Ask a key without permissions first/]],
    what: 'no name of a refusal to confirm',
    state: (here) => here.cli('calibrate --confirm'),
    prints: /first: "(keyaudit calibrate --bare-only --confirm[^"]*)"/,
    says: /named|refus/,
    where: 'elsewhere',
  },
  {
    of: [['audit/lock-profiles.ts', /keyaudit verify/]],
    what: 'a key that is not as its profile says, to be locked',
    state: async (here) => {
      await here.write('profiles/other.yaml', 'name: other\npermissions: { products: read }\n');
      await here.write('profiles/mine.yaml', WITH_WIDENING);
      await here.cli('provision mine other');
      return here.cli('lock --all');
    },
    prints: /"(keyaudit verify mine[^"]*)" shows every finding/,
    exitCode: 1,
    says: /charges\.create/,
    where: 'elsewhere',
  },
  {
    of: [['report/lock.ts', /^keyaudit lock$/]],
    what: 'a lock file that is out of date',
    state: async (here) => {
      await provisioned(here);
      await here.cli('lock mine --lock other.lock.yaml');
      await here.write('profiles/mine.yaml', WIDER);
      await here.cli('provision mine --again');
      return here.cli('lock mine --lock other.lock.yaml --check');
    },
    prints: /"(keyaudit lock mine[^"]*)" writes it/,
    after: async (here) => {
      expect((await here.cli('lock mine --lock other.lock.yaml --check')).exitCode).toBe(0);
    },
    where: 'elsewhere',
  },
  {
    of: LOCK,
    what: 'no lock file, while another profile has no key',
    state: async (here) => {
      await here.write('profiles/other.yaml', 'name: other\npermissions: { products: read }\n');
      await provisioned(here);
      return here.cli('verify mine --lock other.lock.yaml');
    },
    prints: /Make one with "(keyaudit lock [^"]*)"/,
    after: async (here) => {
      expect((await here.cli('verify mine --lock other.lock.yaml')).exitCode).toBe(0);
    },
    where: 'both',
  },
  {
    of: LOCK,
    what: 'a profile without an entry',
    state: async (here) => {
      await here.write('profiles/other.yaml', 'name: other\npermissions: { products: read }\n');
      await here.cli('provision mine other');
      await here.cli('lock mine');
      return here.cli('verify --all --frozen');
    },
    prints: /add it with "(keyaudit lock other[^"]*)"/,
    after: async (here) => {
      expect((await here.cli('verify --all --frozen')).exitCode).toBe(0);
    },
    where: 'elsewhere',
  },
  {
    of: LOCK,
    what: 'an entry without a profile',
    state: async (here) => {
      await here.write('profiles/other.yaml', 'name: other\npermissions: { products: read }\n');
      await here.cli('provision mine other');
      await here.cli('lock --all');
      await rm(join(here.cwd, 'profiles/other.yaml'));
      return here.cli('verify --all --frozen');
    },
    prints: /drop its entry with "(keyaudit lock --all[^"]*)"/,
    after: async (here) => {
      expect((await here.cli('verify --all --frozen')).exitCode).toBe(0);
    },
    where: 'elsewhere',
  },
  {
    of: LOCK,
    what: 'a lock file that is broken',
    state: async (here) => {
      await provisioned(here);
      await here.write('keyaudit.lock.yaml', '<<<<<<< mine\n');
      return here.cli('verify --all --frozen');
    },
    prints: /Make it anew with "(keyaudit lock --all[^"]*)"/,
    after: async (here) => {
      expect((await here.cli('verify --all --frozen')).exitCode).toBe(0);
    },
    where: 'elsewhere',
  },
  {
    of: [['stripe/key-apis/managed-key-api.ts', /private preview/]],
    what: 'an account without the key API',
    state: (here) => here.cli('provision mine --key-api managed'),
    behaviour: { keyApi: 'refused' },
    prints: /"(keyaudit provision PROFILE --key-api dashboard[^"]*)" makes a key by hand/,
    as: { PROFILE: 'mine' },
    // Nobody is there to paste one.
    exitCode: 3,
    says: /dashboard\.stripe\.com/,
    where: 'elsewhere',
  },
  {
    of: [['stripe/key-apis/managed-key-api.ts', /keyaudit plan PROFILE/]],
    what: 'a permission that the key API does not take',
    state: async (here) => {
      const refuses = createServer((_request, response) => {
        response.writeHead(400, { 'content-type': 'application/json', 'request-id': 'req_1' });
        response.end('{"error":{"type":"invalid_request_error","message":"Unknown permission."}}');
      }).listen(0, '127.0.0.1');
      await once(refuses, 'listening');
      onTestFinished(() => void refuses.close());
      const url = `http://127.0.0.1:${(refuses.address() as AddressInfo).port}`;
      return here.asPrinted(`keyaudit provision mine --key-api managed --target stripe --api-base ${url}`);
    },
    prints: /see "(keyaudit plan PROFILE)" for the Dashboard link/,
    as: { PROFILE: 'mine' },
    says: /dashboard\.stripe\.com/,
    where: 'elsewhere',
  },
  {
    of: [['report/init.ts', /^keyaudit plan/]],
    what: 'a new profile: what it comes to',
    state: (here) => here.cli('init helper'),
    prints: /(keyaudit plan helper)/,
    says: /charge_read/,
    where: 'both',
  },
  {
    of: [
      ['report/init.ts', /^keyaudit profiles accept/],
      ['report/init.ts', /^keyaudit lock/],
    ],
    what: 'a new profile that can do more than it says: accept, then lock',
    state: (here) => here.cli('init helper --permission refunds=write'),
    prints:
      /(keyaudit profiles accept helper .*? --reason '[^']+') Then lock it: (keyaudit lock helper.*?) Make/,
    after: async (here) => {
      const frozen = await here.cli('verify helper --frozen --target sandbox');
      expect(frozen.exitCode, frozen.said).toBe(0);
    },
    where: 'here',
  },
  {
    of: [['report/init.ts', /^keyaudit provision \$\{…\} --target stripe/]],
    what: "a new profile's key at Stripe",
    state: (here) => here.cli('init helper'),
    prints: /(keyaudit provision helper --target stripe)/,
    // The server that stands for Stripe.
    env: ({ sandbox }) => ({ KEYAUDIT_API_BASE: sandbox?.url ?? '' }),
    says: /Prove it: keyaudit verify helper --target stripe/,
    where: 'elsewhere',
  },
];
