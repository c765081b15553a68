import { describe, it } from 'vitest';
import type { Cap } from '../../src/core/spend/cap.ts';
import type { LogEvent } from '../../src/core/spend/log-row.ts';
import { type BookState, SpendBook } from '../../src/core/spend/spend-book.ts';
import { Chance, SEED } from './chance.ts';

const HISTORIES = 5_000;
const DAY = 86_400_000;
const RUNS = ['run_a', 'run_b'] as const;
const CHARGES = ['ch_1', 'ch_2', 'ch_3'] as const;

/** A call as the naive model keeps it: what it can have moved, or has, and when that may have happened. */
interface Call {
  readonly id: string;
  readonly run: string;
  readonly charge: string;
  readonly at: number;
  readonly day: string;
  /** In minor units. */
  counted: number;
  state: 'open' | 'settled' | 'released';
  settledAt: number;
  isPending: boolean;
}

/** One history of refunds: settled in full or in part, released, held, reconciled, given back, over several days. */
function play(chance: Chance): void {
  const size = () => (chance.upTo(12) + 1) * 10;
  const caps: readonly Cap[] = [
    { per: 'call', amounts: [usd(80)], of: [] },
    { per: 'run', amounts: [usd(size() * 2)], calls: 6, of: [] },
    { per: 'day', amounts: [usd(size() * 2)], of: ['refunds.create'] },
    { per: '24h', amounts: [usd(size() * 3)], of: ['out'] },
    { per: 'charge', amounts: [usd(size() * 2)], of: [] },
  ];
  const book = new SpendBook();
  const log: { event: LogEvent; at: number }[] = [];
  const calls: Call[] = [];
  let now = Date.parse('2026-11-25T20:00:00Z');
  const happen = (event: LogEvent) => {
    book.apply(event, now);
    log.push({ event, at: now });
  };
  for (const run of RUNS) {
    happen({
      kind: 'issue',
      run,
      profile: 'p',
      scope: 's',
      key: run,
      issuedAt: now,
      expiresAt: now + 90 * DAY,
    });
  }
  for (let step = 0; step < 25; step++) {
    now += chance.is(0.2) ? chance.upTo(DAY) : chance.upTo(60_000);
    const open = calls.filter(({ state }) => state === 'open');
    const pending = calls.filter(({ state, isPending }) => state === 'settled' && isPending);
    if (open.length > 0 && chance.is(0.45)) end(chance.of(open), chance, now, happen);
    else if (pending.length > 0 && chance.is(0.3)) {
      const call = chance.of(pending);
      happen({ kind: 'reconcile', reservation: call.id, outcome: 'given-back', evidence: 're_1 failed' });
      // The call was made all the same.
      Object.assign(call, { counted: 0, isPending: false });
    } else {
      const amount = chance.upTo(100);
      const call = { run: chance.of(RUNS), charge: chance.of(CHARGES), id: `r${step}`, at: now };
      const result = book.reserve({
        call: { run: call.run, profile: 'p', method: 'POST', operation: 'refunds.create' },
        scope: 's',
        reservation: call.id,
        direction: 'out',
        amount,
        currency: 'usd',
        objects: { charge: call.charge, object: call.charge, customer: null, account: null },
        caps,
        zone: 'UTC',
        unpriced: 0,
        now,
      });
      const made: Call = {
        ...call,
        day: new Date(now).toISOString().slice(0, 10),
        counted: amount,
        state: 'open',
        settledAt: 0,
        isPending: false,
      };
      holds(
        'event' in result === fits(caps, [...calls, made], made, now),
        'what fits is let through, exactly',
      );
      if ('event' in result) {
        log.push({ event: result.event, at: now });
        calls.push(made);
      }
    }
  }
  const again = new SpendBook();
  for (const { event, at } of log) again.apply(JSON.parse(JSON.stringify(event)) as LogEvent, at);
  for (const one of [book, again]) one.apply({ kind: 'stop' }, now);
  const text = (of: SpendBook) => JSON.stringify([...of.counters()].sort());
  holds(text(again) === text(book), 'the fold of the log is the state');
  holds(again.open.size === book.open.size, 'what is open is open after a restart');
  if (chance.is(0.2)) goOnFrom(log, chance.upTo(log.length + 1), now, again);
}

/** Whoever goes on from a state that was written down comes to the same, down to what is not counted. */
function goOnFrom(
  log: readonly { event: LogEvent; at: number }[],
  cut: number,
  now: number,
  whole: SpendBook,
) {
  const before = new SpendBook();
  for (const { event, at } of log.slice(0, cut)) before.apply(event, at);
  const after = new SpendBook(JSON.parse(JSON.stringify(before.state())) as BookState);
  for (const { event, at } of log.slice(cut)) after.apply(event, at);
  after.apply({ kind: 'stop' }, now);
  const text = (of: SpendBook) => JSON.stringify(of.state());
  holds(text(after) === text(whole), 'a state that was written down is gone on from');
}

function end(call: Call, chance: Chance, now: number, happen: (event: LogEvent) => void): void {
  const reservation = call.id;
  if (chance.is(0.2)) {
    happen({ kind: 'hold', reservation, why: 'no answer' });
    return;
  }
  if (chance.is(0.3)) {
    happen({ kind: 'release', reservation, why: 'declined' });
    Object.assign(call, { state: 'released', counted: 0 });
    return;
  }
  const amount = chance.is(0.7) ? call.counted : chance.upTo(call.counted + 1);
  const isPending = chance.is(0.3);
  happen({ kind: 'settle', reservation, amount, isPending });
  Object.assign(call, { state: 'settled', counted: amount, settledAt: now, isPending });
}

/** By the book: each cap by itself, over all calls that it counts. */
function fits(caps: readonly Cap[], all: readonly Call[], made: Call, now: number): boolean {
  return caps.every((cap) => {
    const most = cap.amounts[0]?.minor ?? 0;
    const counted = all.filter((call) => isCountedWith(cap, call, made, now));
    const live = counted.filter(({ state }) => state !== 'released');
    if (cap.calls !== undefined && live.length > cap.calls) return false;
    // A refund of nothing takes nothing, also from a counter that is over its cap.
    return made.counted === 0 || live.reduce((sum, call) => sum + call.counted, 0) <= most;
  });
}

function isCountedWith(cap: Cap, call: Call, made: Call, now: number): boolean {
  switch (cap.per) {
    case 'call':
      return call === made;
    case 'run':
      return call.run === made.run;
    case 'day':
      return call.day === made.day;
    case '24h': {
      // A day after it was settled, to the end of that minute.
      const end = Math.ceil((call.settledAt + DAY) / 60_000) * 60_000;
      return call.state !== 'settled' || Math.floor(now / 60_000) * 60_000 < end;
    }
    default:
      return call.charge === made.charge;
  }
}

function usd(minor: number) {
  return { minor, currency: 'usd' };
}

/** As `expect`, which is too slow for a million times. */
function holds(is: boolean, sentence: string): void {
  if (!is) throw new Error(`does not hold: ${sentence}`);
}

describe('the book of what is spent', () => {
  it(`lets through exactly what fits each cap, in ${HISTORIES} histories, and is the fold of its log`, () => {
    const chance = new Chance(SEED);
    for (let history = 0; history < HISTORIES; history++) play(chance);
  });
});
