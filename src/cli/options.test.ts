import { describe, expect, it } from 'vitest';
import { KeyauditError } from '../core/error.ts';
import { globalOptions } from './globals.ts';
import { readCommandLine } from './program.ts';

/** What a command line comes to: the options of its verb and of every command, or the error. */
async function optionsOf(words: readonly string[], env: Record<string, string> = {}) {
  const before = { ...process.env };
  // commander reads the environment of the process itself.
  Object.assign(process.env, env);
  try {
    const reading = await readCommandLine({
      argv: ['node', 'keyaudit', ...words],
      env: process.env,
      version: '1.2.3',
      print: () => {},
    });
    if (reading.kind === 'help') return { help: reading.wasAskedFor };
    const { globals, options } = reading.invocation;
    return { globals: globalOptions(globals), color: globals.color, cleanup: globals.cleanup, options };
  } finally {
    for (const name of Object.keys(process.env)) delete process.env[name];
    Object.assign(process.env, before);
  }
}

async function errorOf(words: readonly string[], env: Record<string, string> = {}) {
  return optionsOf(words, env).then(
    (options) => ({ options }),
    (error: unknown) => error,
  );
}

const DEFAULTS = { target: 'sandbox', format: 'table', place: [], live: false, quiet: false, verbose: false };

const RECORD = { name: 'agent', via: 'auto', baseEnv: [], killAfter: '10s' };

type Row = readonly [words: readonly string[], env: Record<string, string>, globals: object];

describe('the options of every command', () => {
  it.each<Row>([
    [[], {}, {}],
    [['--target', 'stripe'], {}, { target: 'stripe' }],
    [['--target=stripe-mock'], {}, { target: 'stripe-mock' }],
    [[], { KEYAUDIT_TARGET: 'stripe' }, { target: 'stripe' }],
    [['--target', 'sandbox'], { KEYAUDIT_TARGET: 'stripe' }, { target: 'sandbox' }],
    [[], { KEYAUDIT_TARGET: '' }, {}],
    [
      ['--api-base', 'http://a'],
      { KEYAUDIT_API_BASE: 'http://b' },
      { apiBase: 'http://a', target: 'stripe' },
    ],
    [[], { KEYAUDIT_API_BASE: 'http://b' }, { apiBase: 'http://b', target: 'stripe' }],
    [['--api-base', 'http://a', '--target', 'sandbox'], {}, { apiBase: 'http://a', target: 'sandbox' }],
    [['--api-base', 'http://a'], { KEYAUDIT_TARGET: 'sandbox' }, { apiBase: 'http://a', target: 'sandbox' }],
    [[], { KEYAUDIT_API_BASE: ' ' }, {}],
    [['--format', 'json'], { KEYAUDIT_FORMAT: 'sarif' }, { format: 'json' }],
    [[], { KEYAUDIT_FORMAT: 'sarif' }, { format: 'sarif' }],
    [['--output', 'a'], { KEYAUDIT_OUTPUT: 'b' }, { output: 'a' }],
    [[], { KEYAUDIT_OUTPUT: 'b' }, { output: 'b' }],
    [['--policy', 'a'], { KEYAUDIT_POLICY: 'b' }, { policy: 'a' }],
    [[], { KEYAUDIT_POLICY: 'b' }, { policy: 'b' }],
    [['--live'], { KEYAUDIT_LIVE: 'off' }, { live: true }],
    [['--live', '--quiet', '--verbose'], {}, { live: true, quiet: true, verbose: true }],
    ...['true', 'yes', 'on', '1', 'TRUE'].map((on): Row => [[], { KEYAUDIT_LIVE: on }, { live: true }]),
    ...['false', 'no', 'off', '0', ''].map((off): Row => [[], { KEYAUDIT_LIVE: off }, { live: false }]),
    [[], { KEYAUDIT_QUIET: 'yes', KEYAUDIT_VERBOSE: 'no' }, { quiet: true }],
    [[], { KEYAUDIT_QUIET: '0', KEYAUDIT_VERBOSE: '1' }, { verbose: true }],
  ])('%j with %j', async (words, env, globals) => {
    const expected = { globals: { ...DEFAULTS, ...globals } };
    expect(await optionsOf(['plan', 'analytics', ...words], env)).toMatchObject(expected);
    expect(await optionsOf([...words, 'plan', 'analytics'], env)).toMatchObject(expected);
  });

  it('leaves out what was not given', async () => {
    expect(await optionsOf(['keys', 'list'])).toEqual({
      globals: DEFAULTS,
      color: true,
      cleanup: true,
      options: {},
    });
    expect(await optionsOf(['keys', 'list', '--no-color', '--no-cleanup'])).toMatchObject({
      color: false,
      cleanup: false,
    });
  });
});

