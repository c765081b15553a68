import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { editRecords } from '../support/edit-records.ts';
import { KEYAUDIT, NODE, runCli } from '../support/run-cli.ts';
import { startSandboxServer } from '../support/sandbox-server.ts';
import { AT_ONCE, type Scene, scene } from '../support/scene.ts';

describe('rotate', () => {
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
    await editRecords(cwd, (record) => ({ ...record, apiBase: wide.url }));
    const reports = ['junit=r.xml', 'sarif=r.sarif', 'markdown=r.md'].flatMap((one) => ['--report', one]);
    const refused = await runCli(['rotate', 'refund-agent', '--api-base', wide.url, ...reports], {
      cwd,
      env: { STRIPE_SECRET_KEY: wide.secretKey },
    });
    const sarif = JSON.parse(await readFile(join(cwd, 'r.sarif'), 'utf8')) as {
      runs: { results: { ruleId: string; message: { text: string } }[] }[];
    };
    expect(sarif.runs[0]?.results[0]).toMatchObject({
      ruleId: 'over-grant/money-out',
      message: { text: expect.stringContaining('payouts') },
    });
    const junit = await readFile(join(cwd, 'r.xml'), 'utf8');
    expect(/<failure[^>]*message="([^"]*)"/.exec(junit)?.[1]).toContain('payouts');
    expect(await readFile(join(cwd, 'r.md'), 'utf8')).toMatch(/over-grant[\s\S]*payouts/i);
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
        `name: mine\nenv: STRIPE_MINE_KEY\npermissions:\n  coupons: ${level}\n`,
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
    const junit = await run(['rotate', 'mine', '--format', 'junit']);
    expect(junit.exitCode).toBe(1);
    expect(junit.stdout).toContain('which the key that it is to replace cannot');
    expect(await stored('STRIPE_MINE_KEY')).toBe(before);
    expect(await active()).toHaveLength(1);
  });

  it('plans without making anything, and leaves young keys alone', async () => {
    const { run, active } = await scene();
    await run(['provision', '--examples']);
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
      NODE,
      [KEYAUDIT, 'rotate', 'refund-agent', '--grace', '1h', '--target', 'sandbox', '--api-base', sandbox.url],
      { cwd, env: { HOME: cwd, STRIPE_SECRET_KEY: sandbox.secretKey, NO_COLOR: '1' }, reject: false },
    );
    const waits = async () => (await readFile(join(cwd, '.keyaudit/journal.json'), 'utf8')).includes('dueAt');
    while (!(await waits().catch(() => false))) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await stored()).not.toBe(before);
    child.kill('SIGINT');
    const ended = await child;
    expect([ended.exitCode, ended.stdout.replaceAll(/\s+/g, ' ')]).toEqual([
      3,
      expect.stringContaining('works on: its time of grace was interrupted.'),
    ]);
    expect(await active()).toHaveLength(2);
    await run(['keys', 'clean-up']);
    expect(await active()).toHaveLength(2);
    const next = await run(['keys', 'clean-up'], { laterMs: 2 * 3_600_000 });
    expect(next.stderr).toMatch(/Left over from rotate refund-agent: ended mk_/);
    expect((await active()).map((key) => key.token)).toEqual([await stored()]);
  });
});

describe('revoke', () => {
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
    // Ended at Stripe, but no probe with the key itself could see it dead.
    expect(revoked).toMatchObject({ exitCode: 3 });
    expect(revoked.stdout.replace(/\s+/g, ' ')).toContain('Its secret is not at hand');
    expect(await active()).toEqual([]);
    const unknown = await run(['revoke', 'mk_neverMade']);
    expect(unknown).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('sees no key mk_neverMade'),
    });
    await run(['provision', 'analytics']);
    expect((await run(['revoke', 'analytcs'])).stderr).toContain('Did you mean "analytics"?');
    const key = await run(['revoke', 'rk_test_plainlyFake00']);
    expect(key.stderr).toContain('Never give a key itself as an argument');
    expect(key.stderr).not.toContain('rk_test_plainlyFake00');
  });
});

