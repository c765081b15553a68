import { KeyauditError } from './error.ts';

const UNITS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** `90d`, `12h`, `30m`, `45s`, `2w` → ms. @throws KeyauditError `USAGE` */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([smhdw])$/.exec(text.trim());
  const ms = Number(match?.[1]) * (UNITS[match?.[2] ?? ''] ?? Number.NaN);
  if (Number.isFinite(ms) && ms > 0) return ms;
  throw new KeyauditError('USAGE', `"${text}" is not a duration.`, {
    hint: 'Write a number and s, m, h, d or w, such as 90d.',
  });
}
