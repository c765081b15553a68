import { expect, test } from 'vitest';
import { withPlace } from './next-command.ts';

const PLACE = ['--target', 'stripe', '--live'];

test.each([
  ['Make one with "keyaudit provision a".', 'Make one with "keyaudit provision a --target stripe --live".'],
  [
    '"keyaudit exec a -- node x.js" lends it',
    '"keyaudit exec a --target stripe --live -- node x.js" lends it',
  ],
  ['say "keyaudit verify --target sandbox"', 'say "keyaudit verify --target sandbox"'],
  ['"keyaudit plan a" and "keyaudit keys list"', '"keyaudit plan a" and "keyaudit keys list"'],
  ['"keyaudit keys clean-up"', '"keyaudit keys clean-up --target stripe --live"'],
  [
    'two: "keyaudit lock" "keyaudit rotate a"',
    'two: "keyaudit lock --target stripe --live" "keyaudit rotate a --target stripe --live"',
  ],
  ['keyaudit.verify/1 and keyaudit verify', 'keyaudit.verify/1 and keyaudit verify'],
])('%s', (text, said) => {
  expect(withPlace(text, PLACE)).toBe(said);
  expect(withPlace(text, [])).toBe(text);
});
