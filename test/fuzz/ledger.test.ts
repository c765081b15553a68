import { describe, it } from 'vitest';
import { Ledger } from '../../src/core/spend/ledger.ts';
import { Chance, SEED } from './chance.ts';

const HISTORIES = 100_000;
const OBJECTS = ['pi_1', 'pi_2', undefined, undefined] as const;
const COUNTERS = ['run', 'day 1', 'day 2'] as const;

/** A call as the naive model keeps it: the most that it can move, and what it moves at Stripe. */
interface Call {
  readonly id: string;
  readonly totalOf: string | undefined;
  readonly most: number;
  /** Undefined: Stripe does not carry it out. */
  readonly moves: number | undefined;
  state: 'open' | 'settled' | 'released';
}

/** By the book: all of a call counts, except that of the totals of one object only the largest does. */
function sum(calls: readonly Call[], amountOf: (call: Call) => number): number {
  const groups = new Map<string, number>();
  for (const call of calls) {
    const group = call.totalOf ?? call.id;
    groups.set(group, Math.max(groups.get(group) ?? 0, amountOf(call)));
  }
  return [...groups.values()].reduce((total, amount) => total + amount, 0);
}

function canHaveMoved({ state, most, moves = 0 }: Call): number {
  if (state === 'open') return most;
  return state === 'settled' ? moves : 0;
}

/** One history: calls that run over each other, some of which Stripe carries out in full, in part, or not at all. */
function play(chance: Chance): void {
  const cap = chance.upTo(300);
  const ledger = new Ledger();
  const calls: Call[] = [];
  const end = (call: Call) => {
    if (call.moves === undefined) ledger.release(call.id);
    else holds(ledger.settle(call.id, call.moves).overrun === 0, 'no overrun');
    call.state = call.moves === undefined ? 'released' : 'settled';
  };
  for (let step = 0; step < 12; step++) {
    const open = calls.filter(({ state }) => state === 'open');
    if (open.length > 0 && chance.is(0.4)) end(chance.of(open));
    else if (calls.length > 0 && chance.is(0.1)) endAgain(ledger, chance.of(calls));
    else reserve(ledger, calls, cap, callOf(`r${step}`, chance), chance.of(COUNTERS));
    const counted = ledger.used('all');
    holds(counted === sum(calls, canHaveMoved), 'counted is what can have moved');
    holds(counted <= cap, 'no cap is passed');
    holds(sum(calls, ({ moves = 0 }) => moves) <= counted, 'counted is at least what moved');
  }
  for (const call of calls) if (call.state === 'open') end(call);
  const moved = sum(calls, ({ moves = 0 }) => moves);
  holds(ledger.used('all') === moved, 'counted is what moved once all is settled');
  const parts = COUNTERS.reduce((total, counter) => total + ledger.used(counter), 0);
  holds(parts === moved, 'what was taken from a window went back to that window');
}

function callOf(id: string, chance: Chance): Call {
  const most = chance.upTo(120);
  const moves = chance.is(0.4) ? undefined : chance.is(0.7) ? most : chance.upTo(most + 1);
  return { id, totalOf: chance.of(OBJECTS), most, moves, state: 'open' };
}

function reserve(ledger: Ledger, calls: Call[], cap: number, call: Call, window: string): void {
  const before = ledger.used('all');
  const takes = [
    { counter: 'all', cap },
    { counter: window, cap: 10_000 },
  ];
  const { id, most, totalOf } = call;
  const { reserved } = ledger.reserve({ id, amount: most, totalOf, takes });
  const fits = sum([...calls, call], canHaveMoved) <= cap;
  holds(reserved === fits, 'what fits is let through, and nothing else');
  if (reserved) calls.push(call);
  else holds(ledger.used('all') === before, 'a refusal takes nothing');
}

/** What ended once cannot end again, whichever way. */
function endAgain(ledger: Ledger, { id, state }: Call): void {
  if (state === 'open') return;
  ledger.release(id);
  if (state === 'settled') ledger.settle(id, 7);
}

/** As `expect`, which is too slow for a million times. */
function holds(is: boolean, sentence: string): void {
  if (!is) throw new Error(`does not hold: ${sentence}`);
}

describe('the ledger', () => {
  it(`counts what can have moved, at every moment of ${HISTORIES} histories`, () => {
    const chance = new Chance(SEED);
    for (let history = 0; history < HISTORIES; history++) play(chance);
  });
});
