import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { HintRow } from './hint-row.ts';
import { BASE } from './hint-scene.ts';

/** A profile with a mistake, and the hint that linting it prints. */
const mistake = (
  of: HintRow['of'],
  what: string,
  text: string,
  prints: RegExp,
  says: RegExp,
  as?: HintRow['as'],
): HintRow => ({
  as,
  of,
  what,
  state: async (here) => {
    await here.write('profiles/mine.yaml', text);
    return here.cli('profiles lint mine');
  },
  prints,
  says,
  where: 'here',
});

/** Hints to look something up; nobody is asked. */
export const OFFLINE_ROWS: readonly HintRow[] = [
  mistake(
    [['core/profile/read-profile.ts', /keyaudit resources/]],
    'an unknown resource',
    'name: mine\npermissions: { qqqqq: read }\n',
    /"(keyaudit resources)" lists every resource/,
    /charges .*refunds /,
  ),
  mistake(
    [['core/profile/read-profile.ts', /keyaudit permissions/]],
    'an unknown operation',
    `${BASE}checks: { allow: [qqqqq.wwwww] }\n`,
    /"(keyaudit permissions --all)" lists every operation/,
    /refunds\.create/,
  ),
  mistake(
    [['core/profile/profile-shape-problems.ts', /profiles show/]],
    'permissions that are no map',
    'name: mine\npermissions: [products]\n',
    /See "(keyaudit profiles show refund-agent)" for an example/,
    /STRIPE_REFUND_AGENT_KEY/,
  ),
  mistake(
    [['core/profile/resolve-profile.ts', /profiles list/]],
    'a parent that is not there',
    'name: mine\nextends: qqqqq\npermissions: { products: read }\n',
    /See "(keyaudit profiles list)"/,
    /refund-agent/,
  ),
  mistake(
    [['core/profile/read-guard.ts', /keyaudit permissions/]],
    'a cap of an operation that is unknown',
    `${BASE}guard: { caps: [{ per: run, amount: 1.00 usd, of: [qqqqq.wwwww] }] }\n`,
    /See "(keyaudit permissions --all)" for every operation/,
    /refunds\.create/,
  ),
  mistake(
    [['core/profile/names/scope-name.ts', /keyaudit resources .*" lists the resources\.$/]],
    'a bucket of a key link',
    'name: mine\npermissions: { rak_bucket_billing_read: read }\n',
    /"(keyaudit resources billing)" lists the resources\./,
    /billing/,
  ),
  mistake(
    [['core/profile/names/scope-name.ts', /with that word/]],
    'a scope that is no resource',
    'name: mine\npermissions: { rak_payment_thing_read: read }\n',
    /"(keyaudit resources payment)" lists the resources with that word/,
    /payment_intents/,
  ),
  mistake(
    [['core/profile/names/nearest-name.ts', /keyaudit resources/]],
    'a word that many resources have',
    'name: mine\npermissions: { payment: read }\n',
    /"(keyaudit resources payment)" lists all/,
    /payment_intents/,
  ),
  mistake(
    [['core/rules/lint-profile.ts', /keyaudit permissions CALL/]],
    'a forbid that nothing can violate',
    `${BASE}checks: { forbid: [apps.installs.create] }\n`,
    /"(keyaudit permissions CALL)" tells/,
    /product_write/,
    { CALL: 'products.create' },
  ),
  {
    of: [['core/rules/read-policy.ts', /keyaudit permissions/]],
    what: 'a policy that denies what is unknown',
    state: async (here) => {
      await here.write('keyaudit.policy.yaml', 'deny: { operations: [qqqqq.wwwww] }\n');
      return here.cli('profiles lint mine');
    },
    prints: /"(keyaudit permissions --all)" lists every name/,
    says: /refunds\.create/,
    where: 'here',
  },
  {
    of: [['commands/explain.ts', /keyaudit resources/]],
    what: 'explain of no name',
    state: (here) => here.cli('explain qqqqq'),
    prints: /"(keyaudit resources)" lists the resources/,
    says: /charges /,
    where: 'here',
  },
  {
    of: [['commands/resources.ts', /keyaudit resources/]],
    what: 'resources with a word that none has',
    state: (here) => here.cli('resources qqqqq'),
    prints: /"(keyaudit resources)" lists them all/,
    says: /charges /,
    where: 'here',
  },
  {
    of: [['report/explain/resources.ts', /keyaudit explain/]],
    what: 'a list of resources',
    state: (here) => here.cli('resources refund'),
    prints: /"(keyaudit explain NAME)" tells more of one/,
    as: { NAME: 'refunds' },
    says: /a resource/,
    where: 'here',
  },
  {
    of: [['commands/permissions.ts', /keyaudit permissions/]],
    what: 'permissions of no call',
    state: (here) => here.cli('permissions'),
    prints: /Name some: (keyaudit permissions "GET \/v1\/charges" refunds\.create), or/,
    says: /charge_write/,
    where: 'here',
  },
  {
    of: [['session/profile-grant.ts', /profiles list/]],
    what: 'no profile named',
    state: (here) => here.cli('provision'),
    prints: /Name one \("(keyaudit profiles list)" shows them\)/,
    says: /mine/,
    where: 'here',
  },
  {
    of: [['report/profiles.ts', /profiles lint/]],
    what: 'a list with a profile that is broken',
    state: async (here) => {
      await here.write('profiles/mine.yaml', 'name: mine\npermissions: { qqqqq: read }\n');
      return here.cli('profiles list');
    },
    prints: /has mistakes; see "(keyaudit profiles lint)"/,
    exitCode: 2,
    says: /profiles\/mine\.yaml:2.*Unknown resource "qqqqq"/,
    where: 'here',
  },
  {
    of: [['commands/accept.ts', /keyaudit plan/]],
    what: 'an acceptance of what does not come along',
    state: async (here) => {
      await here.write('profiles/mine.yaml', `${BASE}  refunds: write\n`);
      return here.cli('profiles accept mine payouts.create --reason x');
    },
    prints: /"(keyaudit plan mine)" shows what there is to accept/,
    says: /charges\.create/,
    where: 'here',
  },
  {
    of: [['store/profile-library.ts', /starts one of your own/]],
    what: '--all where there is no profile',
    state: async (here) => {
      const { rm } = await import('node:fs/promises');
      await rm(join(here.cwd, 'profiles'), { recursive: true });
      return here.cli('verify --all');
    },
    prints: /"(keyaudit init)" starts one of your own/,
    after: async (here) => {
      expect((await here.cli('verify --all')).exitCode).toBe(0);
    },
    where: 'here',
  },
  {
    of: [['store/profile-library.ts', /starts a new one/]],
    what: 'a profile that is not there',
    state: (here) => here.cli('plan qqqqq'),
    prints: /"(keyaudit init)" starts a new one/,
    after: async (here) => {
      expect((await here.cli('plan my-agent')).exitCode).toBe(0);
    },
    where: 'here',
  },
  {
    of: [['session/read-side.ts', /keyaudit verify/]],
    what: 'a diff of what is no report',
    state: async (here) => {
      await here.cli('provision mine');
      await here.write('old.json', '{"schema":"keyaudit.verify/0"}');
      return here.cli('diff old.json old.json');
    },
    prints: /Write one with "(keyaudit verify PROFILE --format json --output FILE[^"]*)"/,
    as: { PROFILE: 'mine', FILE: 'new.json' },
    after: async (here) => {
      expect((await here.cli('diff new.json new.json')).exitCode).toBe(0);
    },
    where: 'here',
  },
  {
    of: [['commands/record-import.ts', /keyaudit diff/]],
    what: 'an import of calls beside a profile',
    state: async (here) => {
      await here.write('calls', 'GET /v1/products\n');
      return here.cli('record import calls --profile mine');
    },
    prints: /"(keyaudit diff PROFILE FILE)" compares/,
    as: { PROFILE: 'mine', FILE: 'theirs.yaml' },
    first: async (here) => {
      await here.cli('record import calls --name theirs');
      const { stdout } = await here.cli('record profile theirs');
      await here.write('theirs.yaml', stdout);
    },
    says: /coupon/,
    where: 'here',
  },
  {
    of: [['report/record/record.ts', /The profile for it/]],
    what: 'an import of calls',
    state: async (here) => {
      await here.write('calls', 'GET /v1/products\n');
      return here.cli('record import calls --name theirs');
    },
    prints: /The profile for it: (keyaudit record profile theirs)/,
    says: /products: read/,
    where: 'here',
  },
  {
    of: [['commands/record-profile.ts', /record show/]],
    what: 'a recording without a call',
    state: async (here) => {
      await here.write('agent.js', '0;\n');
      await here.cli('record --name idle -- node agent.js');
      return here.cli('record profile idle');
    },
    prints: /"(keyaudit record show idle)" has what was seen/,
    says: /idle/,
    where: 'here',
  },
  {
    of: [['store/run-files.ts', /keyaudit record/]],
    what: 'a recording that is not there',
    state: (here) => here.cli('record profile qqqqq'),
    prints: /(keyaudit record --name qqqqq -- COMMAND)/,
    as: { COMMAND: 'node agent.js' },
    first: (here) => here.write('agent.js', 'require("fs").writeFileSync("ran", "yes");\n'),
    after: async (here) => {
      expect(await readFile(join(here.cwd, 'ran'), 'utf8')).toBe('yes');
    },
    where: 'here',
  },
  {
    of: [['commands/record.ts', /keyaudit record/]],
    what: 'record without a command',
    state: (here) => here.cli('record'),
    prints: /(keyaudit record -- node agent\.js)/,
    first: (here) => here.write('agent.js', 'require("fs").writeFileSync("ran", "yes");\n'),
    after: async (here) => {
      expect(await readFile(join(here.cwd, 'ran'), 'utf8')).toBe('yes');
    },
    where: 'here',
  },
];
