import { describe, expect, it } from 'vitest';
import { dayAt, isTimeZone } from './day.ts';

const HOUR = 3_600_000;

describe('dayAt', () => {
  it.each<[string, string, string, number]>([
    ['2026-11-25T23:59:59.999Z', 'UTC', '2026-11-25', 24],
    ['2026-11-26T00:00:00.000Z', 'UTC', '2026-11-26', 24],
    ['2026-03-29T12:00:00Z', 'Europe/Berlin', '2026-03-29', 23],
    ['2026-10-25T12:00:00Z', 'Europe/Berlin', '2026-10-25', 25],
    ['2026-10-25T22:59:59Z', 'Europe/Berlin', '2026-10-25', 25],
    ['2026-10-25T23:00:00Z', 'Europe/Berlin', '2026-10-26', 24],
    ['2026-03-08T07:00:00Z', 'America/Los_Angeles', '2026-03-07', 24],
    ['2026-03-08T20:00:00Z', 'America/Los_Angeles', '2026-03-08', 23],
    ['2026-04-05T02:00:00Z', 'Australia/Lord_Howe', '2026-04-05', 24.5],
    ['2026-11-25T18:14:59Z', 'Asia/Kathmandu', '2026-11-25', 24],
    ['2026-11-25T18:15:00Z', 'Asia/Kathmandu', '2026-11-26', 24],
  ])('%s in %s is %s, of %d hours', (at, zone, name, hours) => {
    const day = dayAt(Date.parse(at), zone);
    expect(day.name).toBe(name);
    expect((day.until - day.from) / HOUR).toBe(hours);
    expect([dayAt(day.from, zone).name, dayAt(day.until - 1, zone).name]).toEqual([name, name]);
    expect(dayAt(day.until, zone).name).not.toBe(name);
  });

  it('knows which zones there are', () => {
    expect(['UTC', 'Europe/Berlin', 'Mars/Olympus', ''].map(isTimeZone)).toEqual([true, true, false, false]);
  });
});