describe('the options of a verb', () => {
  it.each<readonly [words: readonly string[], env: Record<string, string>, options: object]>([
    [['provision', 'a', 'b'], {}, { profiles: ['a', 'b'], keyApi: 'auto' }],
    [['provision', '--all'], { KEYAUDIT_KEY_API: 'managed' }, { profiles: [], all: true, keyApi: 'managed' }],
    [
      ['provision', 'a', '--key-api', 'dashboard', '--store', 'stdout', '--reveal', '--open'],
      { KEYAUDIT_KEY_API: 'managed', KEYAUDIT_STORE: 'exec:x' },
      { profiles: ['a'], keyApi: 'dashboard', store: 'stdout', reveal: true, open: true },
    ],
    [
      ['provision', 'a', '--ttl', '90d', '--account', 'acct_1'],
      { KEYAUDIT_STORE: 'env-file:x' },
      { profiles: ['a'], keyApi: 'auto', ttl: '90d', account: 'acct_1', store: 'env-file:x' },
    ],
    [['rotate'], {}, { profiles: [], wait: false, report: [] }],
    [
      [
        'rotate',
        '--all',
        '--older-than',
        '90d',
        '--grace',
        '10m',
        '--dry-run',
        '--wait',
        '--report',
        'json=a',
      ],
      {},
      {
        profiles: [],
        all: true,
        olderThan: '90d',
        grace: '10m',
        dryRun: true,
        wait: true,
        report: ['json=a'],
      },
    ],
    [['revoke', 'mk_1'], {}, { what: 'mk_1', wait: true, timeout: '10m' }],
    [['revoke', 'mk_1', '--no-wait', '--timeout', '5m'], {}, { what: 'mk_1', wait: false, timeout: '5m' }],
    [
      ['exec', 'a', 'b', '--ttl', '1h', '--', 'node', '--all', '-h'],
      {},
      { profiles: ['a', 'b'], command: ['node', '--all', '-h'], ttl: '1h', killAfter: '10s' },
    ],
    [['exec', 'a'], {}, { profiles: ['a'], command: [], killAfter: '10s' }],
    [
      ['exec', 'a', '--', 'sh', '--', 'x'],
      {},
      { profiles: ['a'], command: ['sh', '--', 'x'], killAfter: '10s' },
    ],
    [['verify', 'a', '--profile', 'b', '--profile', 'c'], {}, { profiles: ['b', 'c', 'a'], report: [] }],
    [
      ['verify', '--depth', 'checks', '--rate', '2.5', '--min-coverage', '0'],
      { KEYAUDIT_DEPTH: 'endpoints', KEYAUDIT_RATE: '7', KEYAUDIT_MIN_COVERAGE: '50' },
      { profiles: [], report: [], depth: 'checks', rate: 2.5, minCoverage: 0 },
    ],
    [
      ['verify'],
      { KEYAUDIT_DEPTH: 'endpoints', KEYAUDIT_RATE: '7', KEYAUDIT_MIN_COVERAGE: '50', KEYAUDIT_FROZEN: 'on' },
      { profiles: [], report: [], depth: 'endpoints', rate: 7, minCoverage: 50, frozen: true },
    ],
    [['verify'], { KEYAUDIT_FROZEN: 'off', KEYAUDIT_DEPTH: '' }, { profiles: [], report: [] }],
    [
      ['verify', '--report', 'json=a', '--report', 'sarif=b', '--lock', 'l', '--frozen', '--compare'],
      {},
      { profiles: [], report: ['json=a', 'sarif=b'], lock: 'l', frozen: true, compare: true },
    ],
    [
      ['verify', '--key-env', 'K', '--live-key-env', 'L', '--timeout', '5s', '--deadline', '1m'],
      {},
      { profiles: [], report: [], keyEnv: 'K', liveKeyEnv: 'L', timeout: '5s', deadline: '1m' },
    ],
    [['guard', 'simulate', 'd', '--profile', 'p'], {}, { file: 'd', profile: 'p' }],
    [['guard', 'doctor', 'p'], {}, { profiles: ['p'] }],
    [['guard', 'reconcile'], {}, {}],
    [['guard', 'reconcile', 'r'], {}, { run: 'r' }],
    [['guard', 'log'], {}, { last: 50 }],
    [['guard', 'log', '--follow', '--run', 'r', '--last', '9'], {}, { follow: true, run: 'r', last: 9 }],
    [['guard', 'log', 'export', 'd'], {}, { place: 'd' }],
    [['guard', 'log', 'verify'], {}, {}],
    [['guard', 'log', 'verify', 'd', '--kept', 'h'], {}, { place: 'd', kept: 'h' }],
    [['record', '--', 'node', 'a.js'], {}, { ...RECORD, command: ['node', 'a.js'] }],
    [
      ['record', '--via', 'base', '--base-env', 'A', '--base-env', 'B', '--', 'a'],
      {},
      { ...RECORD, via: 'base', baseEnv: ['A', 'B'], command: ['a'] },
    ],
    [
      ['record', '--name', 'n', '--', 'profile', '--min-runs', '3'],
      {},
      { ...RECORD, name: 'n', command: ['profile', '--min-runs', '3'] },
    ],
    [['record'], {}, { ...RECORD, command: [] }],
    [['record', 'profile'], {}, { name: 'agent' }],
    [['record', 'profile', 'n', '--as', 'm'], {}, { name: 'n', as: 'm' }],
    [
      ['record', 'profile', '--name', 'n', '--with-refused', '--min-runs', '5', '--max-new', '0.1'],
      {},
      { name: 'n', withRefused: true, minRuns: 5, maxNew: 0.1 },
    ],
    [['record', 'show', 'n'], {}, { name: 'n' }],
    [['record', 'import', 'f'], {}, { file: 'f', name: 'agent', host: [] }],
    [
      ['record', 'import', '-', '--name', 'n', '--from', 'har', '--host', 'a', '--host', 'b:8080'],
      {},
      { file: '-', name: 'n', from: 'har', host: ['a', 'b:8080'] },
    ],
    [['record', 'unused', 'p'], {}, { profile: 'p' }],
    [
      ['record', 'unused', 'p', '--name', 'agent', '--runs', '5', '--fail-on-unused', '30d', '--unchanged'],
      {},
      { profile: 'p', name: 'agent', runs: 5, failOnUnused: '30d', unchanged: true },
    ],
    [['record', 'unused', 'p', '--within', '7d'], {}, { profile: 'p', within: '7d' }],
    [
      ['exec', 'p', '--record', '--', 'node', 'a.js'],
      {},
      { profiles: ['p'], killAfter: '10s', record: true, command: ['node', 'a.js'] },
    ],
    [['permissions', 'a.list', '--name', 'n'], {}, { endpoints: ['a.list'], name: 'n' }],
    [
      ['inspect', '--key-env', 'K', '--name', 'n'],
      { KEYAUDIT_RATE: '3' },
      { keyEnv: 'K', name: 'n', rate: 3 },
    ],
    [
      ['verify', '--fail-on', 'money-out', '--history', 'h', '--attest', 'a'],
      { KEYAUDIT_FAIL_ON: 'other', KEYAUDIT_ATTEST_KEY: 'k.pem' },
      { profiles: [], report: [], failOn: 'money-out', history: 'h', attest: 'a', attestKey: 'k.pem' },
    ],
    [
      ['attest', 'verify', 'f', '--key', 'p.pem', '--fingerprint', 'sha256:1'],
      {},
      { file: 'f', key: 'p.pem', maxAge: '90d', fingerprint: 'sha256:1' },
    ],
    [
      ['profiles', 'accept', 'a', 'x.y', 'x.z', '--reason', 'r', '--until', '2027-01-01'],
      {},
      { profile: 'a', operations: ['x.y', 'x.z'], reason: 'r', until: '2027-01-01' },
    ],
    [['diff', 'main'], {}, { before: 'main' }],
    [['lock', '--all', '--check'], {}, { profiles: [], all: true, check: true }],
    [['diff', 'a', 'b', '--fail-on-widening'], {}, { before: 'a', after: 'b', failOnWidening: true }],
    [['calibrate', '--only', 'catalog', '--print'], {}, { only: 'catalog', print: true }],
    [['plan', 'a'], { KEYAUDIT_MIN_COVERAGE: '100' }, { profile: 'a', minCoverage: 100 }],
    [['permissions', 'GET /v1/a', '--file', '-'], {}, { endpoints: ['GET /v1/a'], file: '-' }],
    [['profiles', 'list'], {}, {}],
    [['profiles', 'show', 'a'], {}, { profile: 'a' }],
    [['profiles', 'lint', 'a', 'b'], {}, { names: ['a', 'b'] }],
    [['keys', 'list'], {}, {}],
    [['sandbox'], {}, { port: 4242, host: '127.0.0.1', set: [] }],
    [
      [
        'sandbox',
        '--port',
        '0',
        '--set',
        'a=1',
        '--set',
        'b=2',
        '--dialect',
        'guide',
        '--upstream',
        'stripe-mock',
      ],
      {},
      { port: 0, host: '127.0.0.1', set: ['a=1', 'b=2'], dialect: 'guide', upstream: 'stripe-mock' },
    ],
    [['init'], {}, { permission: [] }],
    [['init', 'n', '--ci', 'none', '--force'], {}, { name: 'n', permission: [], ci: 'none', force: true }],
    [['completion', 'zsh'], {}, { shell: 'zsh' }],
  ])('%j with %j', async (words, env, options) => {
    expect(await optionsOf(words, env)).toEqual({
      globals: DEFAULTS,
      color: true,
      cleanup: true,
      options,
    });
  });
});

