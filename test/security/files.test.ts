import { execFileSync } from 'node:child_process';
import { link, mkdir, readFile, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, temporaryFolder } from '../support/run-cli.ts';

// Files that a checkout brings, and files that a result must not take the place of.

describe('a file without an end', () => {
  const kinds: Readonly<Record<string, (file: string) => Promise<unknown>>> = {
    'a pipe that nobody writes to': async (file) => execFileSync('mkfifo', [file]),
    'a link to a device that never stops': (file) => symlink('/dev/zero', file),
    'a folder': (file) => mkdir(file),
    'a file of a gigabyte': async (file) => {
      await writeFile(file, '');
      await truncate(file, 1_000_000_000);
    },
  };
  const uses: Readonly<Record<string, readonly [file: string, args: readonly string[]]>> = {
    profile: ['profiles/mine.yaml', ['plan', 'mine']],
    'profile by path': ['mine.yaml', ['plan', './mine.yaml']],
    'profile to extend': ['profiles/base.yaml', ['plan', './child.yaml']],
    policy: ['keyaudit.policy.yaml', ['plan', 'analytics']],
    'lock file': ['keyaudit.lock.yaml', ['verify', 'analytics', '--frozen']],
    'side of a diff': ['a.yaml', ['diff', './a.yaml', 'analytics']],
    'list of calls': ['calls.txt', ['permissions', '--file', 'calls.txt']],
    behaviour: ['bad.yaml', ['sandbox', '--port', '0', '--behaviour', 'bad.yaml']],
    'env file': ['keys.env', ['provision', 'analytics', '--store', 'env-file:keys.env']],
  };

  it.each(Object.keys(kinds).flatMap((kind) => Object.keys(uses).map((use) => [kind, use] as const)))(
    '%s as a %s is refused',
    async (kind, use) => {
      const cwd = await temporaryFolder();
      await mkdir(join(cwd, 'profiles'));
      await writeFile(join(cwd, 'child.yaml'), 'name: child\nextends: base\n');
      const [file, args] = uses[use] ?? ['', []];
      await kinds[kind]?.(join(cwd, file));
      const run = await runCli(args, { cwd });
      expect(run.exitCode, run.stdout).toBe(2);
      expect(run.stderr).toMatch(/^error: /);
      expect(run.stderr).not.toMatch(/bug in keyaudit/);
      expect(run.stderr.length).toBeLessThan(1_000);
    },
  );
});

