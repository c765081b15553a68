import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

/** The hard cases of the guard, from which no one is left out unsaid. */
const CASES = Array.from({ length: 74 }, (_, n) => n + 1);

/** Those that no single machine has. */
const SEVERAL_MACHINES: Readonly<Record<number, string>> = {
  2: 'four guards on one PostgreSQL',
  53: 'a connection to PostgreSQL that drops',
  54: 'a Redis that comes back empty',
  55: 'a pgBouncer before PostgreSQL',
  71: 'a second guard that takes over while the first one ends',
};

/** The cases that the titles of tests name: "case 21 and 25: …", "[case 3] …". */
function named(text: string): readonly number[] {
  const titles = text
    .replace(/^\s*(?:\/\/|case \d+:).*$/gm, '')
    .matchAll(/\bcases? (\d+(?:(?:,| and|, case| and case) \d+)*)[:\]]/g);
  return [...titles].flatMap(([, numbers = '']) => (numbers.match(/\d+/g) ?? []).map(Number));
}

it('each hard case of the guard is a test that is named after it, or is one of several machines', () => {
  const files = ['src', 'test']
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, String(name))),
    )
    .filter((name) => name.endsWith('.test.ts'));
  const found = new Set(files.flatMap((file) => named(readFileSync(join(root, file), 'utf8'))));
  for (const [number, why] of Object.entries(SEVERAL_MACHINES))
    console.info(`LEFT OUT: case ${number} of the guard needs several machines: ${why}.`);
  expect(CASES.filter((number) => !found.has(number) && !(number in SEVERAL_MACHINES))).toEqual([]);
  expect(Object.keys(SEVERAL_MACHINES).filter((number) => found.has(Number(number)))).toEqual([]);
});
