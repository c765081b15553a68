import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { GUARD_CODES } from '../src/core/spend/exposure/guard-codes.ts';
import { runCli, temporaryFolder } from './support/run-cli.ts';

const text = await readFile(fileURLToPath(new URL('../docs/guard.md', import.meta.url)), 'utf8');

it.each(GUARD_CODES)(
  'docs/guard.md says what %s means, under the heading that a refusal links to',
  (code) => {
    expect(text.split('\n')).toContain(`### ${code}`);
  },
);

it('docs/guard.md names only commands and options that there are', async () => {
  const cwd = await temporaryFolder();
  const known = [
    '',
    ' issue',
    ' log',
    ' log verify',
    ' log accept',
    ' log export',
    ' kill',
    ' reconcile',
    ' resume',
    ' status',
  ];
  const helps = new Map<string, string>();
  for (const name of known) {
    const { stdout } = await runCli([...`guard${name}`.split(' '), '--help'], { cwd });
    helps.set(name.trim(), stdout);
  }
  const lines = [...text.matchAll(/keyaudit guard ([^`\n>]*)/g)].map((match) => match[1] ?? '');
  expect(lines.length).toBeGreaterThan(8);
  for (const line of lines) {
    const words = line.trim().split(/\s+/);
    const verb =
      [...helps.keys()].reverse().find((name) => name !== '' && words.join(' ').startsWith(name)) ?? '';
    for (const option of words.filter((word) => /^--[a-z]/.test(word))) {
      const name = option.replace(/[^a-z-].*$/, '');
      expect(helps.get(verb), `${line}: ${name}`).toContain(name);
    }
  }
});
