import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { init } from '../../src/commands/init.ts';
import { answering } from '../support/answers.ts';
import { runCli, temporaryFolder } from '../support/run-cli.ts';

const read = (...path: string[]) => readFile(join(...path), 'utf8');

describe('keyaudit init', () => {
  it('writes a profile that passes its own gate at once', async () => {
    const cwd = await temporaryFolder();
    const run = await runCli(
      ['init', 'helper', '--permission', 'charges=read: Look up "charges"', '--permission', 'products=write'],
      { cwd },
    );
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await read(cwd, 'profiles', 'helper.yaml')).toMatch(
      /^# yaml-language-server: \$schema=\.\.\/node_modules\/keyaudit\/schema\/profile\.schema\.json\nname: helper\n/,
    );
    expect(parse(await read(cwd, 'profiles', 'helper.yaml')).permissions.charges.why).toBe(
      'Look up "charges"',
    );
    const lint = await runCli(['profiles', 'lint', 'helper', '--min-coverage', '100'], { cwd });
    expect(lint).toMatchObject({ exitCode: 0 });
    expect(lint.stdout).toContain('0 mistakes, 0 warnings');
    const verify = await runCli(['verify', '--all', '--frozen'], { cwd });
    expect(verify.exitCode).toBe(0);
    expect(verify.stdout).toContain('As locked.');
  });

  it('leaves what can write and cannot be separated to be accepted by hand', async () => {
    const cwd = await temporaryFolder();
    const run = await runCli(['init', 'helper', '--permission', 'refunds=write', '--format', 'json'], {
      cwd,
    });
    expect(run.exitCode).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({
      schema: 'keyaudit.init/1',
      variable: 'STRIPE_HELPER_KEY',
      written: ['profiles/helper.yaml', '.github/workflows/keyaudit.yml'],
      notLocked: expect.stringContaining('accept'),
    });
    const file = join(cwd, 'profiles', 'helper.yaml');
    const text = await read(file);
    expect((await runCli(['verify', 'helper'], { cwd })).exitCode).toBe(1);
    await writeFile(file, text.replace(/^# (?=accept:| {2})/gm, ''));
    expect((await runCli(['verify', 'helper'], { cwd })).exitCode).toBe(0);
    expect((await runCli(['lock', 'helper'], { cwd })).exitCode).toBe(0);
  });

  it.each<[string, string]>([
    ['github', '.github/workflows/keyaudit.yml'],
    ['gitlab', 'keyaudit.gitlab-ci.yml'],
  ])(
    'writes a gate for %s that gives it every key by its variable and runs real commands',
    async (ci, file) => {
      const cwd = await temporaryFolder();
      await mkdir(join(cwd, 'profiles'));
      await writeFile(
        join(cwd, 'profiles', 'old.yaml'),
        'name: old\nenv: OLD_KEY\npermissions: { charges: read }\n',
      );
      expect((await runCli(['init', 'helper', '--ci', ci], { cwd })).exitCode).toBe(0);
      const text = await read(cwd, file);
      const jobs = parse(text);
      expect(jobs).toBeTypeOf('object');
      for (const name of ['OLD_KEY', 'STRIPE_HELPER_KEY']) expect(text).toContain(name);
      for (const [, use] of text.matchAll(/uses: (\S+)/g)) expect(use).toMatch(/^[\w/-]+@[0-9a-f]{40}$/);
      const commands = [...text.matchAll(/npx --yes keyaudit@\S+ (.*)/g)].map(([, args]) => args ?? '');
      expect(commands).toHaveLength(4);
      for (const args of commands.filter((one) => !one.includes('--target stripe'))) {
        const run = await runCli(args.split(' '), { cwd });
        expect(run.stderr, args).not.toMatch(/error: (unknown|too many)/);
      }
    },
  );

  it('never overwrites without --force, and then writes nothing at all', async () => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, 'profiles'));
    await writeFile(join(cwd, 'profiles', 'helper.yaml'), 'mine');
    const refused = await runCli(['init', 'helper'], { cwd });
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
    expect(refused.stderr).toContain('profiles/helper.yaml is there already; nothing was written.');
    expect(await read(cwd, 'profiles', 'helper.yaml')).toBe('mine');
    expect(await readdir(cwd)).toEqual(['profiles']);
    expect((await runCli(['init', 'helper', '--force'], { cwd })).exitCode).toBe(0);
    expect(await read(cwd, 'profiles', 'helper.yaml')).toContain('name: helper');
  });

  it.each<[string, readonly string[], RegExp]>([
    ['a name that is none', ['../x'], /"\.\.\/x" is no name for a profile/],
    [
      'an unknown resource',
      ['a', '--permission', 'charge=read'],
      /Unknown resource "charge"\.[\s\S]*Did you mean "charges"/,
    ],
    ['no level', ['a', '--permission', 'charges'], /Write RESOURCE=read or RESOURCE=write/],
    [
      'a level that the resource has not',
      ['a', '--permission', 'balance=write'],
      /No key can be made|writes balance/,
    ],
    ['an unknown CI', ['a', '--ci', 'jenkins'], /Allowed choices are github, gitlab, none/],
  ])('refuses %s', async (_name, args, message) => {
    const cwd = await temporaryFolder();
    const run = await runCli(['init', ...args], { cwd });
    expect(run).toMatchObject({ exitCode: 2, stdout: '' });
    expect(run.stderr).toMatch(message);
    expect(await readdir(cwd)).toEqual([]);
  });

  it('asks on a terminal for what no flag says', async () => {
    const cwd = await temporaryFolder();
    const { context, asked } = answering(cwd, ['asked', 'Does things', 'products=read, charges=read', '']);
    expect(await init({ permission: [] }, context)).toBe(0);
    expect(asked).toHaveLength(4);
    expect(parse(await read(cwd, 'profiles', 'asked.yaml'))).toMatchObject({
      name: 'asked',
      description: 'Does things',
      permissions: { products: 'read', charges: 'read' },
    });
    expect(await read(cwd, '.github', 'workflows', 'keyaudit.yml')).toContain('keyaudit@1.2.3');
  });

  it('sends no key of the environment anywhere', async () => {
    const cwd = await temporaryFolder();
    const run = await runCli(['init', 'helper'], {
      cwd,
      env: { STRIPE_HELPER_KEY: 'rk_test_ofSomebody', KEYAUDIT_API_BASE: 'http://127.0.0.1:9' },
    });
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(run.stdout).toContain('keyaudit.lock.yaml');
  });
});
