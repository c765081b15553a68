import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runCli, temporaryFolder } from '../support/run-cli.ts';

const docs = fileURLToPath(new URL('../../docs/cli.md', import.meta.url));
const reference = await readFile(docs, 'utf8');

/** Every command that the reference has. */
const commands = [...reference.matchAll(/^## `keyaudit (.*)`$/gm)].map((match) => match[1] ?? '');

describe('docs/cli.md', () => {
  it('is what the program says of itself', async () => {
    const run = await runCli(['cli-reference'], { cwd: await temporaryFolder() });
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(reference === run.stdout, 'docs/cli.md is stale: run "npm run docs"').toBe(true);
  });

  it('has the commands', () => {
    for (const name of ['provision', 'verify', 'lock', 'profiles lint', 'completion'])
      expect(commands).toContain(name);
  });
});

describe('--help', () => {
  it.each(commands)('of %s has at least two examples, which call it', async (name) => {
    const run = await runCli([...name.split(' '), '--help'], { cwd: await temporaryFolder() });
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    const examples = run.stdout
      .split('\nExamples:\n')[1]
      ?.split('\n')
      .filter((line) => /^ {2}\S/.test(line));
    expect(examples?.length).toBeGreaterThanOrEqual(2);
    for (const example of examples ?? []) expect(example).toContain(`keyaudit ${name}`);
  });
});
