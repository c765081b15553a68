import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runCli, temporaryFolder } from '../support/run-cli.ts';
import type { SandboxServer } from '../support/sandbox-server.ts';
import { AT_ONCE, scene } from '../support/scene.ts';

describe('provision', () => {
  it('makes a key by POST /v1/restricted_keys as well', async () => {
    const { run, active, stored } = await scene();
    const made = await run(['provision', 'refund-agent', '--key-api', 'restricted_keys']);
    expect(made).toMatchObject({ exitCode: 0 });
    const [key] = await active();
    expect(key?.permissions).toEqual(['charge_read', 'charge_write', 'customer_read']);
    expect(await stored()).toBe(key?.token);
    expect((await run(['verify', 'refund-agent'])).exitCode).toBe(0);
  });

  it.each(['RSA-OAEP', 'RSA-OAEP-256'])('opens the sealed secret of a live key, %s', async (algorithm) => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'behaviour.yaml'), `jweAlgorithm: ${algorithm}\n`);
    const env = { KEYAUDIT_SANDBOX_BEHAVIOUR: 'behaviour.yaml' };
    const made = await runCli(['provision', 'analytics', '--live'], { cwd, env });
    expect(made).toMatchObject({ exitCode: 0 });
    expect(await readFile(join(cwd, '.keyaudit/keys.env'), 'utf8')).toMatch(
      /^STRIPE_ANALYTICS_KEY=rk_live_\w+\n$/,
    );
    const verified = await runCli(['verify', 'analytics', '--live', '--depth', 'checks'], { cwd, env });
    expect(verified.exitCode).toBe(0);
    const refused = await runCli(['verify', 'analytics', '--depth', 'checks'], { cwd, env });
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('live key') });
  });

  it('refuses a third algorithm by name, and leaves no key behind', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'b.yaml'), 'jweAlgorithm: RSA-OAEP-512\nexpiryDelayMs: 0\n');
    const env = { KEYAUDIT_SANDBOX_BEHAVIOUR: 'b.yaml' };
    const made = await runCli(['provision', 'analytics', '--live'], { cwd, env });
    expect(made.exitCode).toBe(3);
    expect(made.stderr).toContain('RSA-OAEP-512');
    const state = JSON.parse(await readFile(join(cwd, '.keyaudit/sandbox.json'), 'utf8')) as {
      keys: { expiredAt: number | null }[];
    };
    expect(state.keys.map((key) => key.expiredAt === null)).toEqual([false]);
  });

  it('falls back to the Dashboard when the API is not for this account, and takes the key from standard input', async () => {
    const { run, sandbox, stored, cwd } = await scene([...AT_ONCE, '--set', 'keyApi=refused']);
    const none = await run(['provision', 'analytics']);
    expect(none.exitCode).toBe(3);
    expect(none.stderr).toContain('By the Dashboard, since: The managed key API is not available');
    expect(none.stderr).toMatch(
      /https:\/\/dashboard\.stripe\.com\/test\/apikeys\/create\?name=analytics&permissions/,
    );
    expect(none.stderr).toContain('☐ Core › Charges and refunds › read');
    const made = await fetch(`${sandbox.url}/v1/restricted_keys`, {
      method: 'POST',
      headers: { authorization: `Bearer ${sandbox.secretKey}` },
      body: new URLSearchParams({
        name: 'by hand',
        ...Object.fromEntries(
          ['charges', 'customers', 'invoices', 'subscriptions', 'balance_transactions'].map((resource) => [
            `restrictions[${resource}]`,
            'read',
          ]),
        ),
      }),
    });
    const { secret } = (await made.json()) as { secret: string };
    const taken = await run(['provision', 'analytics'], { input: `${secret}\n` });
    expect(taken).toMatchObject({ exitCode: 0 });
    expect(taken.stdout + taken.stderr).not.toContain(secret);
    expect(await stored('STRIPE_ANALYTICS_KEY')).toBe(secret);
    expect((await stat(join(cwd, '.keyaudit/keys.env'))).mode & 0o777).toBe(0o600);
    const broader = await run(['provision', 'refund-agent', '--key-api', 'dashboard'], { input: secret });
    expect(broader.exitCode).toBe(1);
    expect(broader.stderr).toContain('The key was not stored');
    expect(await stored()).toBeUndefined();
  });

  const wrongPastes: readonly [string, string, RegExp][] = [
    ['a secret key', 'sk_test_plainlyFake00', /no restricted key but a secret key/],
    ['a live key', 'rk_live_plainlyFake00', /That is a live key/],
    ['nonsense', 'hello-there', /something else/],
  ];
  it.each(wrongPastes)('refuses %s pasted by hand', async (_name, input, message) => {
    const cwd = await temporaryFolder();
    const run = await runCli(['provision', 'analytics', '--key-api', 'dashboard'], { cwd, input });
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toMatch(message);
    expect(run.stderr).not.toContain(input);
  });

  it('finds and ends a key whose answer got lost', async () => {
    const { run, active, cwd } = await scene([...AT_ONCE, '--set', 'loseKeyAnswerEvery=1']);
    const lost = await run(['provision', 'analytics']);
    expect(lost.exitCode).toBe(3);
    expect(lost.stderr).toContain('No key is left behind');
    expect(await active()).toEqual([]);
    await expect(stat(join(cwd, '.keyaudit/journal.json'))).rejects.toThrow();
  });

  it.each([
    ['where nothing listens', 'http://127.0.0.1:9', /Nothing listens at the server/],
    ['whose name is unknown', 'http://nowhere.invalid', /name of the server was not found/],
  ])('asks a server %s for nothing, and leaves nothing behind', async (_name, url, message) => {
    const cwd = await temporaryFolder();
    const env = { STRIPE_SECRET_KEY: 'sk_test_plainlyFake00' };
    const made = await runCli(['provision', 'analytics', '--api-base', url], { cwd, env });
    expect(made.exitCode).toBe(3);
    expect(made.stderr).toMatch(message);
    await expect(stat(join(cwd, '.keyaudit/journal.json'))).rejects.toThrow();
  });

  it('takes KEYAUDIT_LIVE=0 for off', async () => {
    const cwd = await temporaryFolder();
    const env = { STRIPE_SECRET_KEY: 'sk_live_plainlyFake00', KEYAUDIT_LIVE: '0' };
    const made = await runCli(['provision', 'analytics', '--api-base', 'http://127.0.0.1:9'], { cwd, env });
    expect(made).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('is a live key') });
  });

  it('says when the key of another mode is stored no more', async () => {
    const cwd = await temporaryFolder();
    await runCli(['provision', 'analytics'], { cwd });
    const live = await runCli(['provision', 'analytics', '--live'], { cwd });
    expect(live.exitCode).toBe(0);
    expect(live.stderr.replace(/\s+/g, ' ')).toMatch(/held the test key mk_\w+ of the target sandbox/);
    const apart = await runCli(
      ['provision', 'analytics', '--again', '--store', 'env-file:.keyaudit/test.env'],
      { cwd },
    );
    expect(apart.stderr).toBe('');
  });

  it('sets a time to live', async () => {
    const { run } = await scene();
    const before = Date.now();
    const made = await run(['provision', 'analytics', '--ttl', '1h', '--format', 'json']);
    const after = Date.now();
    const { keys } = JSON.parse(made.stdout) as { keys: { expiresAt: string }[] };
    // Counted from some moment of the run; servers tell it to the second.
    const from = Date.parse(keys[0]?.expiresAt ?? '') - 3_600_000;
    expect(from).toBeGreaterThan(before - 1_000);
    expect(from).toBeLessThan(after + 1_000);
    expect((await run(['provision', 'analytics', '--ttl', 'soon'])).stderr).toContain(
      '"soon" is not a duration',
    );
  });

  const refusals: readonly [
    string,
    (sandbox: SandboxServer) => Promise<Record<string, string>>,
    number,
    RegExp,
  ][] = [
    [
      'a wrong secret key',
      async () => ({ STRIPE_SECRET_KEY: 'sk_test_notOfThisServer' }),
      2,
      /is not accepted there/,
    ],
    [
      'a restricted key without api_key_write',
      async (sandbox) => ({ STRIPE_SECRET_KEY: (await sandbox.makeKey(['charge_read'])).token }),
      2,
      /restricted key without api_key_write/,
    ],
    [
      'a live secret key without --live',
      async () => ({ STRIPE_SECRET_KEY: 'sk_live_plainlyFake00' }),
      2,
      /is a live key/,
    ],
    ['a publishable key', async () => ({ STRIPE_SECRET_KEY: 'pk_test_plainlyFake00' }), 2, /publishable/],
  ];
  it.each(refusals)('says what is wrong with %s', async (_name, env, exitCode, message) => {
    const { run, sandbox, cwd } = await scene();
    const made = await run(['provision', 'analytics'], { env: await env(sandbox) });
    expect(made.exitCode).toBe(exitCode);
    expect(made.stderr).toMatch(message);
    await expect(stat(join(cwd, '.keyaudit/journal.json'))).rejects.toThrow();
  });
});

