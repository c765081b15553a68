import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Catalog } from '../../src/core/catalog/catalog.ts';
import { catalogData } from '../../src/core/catalog/data/catalog.ts';
import type { Fix, PermissionFinding } from '../../src/core/result/findings/permission-finding.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { findStripeMock, PEERS } from '../support/peer.ts';
import { KEYAUDIT, NODE, temporaryFolder } from '../support/run-cli.ts';
import { type SandboxServer, startSandboxServer } from '../support/sandbox-server.ts';

// What a report prints as the command that mends a finding is run as printed, by a shell, and mends it.

const stripeMock = await findStripeMock('fixes with --target stripe-mock');

const BASE = `name: mine
permissions:
  products: read
  coupons: read
`;

interface Place {
  readonly cwd: string;
  profile(text: string): Promise<void>;
  /** A script for bash in which `keyaudit` is this one; its exit code. */
  shell(script: string, env?: Readonly<Record<string, string>>): ReturnType<typeof execa>;
}

interface Target {
  readonly name: string;
  readonly flags: (sandbox: SandboxServer | undefined) => string;
  readonly needsServer: boolean;
  readonly missing?: boolean;
}

const TARGETS: readonly Target[] = [
  { name: 'sandbox', flags: () => '', needsServer: false },
  {
    name: 'a sandbox server',
    flags: (server) => `--target sandbox --api-base ${server?.url}`,
    needsServer: true,
  },
  // The real one is not at hand; the same client, pace and key APIs, at another address.
  {
    name: 'stripe',
    flags: (server) => `--target stripe --api-base ${server?.url}`,
    needsServer: true,
  },
  {
    name: 'stripe-mock',
    flags: () => '--target stripe-mock',
    needsServer: false,
    missing: stripeMock.missing,
  },
];

/** A situation: what is done before, what `verify` is asked, and which finding the command then mends. */
interface Situation {
  readonly what: string;
  /** Runs before; `FLAGS` stands for those of the target. */
  readonly before: string;
  readonly edit?: string;
  readonly next?: string;
  readonly verify?: string;
  /** Asked afterwards, where it is not the same again; `COMMAND` is the one that was printed. */
  readonly after?: string;
  /** What the fix says is to be done before its command. */
  readonly first?: string;
  /** The one target that it is brought about on: another server's record says when a key was made, say. */
  readonly only?: string;
  readonly needsServer?: boolean;
  readonly finds: (result: Result) => Fix | null | undefined;
  readonly prints: RegExp;
}

interface Result {
  readonly permissionFindings: readonly PermissionFinding[];
  readonly stoppedFix?: Fix;
}

const of =
  (kind: string) =>
  ({ permissionFindings }: Result) =>
    permissionFindings.find((finding) => finding.kind === kind)?.fix;
const MORE = `${BASE}  payouts: write\n`;
const PROVISION = 'keyaudit provision mine --quiet --again FLAGS';

/** Loaded before a command: its clock is a hundred days behind. */
const LONG_AGO = `const now = Date.now, behind = 100 * 86_400_000;
globalThis.Date = class extends Date {
  constructor(...given) { super(...(given.length > 0 ? given : [now() - behind])); }
  static now() { return now() - behind; }
};
`;