describe('exec', () => {
  const exec = (scene: Scene, command: readonly string[], options: readonly string[] = []) =>
    runCli(['exec', '--api-base', scene.sandbox.url, 'refund-agent', ...options, '--', ...command], {
      cwd: scene.cwd,
      env: { STRIPE_SECRET_KEY: scene.sandbox.secretKey },
    });

  /** A shell script that runs under exec and has said something. */
  const started = async (here: Scene, script: string, options: readonly string[] = []) => {
    const { cwd, sandbox } = here;
    const child = execa(
      NODE,
      [
        KEYAUDIT,
        'exec',
        ...options,
        '--target',
        'sandbox',
        '--api-base',
        sandbox.url,
        'refund-agent',
        '--',
        'sh',
        '-c',
        script,
      ],
      { cwd, env: { HOME: cwd, STRIPE_SECRET_KEY: sandbox.secretKey }, reject: false },
    );
    await new Promise((resolve) => child.stdout.once('data', resolve));
    return { child };
  };

  it('lends a key to the command alone, and passes its exit code on', async () => {
    const here = await scene();
    const script =
      'curl -s -o /dev/null -w "%{http_code} " -u $STRIPE_REFUND_AGENT_KEY: $KEYAUDIT_API_BASE/v1/charges; echo "secret:$STRIPE_SECRET_KEY"; exit 42';
    const run = await exec(here, ['sh', '-c', script]);
    expect(run).toMatchObject({ exitCode: 42, stdout: '200 secret:\n' });
    expect(await here.active()).toEqual([]);
    expect(await here.stored()).toBeUndefined();
  });

  it.runIf(process.platform === 'linux')('keeps the secret key from the command, also in /proc', async () => {
    const here = await scene();
    const script = `
      tr '\\0' '\\n' < /proc/$PPID/environ > seen
      grep -c '^STRIPE_SECRET_KEY=' seen; grep -c '${here.sandbox.secretKey}' seen; grep '^HOME=' seen; env > own
      grep -c '${here.sandbox.secretKey}' own; grep '^KEYAUDIT_TARGET=' own`;
    const { stdout, stderr } = await exec(here, ['sh', '-c', script], ['--quiet']);
    expect([stdout, stderr]).toEqual([`1\n0\nHOME=${here.cwd}\n0\nKEYAUDIT_TARGET=sandbox\n`, '']);
    // It has ended the key by the secret key, so it still knows it.
    expect(await here.active()).toEqual([]);
  });

  it('keeps the secret key from the commands of stores and sources too', async () => {
    const here = await scene();
    const store = ['--store', 'exec:env >> seen; cat > vault', '--read-back', 'env >> seen; cat vault'];
    expect(await here.run(['provision', 'refund-agent', ...store])).toMatchObject({ exitCode: 0 });
    const source = ['--key-from', 'exec:env >> seen; cat vault', '--depth', 'checks'];
    await here.run(['verify', 'refund-agent', ...source]);
    const seen = await readFile(join(here.cwd, 'seen'), 'utf8');
    expect(seen.match(/^PATH=/gm)).toHaveLength(3);
    expect(seen).not.toMatch(/STRIPE_SECRET_KEY|sk_test_/);
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
    const { child } = await started(here, 'trap "" TERM; echo on; while :; do sleep 0.1; done', [
      '--kill-after',
      '1s',
    ]);
    expect(await here.active()).toHaveLength(1);
    child.kill('SIGTERM');
    expect((await child).exitCode).toBe(137);
    expect(await here.active()).toEqual([]);
  });

  it('passes a signal on, and its end as 128 and the number', async () => {
    const here = await scene();
    const { child } = await started(here, 'echo on; exec sleep 30');
    child.kill('SIGTERM');
    expect((await child).exitCode).toBe(143);
    expect(await here.active()).toEqual([]);
  });

  it('is cleaned up by the next command when it was killed, or only named with --no-cleanup', async () => {
    const here = await scene();
    const { child } = await started(here, 'echo on; until test -e end; do sleep 0.1; done');
    const [key] = await here.active();
    // A living process's work is left alone.
    expect((await here.run(['keys', 'list'])).stderr).toBe('');
    child.kill('SIGKILL');
    // Its command outlives it, and holds its streams open.
    await writeFile(join(here.cwd, 'end'), '');
    await child;
    const named = await here.run(['keys', 'clean-up', '--no-cleanup']);
    expect(named.stderr).toContain(String(key?.id));
    expect(await here.active()).toHaveLength(1);
    expect((await here.run(['keys', 'list'])).stderr).toContain(String(key?.id));
    expect(await here.active()).toHaveLength(1);
    const cleaned = await here.run(['keys', 'clean-up']);
    expect(cleaned.stderr.replace(/\s+/g, ' ')).toContain(`ended ${key?.id}`);
    expect(await here.active()).toEqual([]);
    expect((await here.run(['keys', 'list'])).stderr).toBe('');
  });
});
