import { DAY_MS } from '../duration.ts';
import type { Ledger } from './ledger.ts';
import type { ReserveEvent } from './log-row.ts';

/** Amounts leave a rolling window by the minute, never early. */
const MINUTE_MS = 60_000;

interface Passing {
  readonly at: number;
  readonly id: string;
  readonly counters: readonly string[];
}

/** All that the windows hold, as JSON. */
export interface WindowsState {
  readonly minute: number;
  readonly minutes: readonly (readonly [
    end: number,
    leaving: readonly (readonly [counter: string, amount: number])[],
  ])[];
  readonly passing: readonly Passing[];
}

/**
 * The windows of 24 hours. What was reserved stays in its window until a day after it was settled, since in between
 * Stripe can have carried it out at any moment; what is open stays.
 */
export class RollingWindows {
  readonly #ledger: Ledger;
  /** What leaves a counter at the end of a minute, by minute. */
  readonly #minutes = new Map<number, Map<string, number>>();
  /** Calls on objects with totals, oldest first. */
  #passing: Passing[] = [];
  #from = 0;
  #minute = 0;

  /** @param state as `state` gave it */
  constructor(ledger: Ledger, state: WindowsState = { minute: 0, minutes: [], passing: [] }) {
    this.#ledger = ledger;
    this.#minute = state.minute;
    this.#passing = [...state.passing];
    for (const [end, leaving] of state.minutes) this.#minutes.set(end, new Map(leaving));
  }

  state(): WindowsState {
    return {
      minute: this.#minute,
      minutes: [...this.#minutes].map(([end, leaving]) => [end, [...leaving]] as const),
      passing: this.#passing.slice(this.#from),
    };
  }

  /** A call was settled: what needs no memory any more is forgotten, and leaves its windows in time. */
  settled(id: string, { event, isTotal, at }: { event: ReserveEvent; isTotal: boolean; at: number }): void {
    const rolling = event.rolling ?? [];
    if (isTotal) {
      if (rolling.length > 0) this.#passing.push({ at: at + DAY_MS, id, counters: rolling });
      return;
    }
    for (const share of this.#ledger.forget(id)) {
      for (const counter of share.counters) {
        if (rolling.includes(counter)) this.#leaves(counter, share.amount, at);
      }
    }
  }

  /** Money came back: every window that still counts it counts it no more. @param at when it was settled */
  giveBack(event: ReserveEvent, amount: number, at: number): void {
    for (const { counter } of event.takes) {
      if (event.rolling?.includes(counter) === true) {
        const minute = this.#minutes.get(minuteAfter(at));
        const there = minute?.get(counter) ?? 0;
        const part = Math.min(there, amount);
        if (part === 0) continue;
        minute?.set(counter, there - part);
        this.#ledger.pass(counter, part);
      } else this.#ledger.pass(counter, Math.min(amount, this.#ledger.used(counter)));
    }
  }

  /** Time has come to this moment, in ms since 1970. */
  advance(now: number): void {
    const minute = Math.floor(now / MINUTE_MS);
    if (minute <= this.#minute) return;
    this.#minute = minute;
    for (const [end, counters] of this.#minutes) {
      if (end > minute) continue;
      for (const [counter, amount] of counters) this.#ledger.pass(counter, amount);
      this.#minutes.delete(end);
    }
    for (; this.#from < this.#passing.length; this.#from++) {
      const next = this.#passing[this.#from];
      if (next === undefined || next.at > now) break;
      // A later call on the same object has an entry of its own.
      if (this.#ledger.isSettled(next.id)) {
        for (const counter of next.counters) this.#ledger.passOver(next.id, counter);
      } else this.#passing.push({ ...next, at: now + DAY_MS });
    }
    if (this.#from > 10_000) {
      this.#passing = this.#passing.slice(this.#from);
      this.#from = 0;
    }
  }

  #leaves(counter: string, amount: number, at: number): void {
    const end = minuteAfter(at);
    const counters = this.#minutes.get(end) ?? new Map<string, number>();
    counters.set(counter, (counters.get(counter) ?? 0) + amount);
    this.#minutes.set(end, counters);
  }
}

/** The first minute that begins a full day after a moment. */
function minuteAfter(at: number): number {
  return Math.ceil((at + DAY_MS) / MINUTE_MS);
}