const SITUATIONS: readonly Situation[] = [
  {
    what: 'a permission too many',
    before: PROVISION,
    edit: BASE,
    finds: of('over-grant'),
    prints: /^keyaudit rotate mine/,
  },
  {
    what: 'a permission too many, in a variable',
    before: PROVISION,
    edit: BASE,
    next: 'export STRIPE_MINE_KEY="$(sed -n s/^STRIPE_MINE_KEY=//p .keyaudit/keys.env)"',
    finds: of('over-grant'),
    prints: /^keyaudit rotate mine.* && unset STRIPE_MINE_KEY$/,
  },
  {
    what: 'a permission too few',
    before: PROVISION,
    edit: `${MORE}  disputes: read\n`,
    finds: of('under-grant'),
    prints: /^keyaudit provision mine/,
  },
  {
    what: 'what comes along and is not accepted',
    before: PROVISION,
    edit: `${MORE}  refunds: write\n`,
    next: PROVISION,
    finds: of('over-grant'),
    prints: /^keyaudit profiles accept mine charges/,
  },
  {
    what: 'the key of another profile',
    before: PROVISION,
    edit: BASE,
    next: 'export OTHER="$(sed -n s/^STRIPE_MINE_KEY=//p .keyaudit/keys.env)"; sed s/mine/other/ profiles/mine.yaml > profiles/other.yaml; export STRIPE_OTHER_KEY="$OTHER"',
    verify: 'keyaudit verify other',
    finds: of('over-grant'),
    prints: /^keyaudit provision other.* && unset STRIPE_OTHER_KEY$/,
  },
  {
    what: 'a key that is missing',
    before: 'true',
    finds: ({ stoppedFix }) => stoppedFix,
    prints: /^keyaudit provision mine/,
  },
  {
    what: 'a key that was made, and whose secret is gone',
    before: `${PROVISION} && rm .keyaudit/keys.env`,
    finds: ({ stoppedFix }) => stoppedFix,
    prints: /^keyaudit provision mine --again/,
  },
  {
    what: 'a key that is dead',
    before: `${PROVISION} && export STRIPE_MINE_KEY=rk_test_${'0'.repeat(24)}`,
    finds: ({ stoppedFix }) => stoppedFix,
    prints: /^keyaudit provision mine.* && unset STRIPE_MINE_KEY$/,
  },
  {
    what: 'a profile that was widened since it was locked',
    before: `${PROVISION} && keyaudit lock mine --quiet FLAGS`,
    edit: `${MORE}  disputes: read\n`,
    next: PROVISION,
    verify: 'keyaudit verify mine --frozen',
    finds: of('wider-profile'),
    prints: /^keyaudit lock mine/,
  },
  {
    what: 'a key that is narrower than it was locked',
    before: `${PROVISION} && keyaudit lock mine --lock other.lock.yaml --quiet FLAGS`,
    edit: BASE,
    next: PROVISION,
    verify: 'keyaudit verify mine --lock other.lock.yaml',
    finds: of('narrower'),
    prints: /^keyaudit lock mine --lock other\.lock\.yaml/,
  },
  {
    what: 'an age that nobody knows',
    before: `echo 'require: { maxKeyAge: 90d }' > keyaudit.policy.yaml && ${PROVISION} && export STRIPE_MINE_KEY="$(sed -n s/^STRIPE_MINE_KEY=//p .keyaudit/keys.env)" && rm .keyaudit/keys.json`,
    finds: of('key-age-unknown'),
    prints: /^keyaudit provision mine.* && unset STRIPE_MINE_KEY$/,
  },
  {
    what: 'a key that is older than the policy lets it be',
    before: `echo 'require: { maxKeyAge: 90d }' > keyaudit.policy.yaml && NODE_OPTIONS=--import=./long-ago.mjs ${PROVISION}`,
    only: 'sandbox',
    finds: of('key-too-old'),
    prints: /^keyaudit rotate mine/,
  },
  {
    what: 'less asked than was locked',
    before: `${PROVISION} && keyaudit lock mine --quiet FLAGS`,
    verify: 'keyaudit verify mine --frozen --depth checks',
    after: 'keyaudit verify mine --frozen',
    finds: of('not-verified'),
    prints: /^keyaudit verify --profile mine --frozen/,
  },
  {
    what: 'what probes do not show',
    before: PROVISION,
    verify: 'keyaudit verify mine --witness probes --unseen fail',
    after: 'COMMAND',
    finds: of('unseen'),
    prints: /^keyaudit verify --profile mine --witness both --unseen fail/,
  },
  {
    what: 'what few probes do not show',
    before: PROVISION,
    verify: 'keyaudit verify mine --depth checks --witness probes --unseen fail',
    after: 'COMMAND',
    finds: of('unseen'),
    only: 'sandbox',
    prints: /^keyaudit verify --profile mine --depth checks --witness both --unseen fail/,
  },
  {
    what: 'what is not seen without a secret key',
    before: `${PROVISION}; export KEPT="$STRIPE_SECRET_KEY"; unset STRIPE_SECRET_KEY`,
    verify: 'keyaudit verify mine --unseen fail',
    first: 'export STRIPE_SECRET_KEY="$KEPT"',
    after: 'COMMAND',
    needsServer: true,
    finds: of('unseen'),
    prints: /^keyaudit verify --profile mine --witness both --unseen fail/,
  },
];

describe.each(TARGETS)('on $name', ({ name, flags, needsServer, missing = false }) => {
  const here = SITUATIONS.filter(
    (one) => (one.only === undefined || one.only === name) && (one.needsServer !== true || needsServer),
  );

  it.skipIf(missing).each(here)('the command that is printed mends $what', async (situation) => {
    const place = await newPlace(needsServer);
    const withFlags = (script: string) => script.replaceAll('FLAGS', flags(place.sandbox));
    await place.profile(MORE);
    const verify = (asked = 'keyaudit verify mine') => `${asked} ${flags(place.sandbox)} --format json`;
    // One shell for all of it: what a command exports or takes back holds for the next one.
    const script = (command: string) =>
      [
        withFlags(situation.before),
        ...(situation.edit === undefined ? [] : [`cat > profiles/mine.yaml <<'END'\n${situation.edit}END`]),
        withFlags(situation.next ?? 'true'),
        `${verify(situation.verify)} --output before.json; echo "before $?"`,
        situation.first ?? 'true',
        command,
        situation.after === 'COMMAND'
          ? `${command} --format json --output after.json; echo "after $?"`
          : `${verify(situation.after ?? situation.verify)} --output after.json; echo "after $?"`,
      ].join('\n');
    const first = await place.shell(script('true'));
    const fix = situation.finds(await resultIn(place.cwd, 'before.json', String(first.all)));
    // A stripe-mock has another account each time it is started, so that no key of an earlier one can be rotated.
    const printed = name === 'stripe-mock' ? /^keyaudit (?:rotate|provision) / : situation.prints;
    expect(fix?.command, String(first.all)).toMatch(
      situation.prints.source.includes('rotate') ? printed : situation.prints,
    );
    const command = fix?.command ?? '';
    // The same once more in a new folder, now with the command between.
    const again = await newPlace(needsServer);
    await again.profile(MORE);
    const own = command.replaceAll(place.sandbox?.url ?? 'none', again.sandbox?.url ?? 'none');
    const second = await again.shell(
      script(own).replaceAll(place.sandbox?.url ?? 'none', again.sandbox?.url ?? 'none'),
    );
    const after = await resultIn(again.cwd, 'after.json', String(second.all));
    expect(situation.finds(after), `${own}\n${second.all}`).toBeUndefined();
    expect(String(second.all), own).toMatch(/^after 0$/m);
  });
});

