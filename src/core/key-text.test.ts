import { expect, test } from 'vitest';
import { SecretKey } from './secret-key.ts';

const KEY = 'rk_test_51AbCdEf0123456789';

test.each([
  ['quotes', `"${KEY}"`, /holds quotes around the key/],
  ['single quotes', `'${KEY}'`, /holds quotes/],
  ['typographic quotes', `\u201c${KEY}\u201d`, /holds quotes/],
  ['a quote at one end', `${KEY}"`, /holds quotes/],
  ['a header', `Bearer ${KEY}`, /holds a header/],
  ['a whole header', `Authorization: Bearer ${KEY}`, /holds a header/],
  ['a line of an env file', `STRIPE_KEY=${KEY}`, /holds a whole line NAME=/],
  ['a line of a shell', `export STRIPE_KEY="${KEY}"`, /holds a whole line NAME=/],
  ['a zero-width space', `${KEY}\u200b`, /holds an invisible character/],
  ['a byte order mark', `x\ufeff${KEY}`, /holds an invisible character/],
  ['a line break within', `${KEY.slice(0, 12)}\n${KEY.slice(12)}`, /holds blanks or line breaks within/],
  ['two keys', `${KEY} ${KEY}`, /holds blanks/],
  ['an ellipsis', 'rk_test_…', /holds a masked key/],
  ['what the Dashboard shows', 'rk_live_...wXyZ', /holds a masked key/],
  ['stars', 'rk_test_************wXyZ', /holds a masked key/],
  ['an escaped line break', `${KEY}\\n`, /holds a backslash/],
  ['a full stop after it', `${KEY}.`, /holds characters that no key has/],
  ['a comma after it', `${KEY},`, /holds characters that no key has/],
  ['far too much', 'x'.repeat(5_000), /holds 5000 characters/],
])('%s: the variable and the cause are named', (_name, text, message) => {
  expect(() => SecretKey.of(text, 'The variable STRIPE_KEY')).toThrow(message);
  expect(() => SecretKey.of(text, 'The variable STRIPE_KEY')).toThrow(/^The variable STRIPE_KEY/);
});

test.each([KEY, ` ${KEY}\n`, `${KEY}\r\n`, `\ufeff${KEY}`])('%j is a key', (text) => {
  expect(SecretKey.of(text).reveal()).toBe(KEY);
});

test.each([`${KEY}\n`, ` ${KEY}`, `${KEY} `, `\t${KEY}\r\n`])('%j in a variable is refused', (text) => {
  expect(() => SecretKey.ofVariable('STRIPE_KEY', text)).toThrow(
    /^The variable STRIPE_KEY holds (?:blanks|a line break) beside the key/,
  );
});

test('a key that is refused is a secret all the same', () => {
  const told: string[] = [];
  SecretKey.onCreate((secret) => told.push(secret));
  for (const [at, text] of [`"${KEY}A"`, `K=${KEY}B`, `Bearer ${KEY}C`, `${KEY}D\u200b`].entries()) {
    expect(() => SecretKey.of(text)).toThrow();
    expect(told).toContain(`${KEY}${'ABCD'[at]}`);
  }
});
