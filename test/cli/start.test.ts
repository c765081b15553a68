import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { KEYAUDIT, NODE, runCli, temporaryFolder } from '../support/run-cli.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Starts the program with a script before it. */
async function startAfter(script: string, args: readonly string[]) {
  const cwd = await temporaryFolder();
  const before = join(cwd, 'before.mjs');
  await writeFile(before, script);
  return execa(NODE, ['--import', pathToFileURL(before).href, KEYAUDIT, ...args], {
    cwd,
    env: { PATH: process.env.PATH ?? '', HOME: cwd },
    extendEnv: false,
    reject: false,
  });
}

describe('an old Node', () => {
  const minimum = /^>=(\d+\.\d+)$/.exec(
    (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { engines: { node: string } }).engines
      .node,
  )?.[1];

  it.each([
    ['20.18.3', true],
    ['18.20.8', true],
    ['12.0.0', true],
    ['20.19.0', false],
    ['22.0.0', false],
    ['100.1.0', false],
  ])('%s is refused in one line: %s', async (version, refused) => {
    const run = await startAfter(
      `Object.defineProperty(process.versions, 'node', { value: '${version}' });`,
      ['--version'],
    );
    if (refused) {
      expect(run).toMatchObject({ exitCode: 2, stdout: '' });
      expect(run.stderr).toBe(`error: keyaudit needs Node ${minimum} or newer; this is Node ${version}.`);
    } else expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('can read what refuses it', () => {
    const text = readFileSync(KEYAUDIT, 'utf8');
    expect(text).not.toMatch(/^\s*(?:import\s[^(]|export|await)|\?\?|\?\.|=>|#[a-z]+ in/m);
  });
});

/** All that a built module loads at once: its own text and that of what it imports, and the packages in them. */
function loadedBy(module: string) {
  const seen = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string) => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = readFileSync(file, 'utf8');
    for (const [, name = ''] of text.matchAll(/^\/\/ node_modules\/((?:@[^/]+\/)?[^/]+)/gm))
      packages.add(name);
    for (const [, from = ''] of text.matchAll(/^(?:import|export)\b[^;]*?["']([^"']+)["'];/gm)) {
      if (from.startsWith('.')) visit(join(dirname(file), from));
      else if (!from.startsWith('node:')) packages.add(from);
    }
  };
  visit(join(root, 'dist', module));
  const bytes = [...seen].reduce((sum, file) => sum + readFileSync(file).length, 0);
  return { packages: [...packages].sort(), bytes };
}

describe('the entry', () => {
  it('holds commander alone: nothing that help does not need is read for it', () => {
    const { packages, bytes } = loadedBy('cli.js');
    expect(packages).toEqual(['@commander-js/extra-typings', 'commander']);
    expect(bytes).toBeLessThan(170_000);
  });
});

describe('a verb that asks nobody', () => {
  it.each(['plan', 'profiles', 'permissions', 'diff', 'accept', 'completion'])(
    '%s does not load what asks',
    (verb) => {
      const { packages } = loadedBy(`chunks/${verb}.js`);
      // What is seen at all; YAML is read only where a file is.
      expect(packages).toContain('@commander-js/extra-typings');
      for (const name of ['stripe', 'undici', 'p-queue', 'execa', 'jose'])
        expect(packages).not.toContain(name);
    },
  );
});

describe('keyaudit alone', () => {
  it('says shortly what there is, on standard output', async () => {
    const run = await runCli([], { cwd: await temporaryFolder() });
    expect(run).toMatchObject({ exitCode: 2, stderr: '' });
    expect(run.stdout).toMatch(/^Usage: keyaudit/);
    for (const group of ['Make keys', 'Prove them', 'Explain', 'Set up'])
      expect(run.stdout).toMatch(new RegExp(`^  ${group}: +\\w`, 'm'));
    expect(run.stdout.split('\n').length).toBeLessThan(20);
  });
});

describe('an error with --format json', () => {
  it.each<[readonly string[], Record<string, string>, object]>([
    [['verify', '--al', '--format', 'json'], {}, { code: 'USAGE', hint: 'Did you mean --all?' }],
    [['verify', '--format=json', '--al'], {}, { code: 'USAGE' }],
    [['verfy'], { KEYAUDIT_FORMAT: 'json' }, { code: 'USAGE', hint: 'Did you mean verify?' }],
    [['plan', 'analytics', '--target', 'x', '--format', 'json'], {}, { code: 'USAGE' }],
    [['plan', 'analitics', '--format', 'json'], {}, { message: expect.stringContaining('analitics') }],
    [['plan', 'analytics', '--format', 'json'], { KEYAUDIT_LIVE: 'maybe' }, { code: 'USAGE' }],
  ])('%j is one line of JSON', async (args, env, expected) => {
    const run = await runCli(args, { cwd: await temporaryFolder(), env });
    expect(run).toMatchObject({ exitCode: 2, stdout: '' });
    expect(run.stderr).toMatch(/^\{.*\}\n$/);
    expect(JSON.parse(run.stderr)).toMatchObject({
      schema: 'keyaudit.error/1',
      code: expect.stringMatching(/^[A-Z_]+$/),
      message: expect.any(String),
      ...expected,
    });
  });

  it('has every mistake of a file with its place', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'a.yaml'), 'name: a\npermissions:\n  charges: reed\n');
    const run = await runCli(['plan', './a.yaml', '--format', 'json'], { cwd });
    expect(run.exitCode).toBe(2);
    expect(JSON.parse(run.stderr)).toMatchObject({
      problems: [{ message: expect.any(String), location: { line: 3, column: expect.any(Number) } }],
    });
  });

  it('stays text for another format, and behind "--"', async () => {
    const cwd = await temporaryFolder();
    for (const args of [
      ['verfy', '--format', 'json', '--format', 'table'],
      ['verfy', '--', '--format', 'json'],
    ])
      expect((await runCli(args, { cwd })).stderr).toMatch(/^error: Unknown command 'verfy'/);
  });
});
