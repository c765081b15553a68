import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, runProgram, temporaryFolder } from '../support/run-cli.ts';
import { startSandboxServer } from '../support/sandbox-server.ts';

const PROFILES = ['analytics', 'dispute-handler', 'payment-capture', 'refund-agent', 'subscription-manager'];
const KEY = /\b(?:rk|sk)_(?:test|live)_[A-Za-z0-9]{8,}/;

interface VerifyJson {
  ok: boolean;
  target: string;
  results: {
    profile: string;
    key: { id: string; mode: string; fingerprint: string } | null;
    summary: Record<string, number>;
    findings: Record<string, unknown>[];
    probes?: unknown[];
    stopped?: { code: string; message: string; hint: string };
  }[];
}

const json = (text: string) => JSON.parse(text) as VerifyJson;

describe('the main job', () => {
  it('provisions and verifies a profile, and says what the key can do beyond it', async () => {
    const cwd = await temporaryFolder();
    const made = await runCli(['provision', 'refund-agent'], { cwd });
    expect(made).toMatchObject({ exitCode: 0, stderr: '' });
    expect(made.stdout).toMatch(/refund-agent mk_/);
    expect(made.stdout).not.toMatch(KEY);

    const verified = await runCli(['verify', '--profile', 'refund-agent'], { cwd });
    expect(verified).toMatchObject({ exitCode: 0, stderr: '' });
    const text = verified.stdout.replace(/\s+/g, ' ');
    expect(text).toContain('nothing at Stripe was touched');
    expect(text).toContain(
      'charge_write also allows 3 calls: charges.create, charges.update, charges.capture; the profile accepts that. Stripe has no refund permission; refunds and charges share charge_write.',
    );
    expect(text).toMatch(/as the profile says: \d+ probes, \d+ passed, 3 accepted/);
    expect(verified.stdout).not.toMatch(KEY);
  });

  it('proves every operation of the catalog for all five profiles, without a secret in sight', async () => {
    const cwd = await temporaryFolder();
    expect((await runCli(['provision', '--examples', '--format', 'json'], { cwd })).exitCode).toBe(0);
    const run = await runCli(['verify', '--examples', '--depth', 'endpoints', '--format', 'json'], { cwd });
    // On a slow machine progress is told now and then; nothing else is.
    expect(run).toMatchObject({
      exitCode: 0,
      stderr: expect.stringMatching(/^(?:[\w-]+: \d+ probes: .*\n)*$/),
    });
    expect(run.stdout).not.toMatch(KEY);
    const report = json(run.stdout);
    expect(report).toMatchObject({
      ok: true,
      target: 'sandbox',
      schema: 'keyaudit.verify/1',
      catalog: 'stripe-node 23.1.0',
    });
    expect(report.results.map((result) => result.profile)).toEqual(PROFILES);
    for (const result of report.results) {
      const { probes, passed, accepted, overGrants, underGrants, inconclusive } = result.summary;
      // Those of the catalog, and those that the SDK does not have.
      expect(probes).toBe(650 + 14);
      expect([overGrants, underGrants, inconclusive]).toEqual([0, 0, 0]);
      expect(Number(passed) + Number(accepted)).toBe(650 + 14);
      expect(result.key?.id).toMatch(/^mk_/);
      expect(result.key?.fingerprint).toMatch(/^sha256:[0-9a-f]+$/);
    }
  });

  it('keeps its state private and out of git', async () => {
    const cwd = await temporaryFolder();
    await runCli(['provision', 'analytics'], { cwd });
    const dir = join(cwd, '.keyaudit');
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
    expect(await readFile(join(dir, '.gitignore'), 'utf8')).toBe('*\n');
    const files = (await readdir(dir)).filter((name) => name !== '.gitignore');
    for (const name of files) {
      const found = await stat(join(dir, name));
      if (found.isFile()) expect([name, (found.mode & 0o777).toString(8)]).toEqual([name, '600']);
    }
    expect(await readFile(join(dir, 'keys.env'), 'utf8')).toMatch(/^STRIPE_ANALYTICS_KEY=rk_test_\w+\n$/);
    expect(await readFile(join(dir, 'keys.json'), 'utf8')).not.toMatch(KEY);
  });

  it('loses nothing when two processes provision at once', async () => {
    const cwd = await temporaryFolder();
    const runs = await Promise.all(PROFILES.map((profile) => runProgram(['provision', profile], { cwd })));
    expect(runs.map((run) => run.exitCode)).toEqual([0, 0, 0, 0, 0]);
    const verified = await runCli(['verify', '--examples', '--depth', 'checks'], { cwd });
    expect(verified.exitCode).toBe(0);
    const listed = await runCli(['keys', 'list', '--format', 'json'], { cwd });
    const { keys } = JSON.parse(listed.stdout) as { keys: { profile: string }[] };
    expect(keys.map((key) => key.profile).sort()).toEqual(PROFILES);
    expect(listed.stdout).not.toMatch(KEY);
  });
});

