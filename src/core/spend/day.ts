import { DAY_MS } from '../duration.ts';

/** A day of a time zone. */
export interface Day {
  /** `2026-11-25`. */
  readonly name: string;
  /** Its first ms, and the first of the next day, since 1970: 23, 24 or 25 hours, and what else zones have. */
  readonly from: number;
  readonly until: number;
}

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

const formats = new Map<string, Intl.DateTimeFormat>();
/** The day that was asked for last, by zone: nearly every call asks for the same. */
const last = new Map<string, Day>();

/** Whether the machine knows a time zone of that name. */
export function isTimeZone(zone: string): boolean {
  try {
    return formatOf(zone) !== undefined;
  } catch {
    return false;
  }
}

/** The day that a moment belongs to. @param at in ms since 1970 @throws RangeError for a zone that there is not */
export function dayAt(at: number, zone: string): Day {
  const known = last.get(zone);
  if (known !== undefined && at >= known.from && at < known.until) return known;
  const day = zone === 'UTC' ? utcDay(at) : dayIn(at, zone);
  last.set(zone, day);
  return day;
}

/** Nearly every profile's, without a calendar. */
function utcDay(at: number): Day {
  const from = Math.floor(at / DAY_MS) * DAY_MS;
  return { name: new Date(from).toISOString().slice(0, 10), from, until: from + DAY_MS };
}

function dayIn(at: number, zone: string): Day {
  const name = nameAt(at, zone);
  return { name, from: edge(at, -1, name, zone), until: edge(at, 1, name, zone) };
}

/** The first moment of a day, or of the one after it: zones change by whole minutes. */
function edge(at: number, direction: 1 | -1, name: string, zone: string): number {
  const isInside = (moment: number) => nameAt(moment, zone) === name;
  const step = direction * HOUR_MS;
  let hour = Math.floor(at / HOUR_MS) * HOUR_MS;
  if (!isInside(hour)) hour += HOUR_MS;
  if (!isInside(hour)) hour = Math.floor(at / MINUTE_MS) * MINUTE_MS;
  while (isInside(hour + step)) hour += step;
  let minute = hour;
  while (isInside(minute + direction * MINUTE_MS)) minute += direction * MINUTE_MS;
  return direction === 1 ? minute + MINUTE_MS : minute;
}

function nameAt(at: number, zone: string): string {
  const parts = formatOf(zone).formatToParts(at);
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? '';
  return `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}`;
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'iso8601',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  });
  formats.set(zone, made);
  return made;
}
