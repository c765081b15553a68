import { expect, test } from 'vitest';
import { readSwitch } from './switch.ts';

test.each([
  ...['true', 'yes', 'on', '1', 'TRUE', ' On ', 'Yes\n'].map((text) => [text, true] as const),
  ...['false', 'no', 'off', '0', '', '  ', 'FALSE', 'Off'].map((text) => [text, false] as const),
  ...['nope', 'enabled', 'y', '2', 'truee', 'on off', '-1', 'null', '１'].map(
    (text) => [text, undefined] as const,
  ),
])('%j', (text, is) => {
  expect(readSwitch(text)).toBe(is);
});