describe('verify against a key that is not as its profile says', () => {
  const analytics = ['balance_read', 'charge_read', 'customer_read', 'invoice_read', 'subscription_read'];

  const rows: readonly [
    name: string,
    permissions: readonly string[],
    exitCode: number,
    finding: object | undefined,
  ][] = [
    ['exactly right', analytics, 0, undefined],
    [
      'one permission too many',
      [...analytics.filter((name) => name !== 'charge_read'), 'charge_write'],
      1,
      {
        kind: 'over-grant',
        operation: 'refunds.create',
        permission: 'charge_write',
        expected: 'forbidden',
        observed: 'allowed',
      },
    ],
    [
      'a permission that the profile never names',
      [...analytics, 'webhook_write'],
      1,
      { kind: 'over-grant', permission: 'webhook_write', expected: 'forbidden', observed: 'allowed' },
    ],
    [
      'one permission too few',
      analytics.filter((name) => name !== 'invoice_read'),
      1,
      {
        kind: 'under-grant',
        operation: 'invoices.list',
        permission: 'invoice_read',
        expected: 'allowed',
        observed: 'forbidden',
        status: 403,
      },
    ],
  ];
  it.each(rows)('%s', async (_name, permissions, exitCode, finding) => {
    const cwd = await temporaryFolder();
    const sandbox = await startSandboxServer(cwd);
    const { token } = await sandbox.makeKey(permissions);
    const run = await runCli(['verify', 'analytics', '--api-base', sandbox.url, '--format', 'json'], {
      cwd,
      env: { STRIPE_ANALYTICS_KEY: token },
    });
    expect(run.exitCode).toBe(exitCode);
    const [result] = json(run.stdout).results;
    if (finding === undefined) expect(result?.findings).toEqual([]);
    else expect(result?.findings).toContainEqual(expect.objectContaining(finding));
    expect(run.stdout + run.stderr).not.toContain(token);
  });

  it('an expired key proves nothing: exit 3', async () => {
    const cwd = await temporaryFolder();
    // Stripe's keys outlive their expiry by seconds; this one does not.
    const sandbox = await startSandboxServer(cwd, ['--set', 'expiryDelayMs=0']);
    const { id, token } = await sandbox.makeKey(analytics);
    await sandbox.expireKey(id);
    const run = await runCli(['verify', 'analytics', '--api-base', sandbox.url], {
      cwd,
      env: { STRIPE_ANALYTICS_KEY: token },
    });
    expect(run.exitCode).toBe(3);
    expect(run.stdout).toMatch(/expired/i);
    expect(run.stdout).toMatch(/could not be determined/);
    expect(run.stdout + run.stderr).not.toContain(token);
  });

  it('a key that the server does not know proves nothing: exit 3', async () => {
    const cwd = await temporaryFolder();
    const run = await runCli(['verify', 'analytics'], {
      cwd,
      env: { STRIPE_ANALYTICS_KEY: 'rk_test_notAKeyOfThisServer' },
    });
    expect(run.exitCode).toBe(3);
    expect(run.stdout).not.toContain('rk_test_notAKeyOfThisServer');
  });

  it('no key yet: exit 3, and the command that makes one', async () => {
    const cwd = await temporaryFolder();
    const run = await runCli(['verify', '--profile', 'analytics'], { cwd });
    expect(run.exitCode).toBe(3);
    expect(run.stdout).toContain('keyaudit provision analytics');
  });

  it('no key for one of several does not hide the others', async () => {
    const cwd = await temporaryFolder();
    await runCli(['provision', 'analytics'], { cwd });
    const run = await runCli(
      ['verify', 'analytics', 'refund-agent', '--format', 'json', '--depth', 'checks'],
      { cwd },
    );
    expect(run.exitCode).toBe(3);
    expect(json(run.stdout).results.map((result) => [result.profile, result.stopped?.code])).toEqual([
      ['analytics', undefined],
      ['refund-agent', 'KEY_MISSING'],
    ]);
  });
});