describe('stores', () => {
  it('merges into an env file, keeping comments and order', async () => {
    const { run, cwd, active } = await scene();
    await writeFile(
      join(cwd, 'agents.env'),
      '# ours\nOTHER=1\nexport STRIPE_ANALYTICS_KEY=old # was\n\nLAST="a b"\n',
    );
    await chmod(join(cwd, 'agents.env'), 0o644);
    expect((await run(['provision', 'analytics', '--store', 'env-file:agents.env'])).exitCode).toBe(0);
    const [key] = await active();
    expect(await readFile(join(cwd, 'agents.env'), 'utf8')).toBe(
      `# ours\nOTHER=1\nexport STRIPE_ANALYTICS_KEY=${key?.token}\n\nLAST="a b"\n`,
    );
    expect((await stat(join(cwd, 'agents.env'))).mode & 0o777).toBe(0o600);
    expect((await run(['verify', 'analytics', '--depth', 'checks'])).exitCode).toBe(0);
  });

  it('gives the secret to a command on its standard input, and takes it back from one', async () => {
    const { run, cwd, active } = await scene();
    const store = 'exec:cat > "vault-$KEYAUDIT_VARIABLE"; echo stored for $KEYAUDIT_PROFILE';
    const made = await run(['provision', 'analytics', '--store', store]);
    expect(made).toMatchObject({ exitCode: 0, stderr: 'stored for analytics\n' });
    const [key] = await active();
    expect(await readFile(join(cwd, 'vault-STRIPE_ANALYTICS_KEY'), 'utf8')).toBe(key?.token);
    const from = 'exec:cat vault-STRIPE_ANALYTICS_KEY';
    expect((await run(['verify', 'analytics', '--depth', 'checks', '--key-from', from])).exitCode).toBe(0);
    const missing = await run(['verify', 'analytics', '--key-from', 'exec:cat nothing']);
    expect(missing.exitCode).toBe(3);
  });

  it('ends the key when the store does not take its secret', async () => {
    const { run, active } = await scene();
    const failed = await run(['provision', 'analytics', '--store', 'exec:cat; exit 3']);
    expect(failed.exitCode).toBe(2);
    expect(failed.stderr).toContain('did not take the secret (exit code 3)');
    expect(failed.stderr).not.toMatch(/rk_test_\w{8}/);
    expect(await active()).toEqual([]);
  });

  it('prints the secret only with --reveal', async () => {
    const { run, active } = await scene();
    expect((await run(['provision', 'analytics', '--store', 'stdout'])).exitCode).toBe(2);
    expect(await active()).toEqual([]);
    const shown = await run(['provision', 'analytics', '--store', 'stdout', '--reveal']);
    expect(shown.stdout).toContain(`STRIPE_ANALYTICS_KEY=${(await active())[0]?.token}\n`);
  });

  it('refuses a file that git would take up, and a store that is none', async () => {
    const { run, cwd, active } = await scene();
    await execa('git', ['init', '-q'], { cwd });
    const tracked = await run(['provision', 'analytics', '--store', 'env-file:keys.env']);
    expect(tracked.exitCode).toBe(2);
    expect(tracked.stderr).toContain('git would take up');
    expect(await active()).toEqual([]);
    expect((await run(['provision', 'analytics', '--store', 'vault'])).stderr).toContain(
      '"vault" is not a store',
    );
  });

  it('refuses a broken env file with its line, and changes nothing', async () => {
    const { run, cwd, active } = await scene();
    await writeFile(join(cwd, 'broken.env'), 'A=1\nthis is no assignment\n');
    const broken = await run(['provision', 'analytics', '--store', 'env-file:broken.env']);
    expect(broken.exitCode).toBe(2);
    expect(broken.stderr).toMatch(/broken\.env:2 is neither NAME=value nor a comment/);
    expect(await readFile(join(cwd, 'broken.env'), 'utf8')).toBe('A=1\nthis is no assignment\n');
    expect(await active()).toEqual([]);
  });
});

