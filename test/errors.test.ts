import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { ERROR_CODES } from '../src/core/error-code.ts';
import { DRIFT_KINDS } from '../src/core/result/drift.ts';
import { FINDING_KINDS } from '../src/core/verdict/finding.ts';

const text = readFileSync(fileURLToPath(new URL('../docs/errors.md', import.meta.url)), 'utf8');
const sections = text.split(/^### /m).slice(1);

it('docs/errors.md has a heading for each code and kind, and for nothing else', () => {
  const headings = sections.map((section) => section.split('\n', 1)[0] ?? '');
  expect([...headings].sort()).toEqual([...ERROR_CODES, ...FINDING_KINDS, ...DRIFT_KINDS].sort());
});

it.each(sections.map((section) => [section.split('\n', 1)[0] ?? '', section] as const))(
  '%s: what happened, why, and what to do',
  (_code, section) => {
    const [, what = '', why = '', advice = ''] =
      /^[^\n]+\n\n(.+)\n\nWhy: (.+)\n\nWhat to do: (.+)\n/.exec(section) ?? [];
    for (const sentence of [what, why, advice]) expect(sentence.length).toBeGreaterThan(5);
  },
);

it('codes stand in order, each once', () => {
  expect([...ERROR_CODES]).toEqual([...new Set(ERROR_CODES)].sort());
});
