import { chmod, copyFile, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { readSwitch } from '../../src/core/switch.ts';
import { temporaryFolder } from '../support/run-cli.ts';

// The action takes inputs that a pull request may have written, in a job that holds keys.

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The step of action.yml that verifies, with inputs as the runner hands them on. */
async function verifyStep(
  cwd: string,
  inputs: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
) {
  const values = { PROFILES: 'analytics', TARGET: 'sandbox', FROZEN: 'false', FORMATS: '', ...inputs };
  return execa(process.execPath, [join(root, 'scripts/action.mjs'), 'verify'], {
    cwd,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: cwd,
      ...Object.fromEntries(
        Object.entries(values).map(([name, value]) => [`KEYAUDIT_ACTION_${name}`, value]),
      ),
      ...env,
    },
    extendEnv: false,
    reject: false,
    all: true,
  });
}

describe('an input', () => {
  const command = '--store=exec:>pwned';

  it.each<readonly [name: string, inputs: Record<string, string>, message: RegExp]>([
    ['that is an option', { PROFILES: `analytics ${command}` }, /no profile "--store=exec/],
    ['that is an option alone', { PROFILES: command }, /no profile "--store=exec/],
    ['that ends the options itself', { PROFILES: `-- ${command}` }, /no profile "--/],
    ['that asks for a command as key source', { PROFILES: '--key-from=exec:>pwned' }, /no profile "--key/],
    ['that is a shell word', { PROFILES: '$(>pwned)' }, /no profile "\$\(>pwned/],
    [
      'that is an option as a target',
      { TARGET: command },
      /'--store=exec.*' from env 'KEYAUDIT_TARGET' is invalid/,
    ],
    ['that is an option as a depth', { DEPTH: command }, /from env 'KEYAUDIT_DEPTH' is invalid/],
    ['that is an option as a policy', { POLICY: command }, /--store=exec/],
    ['that is an option as a lock file', { FROZEN: 'true', LOCK: command }, /no lock file --store=exec/],
    ['that is an option as coverage', { MIN_COVERAGE: command }, /KEYAUDIT_MIN_COVERAGE' is invalid/],
    ['that is no number as coverage', { MIN_COVERAGE: 'full' }, /KEYAUDIT_MIN_COVERAGE' is invalid/],
    ['that is an option as a format', { FORMATS: command }, /No format/],
    ['that is a member of every object, as a format', { FORMATS: 'constructor' }, /No format "constructor"/],
    ['that is an option as a variable', { KEY_VARIABLES: command }, /No key in --store/],
    ...['enabled', 'nope', '2', 'y', 'TRUE!', 'false;true'].flatMap((word) => [
      [
        `frozen: ${word}`,
        { FROZEN: word },
        /The input frozen is ".*", which is neither true nor false/,
      ] as const,
      [`live: ${word}`, { LIVE: word }, /The input live is ".*", which is neither true nor false/] as const,
    ]),
  ])('%s is refused', async (_name, inputs, message) => {
    const cwd = await temporaryFolder();
    const run = await verifyStep(cwd, inputs);
    expect(run.all).toMatch(message);
    expect(run.exitCode).toBe(2);
    await expect(readFile(join(cwd, 'pwned'))).rejects.toThrow('ENOENT');
  });

  it('is a switch by the same words as everywhere', async () => {
    const words = ['true', 'yes', 'on', '1', 'TRUE', 'false', 'no', 'off', '0', '', 'enabled', '10', 'y'];
    for (const word of words) {
      const cwd = await temporaryFolder();
      const { all } = await verifyStep(cwd, { FROZEN: word, PROFILES: 'nope' });
      expect(/neither true nor false/.test(all), word).toBe(readSwitch(word) === undefined);
    }
  });
});

describe('keys', () => {
  const key = `rk_live_${'plainlyFake'.repeat(2)}`;

  it('are not given to the run that makes the keys of the sandbox', async () => {
    const cwd = await temporaryFolder();
    const run = await verifyStep(
      cwd,
      { KEY_VARIABLES: 'SECOND_KEY' },
      {
        STRIPE_SECRET_KEY: key,
        SECOND_KEY: 'of-another-form',
        THIRD_KEY: key,
        KEYAUDIT_STORE: 'exec:env > seen; cat > /dev/null',
      },
    );
    const seen = await readFile(join(cwd, 'seen'), 'utf8');
    expect(seen).toContain('KEYAUDIT_VARIABLE=');
    expect(seen).not.toMatch(/plainlyFake|of-another-form/);
    expect(run.all).not.toMatch(/plainlyFake|of-another-form/);
  });

  it('are not given to the installation, and no package runs a script in it', async () => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, 'scripts'));
    await mkdir(join(cwd, 'bin'));
    await copyFile(join(root, 'scripts/action.mjs'), join(cwd, 'scripts/action.mjs'));
    await writeFile(
      join(cwd, 'scripts/build.mjs'),
      "import { appendFileSync } from 'node:fs'; appendFileSync('seen', 'built ' + JSON.stringify(process.env));",
    );
    await writeFile(join(cwd, 'bin/npm'), '#!/bin/sh\necho "npm $*" >> seen\nenv >> seen\n');
    await chmod(join(cwd, 'bin/npm'), 0o755);
    const run = await execa(process.execPath, [join(cwd, 'scripts/action.mjs'), 'install'], {
      cwd,
      env: {
        PATH: `${join(cwd, 'bin')}:${process.env.PATH}`,
        HOME: cwd,
        HTTPS_PROXY: 'http://proxy.example',
        STRIPE_SECRET_KEY: key,
        ANY_KEY: key,
        GITHUB_TOKEN: 'plainlyFake',
        NODE_OPTIONS: '--no-warnings',
      },
      extendEnv: false,
      reject: false,
      all: true,
    });
    expect(run).toMatchObject({ exitCode: 0, all: '' });
    const seen = await readFile(join(cwd, 'seen'), 'utf8');
    expect(seen).toMatch(/^npm ci --ignore-scripts /);
    expect(seen).toContain('HTTPS_PROXY=http://proxy.example');
    expect(seen).toContain('built');
    expect(seen).not.toMatch(/plainlyFake|NODE_OPTIONS/);
  });
});

describe('the package as it is published', () => {
  it('is built: nothing is installed, built or asked for where its packages are there', async () => {
    const cwd = await temporaryFolder();
    const folder = join(cwd, 'node_modules/keyaudit');
    await mkdir(folder, { recursive: true });
    await mkdir(join(cwd, 'bin'));
    await execa('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', cwd], { cwd: root });
    const tarball = (await readdir(cwd)).find((name) => name.endsWith('.tgz')) ?? '';
    await execa('tar', ['-xzf', join(cwd, tarball), '--strip-components=1', '-C', folder]);
    for (const name of await readdir(join(root, 'node_modules')))
      await symlink(join(root, 'node_modules', name), join(cwd, 'node_modules', name));
    await writeFile(join(cwd, 'bin/npm'), '#!/bin/sh\necho called > seen; exit 1\n', { mode: 0o755 });
    const env = { PATH: `${join(cwd, 'bin')}:${process.env.PATH}`, HOME: cwd };
    const options = { cwd, env, extendEnv: false, reject: false, all: true } as const;
    const script = join(folder, 'scripts/action.mjs');
    expect(await execa(process.execPath, [script, 'install'], options)).toMatchObject({
      exitCode: 0,
      all: '',
    });
    expect(await readdir(cwd)).not.toContain('seen');
    const plan = await execa(
      process.execPath,
      [join(folder, 'bin/keyaudit.js'), 'plan', 'analytics'],
      options,
    );
    expect(plan).toMatchObject({ exitCode: 0 });
    expect(await readFile(join(folder, 'dist/THIRD-PARTY-NOTICES.md'), 'utf8')).toContain('## stripe ');
  });
});

describe('a run that comes to no end', () => {
  it('is 3, whatever failed', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'taken'), '');
    const run = await verifyStep(cwd, { REPORT_FOLDER: 'taken/below' });
    expect(run.exitCode).toBe(3);
    expect(run.all).toMatch(/^::error title=keyaudit::The action failed/m);
  });
});