describe('a full disk', () => {
  it('is one clear error; nothing is lost, and no key is left', async ({ skip }) => {
    const { run, cwd, active, stored } = await scene();
    await run(['provision', 'analytics']);
    const before = await stored('STRIPE_ANALYTICS_KEY');
    const dir = join(cwd, '.keyaudit');
    const files = await Promise.all(
      ['keys.env', 'keys.json'].map(async (name) => [name, await readFile(join(dir, name))] as const),
    );
    // The server keeps its state in the same folder; it is ended with the test, before the mount is.
    const mounted = await execa('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', dir], { reject: false });
    if (mounted.exitCode !== 0) skip(`a full disk needs a mount of its own: ${mounted.stderr}`);
    onTestFinished(async () => {
      await execa('umount', ['-l', dir], { reject: false });
    });
    for (const [name, content] of files) await writeFile(join(dir, name), content, { mode: 0o600 });
    await writeFile(join(dir, 'filler'), Buffer.alloc(1_000_000)).catch(() => {});
    const again = await run(['provision', 'analytics']);
    expect(again.exitCode).toBe(2);
    expect(again.stderr).toContain('the disk is full (ENOSPC)');
    expect(await stored('STRIPE_ANALYTICS_KEY')).toBe(before);
    await execa('umount', ['-l', dir]);
    expect((await active()).map((key) => key.token)).toEqual([before]);
  });
});
