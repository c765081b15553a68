import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { KEYAUDIT, runCli, temporaryFolder } from '../run-cli.ts';
import { type SandboxServer, startSandboxServer } from '../sandbox-server.ts';

const AT_ONCE = ['--set', 'expiryDelayMs=0', '--set', 'narrowingDelayMs=0'];

interface Scene {
  readonly cwd: string;
  readonly sandbox: SandboxServer;
  run(
    args: readonly string[],
    options?: { env?: Record<string, string>; input?: string },
  ): ReturnType<typeof runCli>;
  /** The keys that the server says are active, newest first. */
  active(): Promise<readonly { id: string; name: string; permissions: string[]; token: string }[]>;
  /** HTTP status of a list of charges by this key. */
  statusOf(token: string): Promise<number>;
  stored(variable?: string, file?: string): Promise<string | undefined>;
}

async function scene(behaviour: readonly string[] = AT_ONCE): Promise<Scene> {
  const cwd = await temporaryFolder();
  const sandbox = await startSandboxServer(cwd, behaviour);
  return {
    cwd,
    sandbox,
    run: (args, { env = {}, input } = {}) =>
      runCli([...args, '--api-base', sandbox.url], {
        cwd,
        env: { STRIPE_SECRET_KEY: sandbox.secretKey, ...env },
        ...(input === undefined ? {} : { input }),
      }),
    active: () => activeKeys(sandbox),
    statusOf: async (token) =>
      (await fetch(`${sandbox.url}/v1/charges`, { headers: { authorization: `Bearer ${token}` } })).status,
    stored: async (variable = 'STRIPE_REFUND_AGENT_KEY', file = '.keyaudit/keys.env') =>
      new RegExp(`^${variable}=(.*)$`, 'm').exec(
        await readFile(join(cwd, file), 'utf8').catch(() => ''),
      )?.[1],
  };
}

async function activeKeys({ url, secretKey }: SandboxServer) {
  const response = await fetch(`${url}/v2/iam/api_keys?limit=100`, {
    headers: { authorization: `Bearer ${secretKey}`, 'stripe-version': '2026-08-26.preview' },
  });
  const { data } = (await response.json()) as {
    data: { id: string; name: string; permissions: string[]; secret_key: { token: string } }[];
  };
  return data.map(({ id, name, permissions, secret_key }) => ({
    id,
    name,
    permissions,
    token: secret_key.token,
  }));
}

