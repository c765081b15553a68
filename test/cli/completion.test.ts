import { spawnSync } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { KEYAUDIT, NODE, runCli, temporaryFolder } from '../support/run-cli.ts';

async function script(shell: string): Promise<string> {
  const run = await runCli(['completion', shell], { cwd: await temporaryFolder() });
  expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  return run.stdout;
}

/** What bash offers for a line; the last word is the one being typed. */
async function offered(words: readonly string[], files: readonly string[] = []): Promise<readonly string[]> {
  const cwd = await temporaryFolder();
  const bin = join(cwd, 'bin');
  await mkdir(bin);
  await mkdir(join(cwd, 'profiles'));
  await writeFile(join(cwd, 'profiles', 'mine.yaml'), 'name: mine\npermissions: { charges: read }\n');
  for (const file of files) await writeFile(join(cwd, 'profiles', file), 'name: [broken');
  await writeFile(join(bin, 'keyaudit'), `#!/bin/sh\nexec '${NODE}' '${KEYAUDIT}' "$@"\n`);
  await chmod(join(bin, 'keyaudit'), 0o755);
  await writeFile(join(cwd, 'completion.bash'), await script('bash'));
  const run = await execa(
    'bash',
    [
      '--norc',
      '-c',
      [
        'source ./completion.bash',
        'COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _keyaudit',
        `for reply in "\${COMPREPLY[@]}"; do echo "$reply"; done`,
      ].join('\n'),
      'bash',
      'keyaudit',
      ...words,
    ],
    { cwd, env: { PATH: `${bin}:${process.env.PATH}`, HOME: cwd }, extendEnv: false },
  );
  expect(run.stderr).toBe('');
  return run.stdout.split('\n').filter((line) => line !== '');
}

describe('completion for bash', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['commands', ['ver'], ['verify']],
    ['commands below a command', ['profiles', ''], ['list', 'show', 'lint', 'accept']],
    ['options', ['verify', '--fro'], ['--frozen']],
    ['options of every command', ['plan', '--targ'], ['--target']],
    ['values of an option', ['verify', '--depth', 'e'], ['endpoints']],
    ['values of an option of every command', ['plan', '--target', 's'], ['sandbox', 'stripe-mock', 'stripe']],
    ['values of an argument', ['completion', 'z'], ['zsh']],
    ['names of profiles', ['plan', 're'], ['refund-agent']],
    ['names of own profiles', ['verify', '--profile', 'mi'], ['mine']],
    ['files', ['verify', '--output', 'comp'], ['completion.bash']],
    ['nothing where anything goes', ['verify', '--rate', ''], []],
    ['nothing of ours behind "--"', ['exec', 'analytics', '--', 'tru'], ['true', 'truncate']],
  ])('offers %s', async (_name, words, expected) => {
    expect([...new Set(await offered(words))].sort()).toEqual([...expected].sort());
  });

  it('runs nothing that the name of a file says', async () => {
    const names = await offered(['plan', ''], ['$(touch pwned).yaml', '`id`.yaml', 'a b.yaml']);
    expect(names.filter((name) => /pwned|uid|`|\$/.test(name))).toEqual([]);
    expect(names).toContain('mine');
  });
});

describe.each([
  ['bash', ['-n']],
  ['zsh', ['-n']],
  ['fish', ['--no-execute']],
])('the script for %s', (shell, check) => {
  const installed = spawnSync(shell, ['--version']).status === 0;

  it('names every command and the names of profiles', async () => {
    const text = await script(shell);
    for (const name of ['provision', 'rotate', 'verify', 'lock', 'diff', 'sandbox', 'completion'])
      expect(text).toContain(name);
    expect(text).toContain('keyaudit completion profiles');
    expect(text).not.toContain('cli-reference');
  });

  if (!installed) return;

  it(`is valid for ${shell}`, async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'script'), await script(shell));
    const run = await execa(shell, [...check, 'script'], { cwd, reject: false });
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  });
});