/** A stand-in whose table differs from the catalog in one row, as Stripe's may. */
async function otherStripe() {
  const operations = catalogData.operations.map((one) =>
    one.name === 'customers.list' ? { ...one, permissions: ['product_read'] } : one,
  );
  const sandbox = await startSandbox({ catalog: new Catalog({ ...catalogData, operations }) });
  onTestFinished(() => sandbox.close());
  return { url: sandbox.url, secretKey: sandbox.secretKey.reveal() };
}

describe.each(['sandbox', 'stripe'])('a wrong row of the catalog, on %s', (target) => {
  it('is settled by the command that is printed', async () => {
    const server = await otherStripe();
    const place = await newPlace(false);
    await place.profile(MORE);
    const flags = `--target ${target} --api-base ${server.url}`;
    const verify = `keyaudit verify mine ${flags} --depth endpoints --format json`;
    const env = { STRIPE_SECRET_KEY: server.secretKey };
    const before = await place.shell(
      `${PROVISION.replaceAll('FLAGS', flags)}; ${verify} --output before.json`,
      env,
    );
    const command = of('contradiction')(
      await resultIn(place.cwd, 'before.json', String(before.all)),
    )?.command;
    expect(command, String(before.all)).toMatch(/^keyaudit calibrate --bare-only --confirm /);
    const after = await place.shell(`${command}; ${verify} --output after.json; echo "after $?"`, env);
    const result = await resultIn(place.cwd, 'after.json', String(after.all));
    expect(of('contradiction')(result), String(after.all)).toBeUndefined();
    expect(String(after.all)).toMatch(/^after 0$/m);
  });
});

describe.each(TARGETS)('on $name', ({ flags, needsServer, missing = false }) => {
  it.skipIf(missing)('what no command mends says why: too few checks', async () => {
    const place = await newPlace(needsServer);
    await place.profile(MORE);
    const withFlags = (text: string) => text.replaceAll('FLAGS', flags(place.sandbox));
    const script = `${PROVISION}; keyaudit verify mine FLAGS --min-coverage 100 --format json --output before.json`;
    const { all } = await place.shell(withFlags(script));
    const fix = of('low-coverage')(await resultIn(place.cwd, 'before.json', String(all)));
    expect(fix?.command).toBeUndefined();
    expect(fix?.text).toMatch(/no command/);
  });
});

async function newPlace(
  needsServer: boolean,
): Promise<Place & { readonly sandbox: SandboxServer | undefined }> {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, 'profiles'));
  await writeFile(join(cwd, 'long-ago.mjs'), LONG_AGO);
  const settings = ['--set', 'expiryDelayMs=0', '--set', 'narrowingDelayMs=0'];
  const sandbox = needsServer ? await startSandboxServer(cwd, settings) : undefined;
  return {
    cwd,
    sandbox,
    profile: (text) => writeFile(join(cwd, 'profiles/mine.yaml'), text),
    shell: (script, env = {}) =>
      execa('bash', ['-c', `keyaudit() { "${NODE}" "${KEYAUDIT}" "$@"; }\n${script}`], {
        cwd,
        env: {
          PATH: `${join(PEERS, 'bin')}:${process.env.PATH}`,
          HOME: cwd,
          NO_COLOR: '1',
          KEYAUDIT_RATE: '200',
          ...(sandbox === undefined ? {} : { STRIPE_SECRET_KEY: sandbox.secretKey }),
          ...env,
        },
        extendEnv: false,
        reject: false,
        stdin: 'ignore',
        all: true,
      }),
  };
}

async function resultIn(cwd: string, file: string, said: string): Promise<Result> {
  const text = await readFile(join(cwd, file), 'utf8').catch(() => '');
  expect(text, said).not.toBe('');
  const [result] = (JSON.parse(text) as { results: Result[] }).results;
  if (result === undefined) throw new Error('no result');
  return result;
}
