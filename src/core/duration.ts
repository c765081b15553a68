import { KeyauditError } from './error.ts';

const SECOND_MS = 1_000;
export const DAY_MS = 86_400_000;
const UNITS = {
  ms: 1,
  s: SECOND_MS,
  m: 60 * SECOND_MS,
  h: 3_600 * SECOND_MS,
  d: DAY_MS,
  w: 7 * DAY_MS,
} as const;

/** Nothing here is planned for longer, and a date so far away is one that every clock can hold. */
const LONGEST_MS = 10 * 365 * DAY_MS;

/** The longest that a timer of Node can wait, some 24 days; a longer one would end at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** `90d`, `12h`, `30m`, `45s`, `500ms`, `2w`, `1.5h` → whole ms, up; undefined for what is none, nothing, or above ten years. */
export function durationMs(text: string): number | undefined {
  const match = /^(\d{1,9}(?:\.\d{1,9})?) ?(ms|[smhdw])$/.exec(text.trim());
  if (match === null) return undefined;
  const ms = Math.ceil(Number(match[1]) * UNITS[match[2] as keyof typeof UNITS]);
  return ms > 0 && ms <= LONGEST_MS ? ms : undefined;
}

/** `90d`, `12h`, `30m`, `45s`, `2w` → ms. @throws KeyauditError `USAGE` */
export function parseDuration(text: string): number {
  const ms = durationMs(text);
  if (ms !== undefined) return ms;
  throw new KeyauditError('USAGE', `"${text}" is not a duration.`, {
    hint: 'Write a number and ms, s, m, h, d or w, such as 90d; at most ten years.',
  });
}

/** `8h`, `90m`, `1500ms`: a duration in the largest unit that it is a whole number of. */
export function durationText(ms: number): string {
  const [unit, size] = (['d', 'h', 'm', 's'] as const)
    .map((name) => [name, UNITS[name]] as const)
    .find(([, length]) => ms % length === 0) ?? ['ms', 1];
  return `${ms / size}${unit}`;
}
