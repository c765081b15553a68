import { expect, test } from 'vitest';
import { durationMs, parseDuration } from './duration.ts';

test.each([
  ['500ms', 500],
  ['0.5 ms', 1],
  ['25d', 2_160_000_000],
  ['45s', 45_000],
  ['30m', 1_800_000],
  ['1.5h', 5_400_000],
  ['90d', 7_776_000_000],
  ['2w', 1_209_600_000],
  [' 3650d ', 315_360_000_000],
  ['3651d', undefined],
  ['999999999w', undefined],
  ['1e3d', undefined],
  ['0s', undefined],
  ['-1d', undefined],
  ['90', undefined],
  ['d', undefined],
  ['', undefined],
  ['90 days', undefined],
  [`${'9'.repeat(400)}d`, undefined],
])('%s', (text, ms) => {
  expect(durationMs(text)).toBe(ms);
  if (ms === undefined) expect(() => parseDuration(text)).toThrow('is not a duration');
});