describe('what is wrong', () => {
  it.each<readonly [words: readonly string[], env: Record<string, string>, message: RegExp]>([
    [
      ['verify', '--target', 'live'],
      {},
      /'live' is invalid.*Allowed choices are sandbox, stripe-mock, stripe/,
    ],
    [['verify'], { KEYAUDIT_TARGET: 'live' }, /'live' from env 'KEYAUDIT_TARGET' is invalid/],
    [['record', '--via', 'mitm'], {}, /Allowed choices are auto, preload, base, proxy/],
    [['record', 'import', 'f', '--from', 'xml'], {}, /Allowed choices are guard, stripe-logs, mcp-tools/],
    [['verify', '--depth', 'deep'], {}, /Allowed choices are record, checks, permissions, endpoints/],
    [['verify'], { KEYAUDIT_DEPTH: 'deep' }, /'deep' from env 'KEYAUDIT_DEPTH' is invalid/],
    [
      ['provision'],
      { KEYAUDIT_KEY_API: 'rest' },
      /Allowed choices are auto, managed, restricted_keys, dashboard/,
    ],
    ...['0', '-1', 'x', '0x10', '1e3', 'Infinity', '', ' '].map(
      (rate) => [['verify', '--rate', rate], {}, /It must be a number above 0/] as const,
    ),
    ...['101', '-1', 'x', 'NaN', '1e1', ''].map(
      (percent) => [['plan', 'a', '--min-coverage', percent], {}, /percentage: 0 to 100/] as const,
    ),
    ...['65536', '-1', '80.5', '0x50', '', 'http'].map(
      (port) => [['sandbox', '--port', port], {}, /It must be a port: 0 to 65535/] as const,
    ),
    ...['LIVE', 'QUIET', 'VERBOSE', 'FROZEN'].flatMap((name) =>
      ['nope', 'enabled', '2', 'y'].map(
        (value) =>
          [
            ['verify'],
            { [`KEYAUDIT_${name}`]: value },
            new RegExp(`KEYAUDIT_${name} is "${value}", which is neither on nor off`),
          ] as const,
      ),
    ),
    [['verify', '--nope'], {}, /Unknown option '--nope'/],
    [['verfy'], {}, /Unknown command 'verfy'/],
    ...['0', '-1', '1.5', 'x', ''].map(
      (count) => [['record', 'profile', '--min-runs', count], {}, /whole number above 0/] as const,
    ),
    ...['-1', 'x', '1e1', ''].map(
      (count) => [['record', 'profile', '--max-new', count], {}, /number, 0 or above/] as const,
    ),
    [['profiles'], {}, /"keyaudit profiles" is not a command alone/],
    [['profiles', 'lst'], {}, /Unknown command 'lst'/],
    [['revoke'], {}, /Missing required argument 'profile-or-key-id'/],
    [['diff'], {}, /Missing required argument 'before'/],
    [['diff', 'a', 'b', 'c'], {}, /Too many arguments/],
    [['keys', 'list', '--target'], {}, /argument missing/],
    [['sandbox', '--dialect', 'z'], {}, /Allowed choices are a, b, c, d, e, f, g, h, i, guide/],
    [['completion', 'tcsh'], {}, /Allowed choices are bash, zsh, fish, profiles/],
  ])('%j with %j', async (words, env, message) => {
    const error = await errorOf(words, env);
    expect(error).toBeInstanceOf(KeyauditError);
    expect(error).toMatchObject({ code: 'USAGE', exitCode: 2, message: expect.stringMatching(message) });
    expect((error as KeyauditError).hint).toMatch(
      /^(?:Did you mean|"keyaudit.* --help"|Say which|Write true)/,
    );
  });

  it('is told from help', async () => {
    expect(await optionsOf([])).toEqual({ help: false });
    expect(await optionsOf(['--target', 'stripe'])).toEqual({ help: false });
    expect(await optionsOf(['--help'])).toEqual({ help: true });
    expect(await optionsOf(['verify', '--help'])).toEqual({ help: true });
    expect(await optionsOf(['help', 'verify'])).toEqual({ help: true });
    expect(await optionsOf(['--version'])).toEqual({ help: true });
  });
});