describe.concurrent('provision', () => {
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

  it('sets a time to live', async () => {
    const { run } = await scene();
    const made = await run(['provision', 'analytics', '--ttl', '1h', '--format', 'json']);
    const { keys } = JSON.parse(made.stdout) as { keys: { createdAt: string; expiresAt: string }[] };
    const life = Date.parse(keys[0]?.expiresAt ?? '') - Date.parse(keys[0]?.createdAt ?? '');
    expect(Math.abs(life - 3_600_000)).toBeLessThan(10_000);
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

describe.concurrent('stores', () => {
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

describe.concurrent('rotate', () => {
  it('publishes the new key, then ends the old one', async () => {
    const { run, active, stored, statusOf } = await scene();
    await run(['provision', 'refund-agent']);
    const before = (await stored()) ?? '';
    const rotated = await run(['rotate', 'refund-agent', '--wait']);
    expect(rotated).toMatchObject({ exitCode: 0 });
    expect(rotated.stdout.replace(/\s+/g, ' ')).toMatch(
      /New key mk_\w+, .*: as the profile says.* Old key mk_\w+ .*was dead after/,
    );
    const after = (await stored()) ?? '';
    expect(after).not.toBe(before);
    expect([await statusOf(before), await statusOf(after)]).toEqual([401, 200]);
    expect((await active()).map((key) => key.token)).toEqual([after]);
  });

  it('refuses a new key that is broader than its profile: exit 1, undone, the old one untouched', async () => {
    const { run, cwd, active, stored, statusOf, sandbox } = await scene();
    await run(['provision', 'refund-agent']);
    const before = (await stored()) ?? '';
    const wide = await startSandboxServer(cwd, [...AT_ONCE, '--set', 'grantsMore=["payout_write"]']);
    const rotated = await runCli(['rotate', 'refund-agent', '--api-base', sandbox.url], {
      cwd,
      env: { STRIPE_SECRET_KEY: sandbox.secretKey },
    });
    expect(rotated.exitCode).toBe(0);
    const then = (await stored()) ?? '';
    expect(then).not.toBe(before);
    // The same state behind a server that grants more than it was asked for.
    const records = JSON.parse(await readFile(join(cwd, '.keyaudit/keys.json'), 'utf8')) as {
      keys: { apiBase: string }[];
    };
    for (const key of records.keys) key.apiBase = wide.url;
    await writeFile(join(cwd, '.keyaudit/keys.json'), JSON.stringify(records));
    const refused = await runCli(['rotate', 'refund-agent', '--api-base', wide.url], {
      cwd,
      env: { STRIPE_SECRET_KEY: wide.secretKey },
    });
    expect(refused.exitCode).toBe(1);
    expect(refused.stdout).toContain('payout');
    expect(refused.stdout).toMatch(/is untouched/);
    expect(await stored()).toBe(then);
    expect(await statusOf(then)).toBe(200);
    expect((await active()).map((key) => key.token)).toEqual([then]);
  });

  it('refuses a profile that has grown since', async () => {
    const { run, cwd, stored, active } = await scene();
    await mkdir(join(cwd, 'profiles'));
    const write = (level: string) =>
      writeFile(
        join(cwd, 'profiles/mine.yaml'),
        `name: mine\nenv: STRIPE_MINE_KEY\npermissions:\n  customers: ${level}\n`,
      );
    await write('read');
    await run(['provision', 'mine']);
    const before = await stored('STRIPE_MINE_KEY');
    await write('write');
    const rotated = await run(['rotate', 'mine', '--format', 'json']);
    expect(rotated.exitCode).toBe(1);
    const { ok, rotations } = JSON.parse(rotated.stdout) as {
      ok: boolean;
      rotations: { broader: string[]; outcome: string }[];
    };
    expect([ok, rotations[0]?.outcome]).toEqual([false, 'refused']);
    expect(rotations[0]?.broader.length).toBeGreaterThan(0);
    expect(await stored('STRIPE_MINE_KEY')).toBe(before);
    expect(await active()).toHaveLength(1);
  });

  it('plans without making anything, and leaves young keys alone', async () => {
    const { run, active } = await scene();
    await run(['provision', '--all']);
    const ids = (await active()).map((key) => key.id);
    const planned = await run(['rotate', '--all', '--dry-run']);
    expect(planned).toMatchObject({ exitCode: 0 });
    expect(planned.stdout.match(/Would make a new key/g)).toHaveLength(5);
    const young = await run(['rotate', '--all', '--older-than', '90d']);
    expect(young.stdout).toContain('younger than 90d');
    expect((await active()).map((key) => key.id)).toEqual(ids);
  });

  it('lets the old key live for a time of grace, and ends it by the next command when interrupted', async () => {
    const { run, cwd, sandbox, active, stored } = await scene();
    await run(['provision', 'refund-agent']);
    const before = await stored();
    const child = execa(
      process.execPath,
      [KEYAUDIT, 'rotate', 'refund-agent', '--grace', '3s', '--api-base', sandbox.url],
      { cwd, env: { STRIPE_SECRET_KEY: sandbox.secretKey, NO_COLOR: '1' }, reject: false },
    );
    while ((await stored()) === before) await new Promise((resolve) => setTimeout(resolve, 50));
    await new Promise((resolve) => setTimeout(resolve, 300));
    child.kill('SIGINT');
    expect((await child).exitCode).toBe(0);
    expect(await active()).toHaveLength(2);
    await run(['keys', 'list']);
    expect(await active()).toHaveLength(2);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const next = await run(['keys', 'list']);
    expect(next.stderr).toMatch(/Left over from rotate refund-agent: ended mk_/);
    expect((await active()).map((key) => key.token)).toEqual([await stored()]);
  });
});

describe.concurrent('revoke', () => {
  it('narrows, expires, and watches until the key is dead, as slowly as Stripe', async () => {
    const { run, stored, statusOf } = await scene(['--set', 'expiryDelayMs=3000']);
    await run(['provision', 'refund-agent']);
    const token = (await stored()) ?? '';
    const revoked = await run(['revoke', 'refund-agent', '--format', 'json']);
    expect(revoked.exitCode).toBe(0);
    const { keys } = JSON.parse(revoked.stdout) as { keys: { narrowedMs: number; deadMs: number }[] };
    expect(keys[0]?.narrowedMs).toBeGreaterThan(900);
    expect(keys[0]?.deadMs).toBeGreaterThan(2_900);
    expect(keys[0]?.narrowedMs).toBeLessThan(keys[0]?.deadMs ?? 0);
    expect(await statusOf(token)).toBe(401);
    expect(await stored()).toBeUndefined();
    expect((await run(['revoke', 'refund-agent'])).stdout).toContain('was gone already');
  });

  it('gives up after --timeout with exit 3, and says so', async () => {
    const { run } = await scene(['--set', 'expiryDelayMs=60000']);
    await run(['provision', 'refund-agent']);
    const revoked = await run(['revoke', 'refund-agent', '--timeout', '2s']);
    expect(revoked.exitCode).toBe(3);
    expect(revoked.stdout.replace(/\s+/g, ' ')).toMatch(
      /still answered when the time was up.* could do nothing after/,
    );
  });

  it('takes a key by its id, and says who it does not know', async () => {
    const { run, sandbox, active } = await scene();
    const { id } = await sandbox.makeKey(['charge_read']);
    const revoked = await run(['revoke', id]);
    expect(revoked).toMatchObject({ exitCode: 0 });
    expect(revoked.stdout.replace(/\s+/g, ' ')).toContain('Its secret is not at hand');
    expect(await active()).toEqual([]);
    expect((await run(['revoke', 'mk_neverMade'])).stdout).toContain('was gone already');
    await run(['provision', 'analytics']);
    expect((await run(['revoke', 'analytcs'])).stderr).toContain('Did you mean "analytics"?');
    const key = await run(['revoke', 'rk_test_plainlyFake00']);
    expect(key.stderr).toContain('Never give a key itself as an argument');
    expect(key.stderr).not.toContain('rk_test_plainlyFake00');
  });
});

describe.concurrent('exec', () => {
  const exec = (scene: Scene, command: readonly string[], options: readonly string[] = []) =>
    runCli(['exec', '--api-base', scene.sandbox.url, 'refund-agent', ...options, '--', ...command], {
      cwd: scene.cwd,
      env: { STRIPE_SECRET_KEY: scene.sandbox.secretKey },
    });

  it('lends a key to the command alone, and passes its exit code on', async () => {
    const here = await scene();
    const script =
      'curl -s -o /dev/null -w "%{http_code} " -u $STRIPE_REFUND_AGENT_KEY: $KEYAUDIT_API_BASE/v1/charges; echo "secret:$STRIPE_SECRET_KEY"; exit 42';
    const run = await exec(here, ['sh', '-c', script]);
    expect(run).toMatchObject({ exitCode: 42, stdout: '200 secret:\n' });
    expect(await here.active()).toEqual([]);
    expect(await here.stored()).toBeUndefined();
  });

  it('lends several at once', async () => {
    const here = await scene();
    const script = 'test -n "$STRIPE_REFUND_AGENT_KEY" -a -n "$STRIPE_ANALYTICS_KEY" && echo both';
    const run = await exec(here, ['sh', '-c', script], ['analytics']);
    expect(run).toMatchObject({ exitCode: 0, stdout: 'both\n' });
    expect(await here.active()).toEqual([]);
  });

  it('says 127 of a command that does not exist, 126 of one that may not run, and leaves no key', async () => {
    const here = await scene();
    expect(await exec(here, ['no-such-command'])).toMatchObject({ exitCode: 127 });
    await writeFile(join(here.cwd, 'plain.txt'), 'x', { mode: 0o600 });
    expect(await exec(here, ['./plain.txt'])).toMatchObject({ exitCode: 126 });
    expect(await here.active()).toEqual([]);
    expect((await exec(here, [])).exitCode).toBe(2);
  });

  it('kills a command that ignores SIGTERM, and ends its key', async () => {
    const here = await scene();
    const child = execa(
      process.execPath,
      [
        KEYAUDIT,
        'exec',
        '--kill-after',
        '1s',
        '--api-base',
        here.sandbox.url,
        'refund-agent',
        '--',
        'sh',
        '-c',
        'trap "" TERM; echo on; while :; do sleep 0.1; done',
      ],
      { cwd: here.cwd, env: { STRIPE_SECRET_KEY: here.sandbox.secretKey }, reject: false },
    );
    await new Promise((resolve) => child.stdout.once('data', resolve));
    expect(await here.active()).toHaveLength(1);
    child.kill('SIGTERM');
    expect((await child).exitCode).toBe(137);
    expect(await here.active()).toEqual([]);
  });

  it('passes a signal on, and its end as 128 and the number', async () => {
    const here = await scene();
    const child = execa(
      process.execPath,
      [
        KEYAUDIT,
        'exec',
        '--api-base',
        here.sandbox.url,
        'refund-agent',
        '--',
        'sh',
        '-c',
        'echo on; exec sleep 30',
      ],
      { cwd: here.cwd, env: { STRIPE_SECRET_KEY: here.sandbox.secretKey }, reject: false },
    );
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.kill('SIGTERM');
    expect((await child).exitCode).toBe(143);
    expect(await here.active()).toEqual([]);
  });

  it('is cleaned up by the next command when it was killed, or only named with --no-cleanup', async () => {
    const here = await scene();
    const child = execa(
      process.execPath,
      [
        KEYAUDIT,
        'exec',
        '--api-base',
        here.sandbox.url,
        'refund-agent',
        '--',
        'sh',
        '-c',
        'echo on; exec sleep 2',
      ],
      { cwd: here.cwd, env: { STRIPE_SECRET_KEY: here.sandbox.secretKey }, reject: false },
    );
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const [key] = await here.active();
    // A living process's work is left alone.
    expect((await here.run(['keys', 'list'])).stderr).toBe('');
    child.kill('SIGKILL');
    await child;
    const named = await here.run(['keys', 'list', '--no-cleanup']);
    expect(named.stderr).toContain(String(key?.id));
    expect(await here.active()).toHaveLength(1);
    const cleaned = await here.run(['keys', 'list']);
    expect(cleaned.stderr.replace(/\s+/g, ' ')).toContain(`ended ${key?.id}`);
    expect(await here.active()).toEqual([]);
    expect((await here.run(['keys', 'list'])).stderr).toBe('');
  });
});