describe('bad input gets one clear error', () => {
  const rows: readonly [
    name: string,
    args: readonly string[],
    env: Record<string, string>,
    exitCode: number,
    message: RegExp,
  ][] = [
    [
      'an unknown profile',
      ['verify', 'refund-agnet'],
      {},
      2,
      /There is no profile "refund-agnet"\.\n.*Did you mean "refund-agent"\?/,
    ],
    ['no profile', ['verify'], {}, 2, /No profile named/],
    ['names and --all', ['verify', 'analytics', '--all'], {}, 2, /not both/],
    ['an unknown command', ['verfy'], {}, 2, /Did you mean verify\?/],
    ['an unknown option', ['verify', '--al'], {}, 2, /Did you mean --all\?/],
    [
      'an unknown target',
      ['verify', '--all', '--target', 'strip'],
      {},
      2,
      /Allowed choices are sandbox, stripe-mock, stripe/,
    ],
    [
      'an unknown depth',
      ['verify', '--all', '--depth', 'deep'],
      {},
      2,
      /Allowed choices are record, checks, permissions, endpoints/,
    ],
    ['an unknown format', ['plan', 'analytics', '--format', 'xml'], {}, 2, /no format "xml"/],
    ['a bad port', ['sandbox', '--port', '70000'], {}, 2, /must be a port/],
    ['a bad server', ['verify', 'analytics', '--api-base', 'localhost:1'], {}, 2, /not the URL of a server/],
    [
      'a secret key for an agent',
      ['verify', 'analytics'],
      { STRIPE_ANALYTICS_KEY: 'sk_test_plainlyFake00' },
      2,
      /holds a secret key/,
    ],
    [
      'a publishable key for an agent',
      ['verify', 'analytics'],
      { STRIPE_ANALYTICS_KEY: 'pk_test_plainlyFake00' },
      2,
      /holds a publishable key/,
    ],
    [
      'a webhook secret for an agent',
      ['verify', 'analytics'],
      { STRIPE_ANALYTICS_KEY: 'whsec_plainlyFake00' },
      2,
      /holds a webhook signing secret/,
    ],
    [
      'a live key without --live',
      ['verify', 'analytics'],
      { STRIPE_ANALYTICS_KEY: 'rk_live_plainlyFake00' },
      2,
      /holds a live key/,
    ],
    [
      'no secret key for Stripe',
      ['provision', 'analytics', '--target', 'stripe'],
      {},
      2,
      /STRIPE_SECRET_KEY is not set/,
    ],
    [
      'a live secret key without --live',
      ['provision', 'analytics', '--target', 'stripe'],
      { STRIPE_SECRET_KEY: 'sk_live_plainlyFake00' },
      2,
      /STRIPE_SECRET_KEY is a live key/,
    ],
    [
      '--key-env for several',
      ['verify', 'analytics', 'refund-agent', '--key-env', 'X'],
      {},
      2,
      /one key, but several profiles/,
    ],
    [
      '--key-env that is not set',
      ['verify', 'analytics', '--key-env', 'NOT_SET'],
      {},
      3,
      /NOT_SET is not set/,
    ],
    [
      'an output that cannot be written',
      ['plan', 'analytics', '--output', 'no/such/dir/x'],
      {},
      2,
      /cannot be written \(ENOENT\)/,
    ],
  ];
  it.each(rows)('%s', async (_name, args, env, exitCode, message) => {
    const cwd = await temporaryFolder();
    const run = await runCli(args, { cwd, env });
    expect(run.exitCode).toBe(exitCode);
    expect(run.stdout + run.stderr).toMatch(message);
    expect(run.stderr).not.toMatch(/\n\s+at /);
    for (const value of Object.values(env)) expect(run.stdout + run.stderr).not.toContain(value);
  });

  it('a profile with two mistakes shows both, with their places', async () => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, 'profiles'));
    await writeFile(
      join(cwd, 'profiles', 'mine.yaml'),
      'name: mine\npermissions:\n  chrges: read\n  customers: reed\n',
    );
    const run = await runCli(['verify', 'mine'], { cwd });
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toContain('profiles/mine.yaml:3:3 Unknown resource "chrges".');
    expect(run.stderr).toContain('profiles/mine.yaml:4:14 "reed" is not a level');
  });

  it('a folder that cannot be written loses nothing and makes no key', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, '.keyaudit'), 'a file in the place of the folder\n');
    const run = await runCli(['provision', 'analytics'], { cwd });
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toMatch(/\.keyaudit cannot be written/);
    expect(await readFile(join(cwd, '.keyaudit'), 'utf8')).toBe('a file in the place of the folder\n');
  });

  it('an own profile wins over a shipped one of its name, and what Stripe cannot separate is refused', async () => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, 'profiles'));
    await writeFile(
      join(cwd, 'profiles', 'refund-agent.yaml'),
      'name: refund-agent\npermissions:\n  refunds: write\nchecks:\n  forbid: [charges.create]\n',
    );
    const run = await runCli(['plan', 'refund-agent'], { cwd });
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toMatch(
      /profiles\/refund-agent\.yaml:5:12 charges\.create cannot be forbidden to a key with "refunds: write"/,
    );
  });
});

describe('output', () => {
  it('stays within 60 columns', async () => {
    const cwd = await temporaryFolder();
    await runCli(['provision', 'refund-agent'], { cwd });
    const run = await runCli(['verify', 'refund-agent'], { cwd, env: { COLUMNS: '60' } });
    const tooLong = run.stdout.split('\n').filter((line) => line.length > 60 && line.trim().includes(' '));
    expect(tooLong).toEqual([]);
  });

  it('has no escape codes in a pipe', async () => {
    const cwd = await temporaryFolder();
    const run = await runCli(['plan', 'refund-agent'], { cwd, env: { NO_COLOR: '' } });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what must not be there
    expect(run.stdout).not.toMatch(/\u001b/);
  });
});
