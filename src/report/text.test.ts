import { expect, it } from 'vitest';
import { wrap } from './text.ts';

it.each([
  ['words', 'one two three four five six seven eight nine ten', [39, 8]],
  ['East Asian text, which takes two columns a character', '東京の返金係'.repeat(6), [20, 16]],
  ['both', `${'東京'.repeat(9)} and some words after it`, [22, 19]],
  ['a long name, which is never cut', 'x'.repeat(60), [60]],
])('%s fit into 40 columns', (_name, text, lengths) => {
  const lines = wrap(text, { columns: 40 }).trimEnd().split('\n');
  expect(lines.map((line) => line.length)).toEqual(lengths);
  expect(lines.join('').replace(/ /g, '')).toBe(text.replace(/ /g, ''));
});
