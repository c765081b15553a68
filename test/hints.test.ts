import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { hintLiterals } from './support/hints/hint-literals.ts';
import { HINT_ROWS } from './support/hints/hint-rows.ts';
import { NO_HINTS } from './support/hints/no-hints.ts';

// Every hint that a command prints is run as printed by test/peers/hints.test.ts. This holds the list whole.

const literals = hintLiterals();
const known = [
  ...HINT_ROWS.flatMap(({ of, what }) => of.map((one) => [one, what] as const)),
  ...NO_HINTS.map(({ of, why }) => [of, why] as const),
];

it('finds the texts that name a command', () => {
  expect(literals.length).toBeGreaterThan(80);
});

it.each(literals.map(({ file, text }) => [file, text]))('%s has a row for: %s', (file, text) => {
  expect(known.filter(([[of, pattern]]) => of === file && pattern.test(text)).length).toBeGreaterThan(0);
});

it.each(known.map(([[file, pattern], what]) => [file, pattern, what] as const))(
  '%s still says %s: %s',
  (file, pattern) => {
    expect(literals.some((literal) => literal.file === file && pattern.test(literal.text))).toBe(true);
  },
);

it.each(NO_HINTS.flatMap(({ test }) => test ?? []))('%s is there', (test) => {
  expect(existsSync(test)).toBe(true);
});
