import { describe, expect, it } from 'vitest';
import { hostileServer } from '../support/hostile-server.ts';
import { runCli, temporaryFolder } from '../support/run-cli.ts';

const FAKE = 'plainlyFake0000';
const PREFIXES = ['sk_org_test_', 'sk_org_live_', 'sk_org_', 'rk_org_test_', 'rk_org_live_'];

/** Every way by which an agent's key is read: the arguments, the variables, standard input. */
const WAYS: readonly (readonly [
  what: string,
  args: readonly string[],
  given: (key: string) => { readonly env?: Readonly<Record<string, string>>; readonly input?: string },
])[] = [
  ['verify, its variable', ['verify', 'analytics'], (key) => ({ env: { STRIPE_ANALYTICS_KEY: key } })],
  ['verify --key-env', ['verify', 'analytics', '--key-env', 'KEY'], (key) => ({ env: { KEY: key } })],
  [
    'verify --key-from',
    ['verify', 'analytics', '--key-from', 'exec:echo "$KEY"'],
    (key) => ({ env: { KEY: key } }),
  ],
  [
    'verify --depth record',
    ['verify', 'analytics', '--depth', 'record'],
    (key) => ({ env: { STRIPE_ANALYTICS_KEY: key } }),
  ],
  ['lock', ['lock', 'analytics'], (key) => ({ env: { STRIPE_ANALYTICS_KEY: key } })],
  ['inspect, a variable', ['inspect', '--key-env', 'KEY'], (key) => ({ env: { KEY: key } })],
  ['inspect, standard input', ['inspect'], (key) => ({ input: `${key}\n` })],
  ['calibrate', ['calibrate', '--bare-only', '--bare-key-env', 'KEY'], (key) => ({ env: { KEY: key } })],
  [
    'provision, pasted',
    ['provision', 'analytics', '--key-api', 'dashboard'],
    (key) => ({ input: `${key}\n` }),
  ],
  [
    'exec --stored',
    ['exec', 'analytics', '--stored', '--', 'true'],
    (key) => ({ env: { STRIPE_ANALYTICS_KEY: key } }),
  ],
];

describe.each(WAYS)('the key of an organisation, by %s', (_what, args, given) => {
  it('is named for what it is, and not used', async () => {
    const server = await hostileServer((_request, response) => response.end('{}'));
    const cwd = await temporaryFolder();
    for (const prefix of args[0] === 'exec' ? PREFIXES.slice(0, 1) : PREFIXES) {
      for (const live of args[0] === 'calibrate' ? [[]] : [[], ['--live']]) {
        const [verb = '', ...rest] = args;
        const run = await runCli([verb, ...live, ...rest], {
          cwd,
          ...given(prefix + FAKE),
          env: { KEYAUDIT_API_BASE: server.url, ...given(prefix + FAKE).env },
        });
        const said = (run.stderr + run.stdout).replaceAll(/\s+/g, ' ');
        expect(said).toContain(`holds the key of an organisation (${prefix}[redacted])`);
        expect(said).toContain('restricted key of its one account');
        expect(said).not.toContain(FAKE);
        expect([prefix, run.exitCode]).toEqual([prefix, 2]);
      }
    }
    expect(server.requests).toEqual([]);
  });
});