describe('a result', () => {
  it.each<readonly [name: string, output: string]>([
    ['the key store', '.keyaudit/keys.env'],
    ['the key store by another way', 'profiles/../.keyaudit/keys.env'],
    ['a link to the key store', 'link.txt'],
    ['a link to its folder', 'folder/keys.env'],
    ['a file beside it', '.keyaudit/new.json'],
    ['another env file that holds a key', 'other.env'],
    ['a second name of a file of its', 'hard.json'],
    ["the key in the user's folder", '.config/keyaudit/own.key'],
    ["the key in the user's folder, by a link", 'config/keyaudit/own.key'],
    ["a second name of the key in the user's folder", 'hard.key'],
    ["a file beside the key in the user's folder", '.config/keyaudit/new.txt'],
  ])('does not take the place of %s', async (_name, output) => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, 'profiles'));
    expect(await runCli(['provision', 'analytics'], { cwd })).toMatchObject({ exitCode: 0 });
    await symlink('.keyaudit/keys.env', join(cwd, 'link.txt'));
    await symlink('.keyaudit', join(cwd, 'folder'));
    await link(join(cwd, '.keyaudit/keys.json'), join(cwd, 'hard.json'));
    await link(join(cwd, '.config/keyaudit/own.key'), join(cwd, 'hard.key'));
    await symlink('.config', join(cwd, 'config'));
    await writeFile(join(cwd, 'other.env'), `KEY=rk_live_${'plainlyFake'.repeat(2)}\n`);
    const before = await readFile(join(cwd, '.keyaudit/keys.env'), 'utf8');
    const other = await readFile(join(cwd, 'other.env'), 'utf8');
    for (const args of [
      ['plan', 'analytics', '--output', output],
      ['verify', 'analytics', '--depth', 'checks', '--report', `json=${output}`],
      ['inspect', '--key-env', 'K', '--profile-output', output],
    ]) {
      const run = await runCli(args, { cwd, env: { K: `rk_test_${'plainlyFake'.repeat(2)}` } });
      expect(run).toMatchObject({ exitCode: 2, stdout: '' });
      expect(run.stderr).toContain(`${output} is where keyaudit or a store keeps keys.`);
    }
    expect(await readFile(join(cwd, '.keyaudit/keys.env'), 'utf8')).toBe(before);
    expect(await readFile(join(cwd, 'other.env'), 'utf8')).toBe(other);
    await expect(stat(join(cwd, '.keyaudit/new.json'))).rejects.toThrow('ENOENT');
  });

  it.each<readonly [name: string, output: string]>([
    ['a profile', 'profiles/mine.yaml'],
    ['a profile that lies elsewhere', 'agents/other.yaml'],
    ['a link to a profile', 'link.txt'],
    ['a second name of a profile', 'hard.txt'],
    ['the policy', 'keyaudit.policy.yaml'],
    ['a policy of another name', 'rules.yaml'],
    ['the lock file', 'keyaudit.lock.yaml'],
    ['the settings', 'keyaudit.config.yaml'],
  ])('of a report does not take the place of %s', async (_name, output) => {
    const cwd = await temporaryFolder();
    const profile = 'name: mine\nenv: STRIPE_MINE_KEY\npermissions:\n  coupons: read\n';
    for (const folder of ['profiles', 'agents']) await mkdir(join(cwd, folder));
    await writeFile(join(cwd, 'profiles/mine.yaml'), profile);
    await writeFile(join(cwd, 'agents/other.yaml'), profile.replaceAll('mine', 'other'));
    await writeFile(join(cwd, 'rules.yaml'), 'require: { maxKeyAge: 30d }\n');
    await writeFile(join(cwd, 'keyaudit.policy.yaml'), 'require: { maxKeyAge: 30d }\n');
    await writeFile(join(cwd, 'keyaudit.config.yaml'), 'depth: checks\n');
    await writeFile(join(cwd, 'keyaudit.lock.yaml'), 'schema: keyaudit.lock/1\n');
    await symlink('profiles/mine.yaml', join(cwd, 'link.txt'));
    await link(join(cwd, 'profiles/mine.yaml'), join(cwd, 'hard.txt'));
    const before = await readFile(join(cwd, output), 'utf8');
    for (const args of [
      ['plan', 'mine', '--policy', 'rules.yaml', '--output', output],
      ['verify', 'mine', '--policy', 'rules.yaml', '--report', `json=${output}`],
      ['verify', 'mine', '--policy', 'rules.yaml', '--history', output],
    ]) {
      const run = await runCli(args, { cwd });
      expect(run, args.join(' ')).toMatchObject({ exitCode: 2, stdout: '' });
      expect(run.stderr.replace(/\s+/g, ' ')).toContain(`${output} is what keyaudit reads`);
    }
    expect(await readFile(join(cwd, output), 'utf8')).toBe(before);
  });

  it('is written beside them, and anew over an earlier report', async () => {
    const cwd = await temporaryFolder();
    for (const file of ['report.json', 'report.json', 'plan.yaml', 'plan.yaml']) {
      const args = ['plan', 'analytics', '--format', 'json', '--output', file];
      expect(await runCli(args, { cwd })).toMatchObject({ exitCode: 0, stderr: '' });
    }
    expect(JSON.parse(await readFile(join(cwd, 'report.json'), 'utf8'))).toMatchObject({
      schema: 'keyaudit.plan/1',
    });
  });
});
