import type { Cap } from './cap.ts';
import { type CountedTake, type Takes, takesOf } from './counters.ts';
import { dayAt } from './day.ts';
import type { LedgerState } from './ledger/exposure-taken.ts';
import type { KnownKey, OpenReservation, PendingReservation } from './ledger/reservation.ts';
import { Ledger } from './ledger.ts';
import type { LogEvent, ReconcileEvent, ReserveEvent, RowTake, SettleEvent } from './log-row.ts';
import type { NotReserved, ReserveRequest } from './reserve-request.ts';
import { RollingWindows, type WindowsState } from './rolling-windows.ts';
import { Runs, type RunsState } from './runs.ts';

/** A book as JSON. */
export interface BookState {
  readonly ledger: LedgerState;
  readonly runs: RunsState;
  readonly windows: WindowsState;
  readonly open: readonly (readonly [id: string, reservation: OpenReservation])[];
  readonly pending: readonly (readonly [id: string, reservation: PendingReservation])[];
  readonly keys: readonly (readonly [digest: string, known: KnownKey])[];
  readonly repeats: readonly (readonly [roll: string, known: readonly (readonly [string, string])[]])[];
  readonly lastTime: number;
}

/** Settled keys beyond these are forgotten, oldest first: a call with one is then reserved anew, and released if it is a replay. */
const MOST_KEYS = 50_000;

/**
 * All that the guard counts, as a fold over its log: what happened is applied, whether it happens now or is read back
 * after a restart. At every moment counted is at least what Stripe can have moved.
 */
export class SpendBook {
  readonly ledger: Ledger;
  readonly runs: Runs;
  readonly open: Map<string, OpenReservation>;
  readonly pending: Map<string, PendingReservation>;
  readonly #windows: RollingWindows;
  readonly #keys: Map<string, KnownKey>;
  /** Reservations by run and roll, by their digest of operation, object and amount. */
  readonly #repeats = new Map<string, Map<string, string>>();
  #lastTime: number;

  /** @param state as `state` gave it, also by way of JSON */
  constructor(state?: BookState) {
    this.ledger = new Ledger(state?.ledger);
    this.runs = new Runs(state?.runs);
    this.#windows = new RollingWindows(this.ledger, state?.windows);
    this.open = new Map(state?.open.map(([id, reservation]) => [id, { ...reservation }]));
    this.pending = new Map(state?.pending);
    this.#keys = new Map(state?.keys);
    for (const [roll, known] of state?.repeats ?? []) this.#repeats.set(roll, new Map(known));
    this.#lastTime = state?.lastTime ?? 0;
  }

  /** All that is counted and known, to go on from: what happens later comes to the same as in this book. */
  state(): BookState {
    return {
      ledger: this.ledger.state(),
      runs: this.runs.state(),
      windows: this.#windows.state(),
      open: [...this.open],
      pending: [...this.pending],
      keys: [...this.#keys],
      repeats: [...this.#repeats].map(([roll, known]) => [roll, [...known]]),
      lastTime: this.#lastTime,
    };
  }

  /** The latest moment that anything happened at, in ms since 1970. */
  get lastTime(): number {
    return this.#lastTime;
  }

  /** What an idempotency key stands for; undefined for one that is not known, or whose call was released. */
  key(digest: string): KnownKey | undefined {
    return this.#keys.get(digest);
  }

  /** Reserves, or says why not; takes from all counters or from none. What is returned is applied already. */
  reserve(request: ReserveRequest): { readonly event: ReserveEvent } | { readonly refused: NotReserved } {
    const { call, scope, reservation, direction, currency, objects, now } = request;
    this.advance(now);
    const state = this.runs.stateOf(call.run, now);
    if (state !== 'live') return { refused: { why: state === 'killed' ? 'killed' : 'ended' } };
    const { roll, repeats } = this.runs.placeOf(call.run, now);
    const repeat = repeats.includes(call.operation) ? undefined : request.repeat;
    if (repeat !== undefined && this.#repeats.get(roll)?.has(repeat)) return { refused: { why: 'repeated' } };
    const takes = this.#takesOf(request, roll);
    if (takes.unknown !== undefined) return { refused: { why: 'unknown-object', per: takes.unknown } };
    if (currency !== undefined && !takes.isCapped) return { refused: { why: 'not-capped', currency } };
    const amount = request.isRest === true ? this.#restOf(takes) : request.amount;
    const totalOf = request.totalOf === 'new' ? `new ${reservation}` : request.totalOf;
    const taken = this.#take({ ...request, amount, totalOf }, takes);
    if ('refused' in taken) return taken;
    const rolling = [...takes.amounts, ...takes.calls].filter((take) => take.rolls);
    const event: ReserveEvent = {
      kind: 'reserve',
      ...call,
      reservation,
      scope,
      amount,
      currency,
      direction,
      totalOf,
      object: objects.object,
      takes: taken.amounts,
      calls: taken.calls,
      rolling: rolling.length === 0 ? undefined : rolling.map(({ counter }) => counter),
      key: request.key,
      content: request.content,
      repeat: repeat === undefined ? undefined : `${roll} ${repeat}`,
    };
    this.#track(event, now);
    return { event };
  }

  /** Takes in what happened. @param at in ms since 1970 @throws RangeError for what cannot have happened */
  apply(event: LogEvent, at: number): void {
    this.advance(at);
    switch (event.kind) {
      case 'reserve':
        this.#reserved(event, at);
        break;
      case 'settle':
        this.#settled(event, at);
        break;
      case 'release':
        this.#released(event.reservation);
        break;
      case 'hold': {
        const held = this.open.get(event.reservation);
        if (held?.state === 'held') held.heldAt = at;
        if (held !== undefined) held.state = 'held';
        break;
      }
      case 'reconcile':
        this.#reconciled(event, at);
        break;
      default:
        this.runs.apply(event);
    }
  }

  /** What is counted on every counter that is not at zero. */
  counters(): ReadonlyMap<string, number> {
    return this.ledger.counters();
  }

  /** Time has come to this moment, in ms since 1970: what windows have passed over counts no further. */
  advance(at: number): void {
    this.#lastTime = Math.max(this.#lastTime, at);
    this.#windows.advance(this.#lastTime);
  }

  #takesOf(
    { caps, call, direction, currency, objects, scope, unpriced, zone, now }: ReserveRequest,
    roll: string,
  ): Takes {
    const { caps: own } = this.runs.placeOf(call.run, now);
    const ownCaps: readonly Cap[] = own.length === 0 ? [] : [{ per: 'run', amounts: own, of: [] }];
    const takes = takesOf(
      [...caps, ...ownCaps],
      { operation: call.operation, direction, currency, objects },
      { scope, run: roll, day: dayAt(now, zone) },
    );
    if (currency !== undefined) return takes;
    const of: Cap = { per: 'run', amounts: [], of: [call.operation] };
    const byName = { counter: `${scope} unpriced run ${roll} calls`, cap: unpriced, of, rolls: false };
    return { ...takes, calls: [...takes.calls, byName] };
  }

  /** All that is left of the tightest cap. */
  #restOf({ amounts, largest }: Takes): number {
    const left = amounts.map(({ counter, cap }) => cap - this.ledger.used(counter));
    return Math.max(0, Math.min(...left, largest?.amount ?? Number.MAX_SAFE_INTEGER));
  }

  /** Takes an amount and a call from all counters, or from none. */
  #take(
    { reservation, amount, totalOf, scope, zone, now }: ReserveRequest,
    { amounts, calls, largest }: Takes,
  ):
    | { readonly amounts: readonly RowTake[]; readonly calls: readonly RowTake[] }
    | { readonly refused: NotReserved } {
    const until = ({ per }: Pick<Cap, 'per'>) => (per === 'day' ? dayAt(now, zone).until : undefined);
    if (largest !== undefined && amount !== undefined && amount > largest.amount) {
      const { cap, amount: of } = largest;
      return { refused: { why: 'cap', cap, unit: 'amount', asked: amount, left: of, of } };
    }
    const full = calls.find(({ counter, cap }) => this.ledger.used(counter) >= cap);
    if (full !== undefined) {
      const { of: cap, cap: of } = full;
      return { refused: { why: 'cap', cap, unit: 'calls', asked: 1, left: 0, of, until: until(cap) } };
    }
    const before = amounts.map(({ counter }) => this.ledger.used(counter));
    if (amount !== undefined) {
      const total = totalOf === undefined ? {} : { totalOf: `${scope} ${totalOf}` };
      const taken = this.ledger.reserve({ id: reservation, amount, ...total, takes: amounts });
      if (!taken.reserved) {
        const short = amounts.find(({ counter }) => counter === taken.counter);
        const cap = short?.of ?? { per: 'run', of: [] };
        const { asked, left } = taken;
        return {
          refused: { why: 'cap', cap, unit: 'amount', asked, left, of: short?.cap ?? 0, until: until(cap) },
        };
      }
    }
    const beforeCalls = calls.map(({ counter }) => this.ledger.used(counter));
    this.#takeCalls(reservation, calls);
    const rows = (list: readonly CountedTake[], had: readonly number[]): RowTake[] =>
      list.map(({ counter, cap }, at) => ({
        counter,
        cap,
        before: had[at] ?? 0,
        after: this.ledger.used(counter),
      }));
    return { amounts: rows(amounts, before), calls: rows(calls, beforeCalls) };
  }

  #takeCalls(reservation: string, calls: readonly { readonly counter: string }[]): void {
    if (calls.length === 0) return;
    const counters = calls.map(({ counter }) => counter);
    this.ledger.count({ id: `${reservation} calls`, amount: 1, counters });
  }

  /** What a row says was reserved: the caps were asked when it was let through, and are not asked again. */
  #reserved(event: ReserveEvent, at: number): void {
    const { reservation, amount, scope, totalOf, takes, calls } = event;
    if (amount !== undefined) {
      const total = totalOf === undefined ? undefined : `${scope} ${totalOf}`;
      const counters = takes.map(({ counter }) => counter);
      this.ledger.count({ id: reservation, amount, totalOf: total, counters });
    }
    this.#takeCalls(reservation, calls);
    this.#track(event, at);
  }

  #track(event: ReserveEvent, at: number): void {
    const { reservation, key, content, repeat, profile } = event;
    this.open.set(reservation, { event, at, state: 'open' });
    if (key !== undefined && content !== undefined) {
      this.#keys.delete(key);
      this.#keys.set(key, { profile, content, reservation, at });
      this.#forgetKeys();
    }
    if (repeat === undefined) return;
    const [roll = '', digest = ''] = repeat.split(' ');
    const known = this.#repeats.get(roll) ?? new Map<string, string>();
    known.set(digest, reservation);
    this.#repeats.set(roll, known);
  }

  #settled(event: SettleEvent, at: number, isNow = false): void {
    const { reservation, amount, isWhole = false, totalOf } = event;
    const open = this.open.get(reservation);
    if (open === undefined || !this.open.delete(reservation)) return;
    const { scope, key = '' } = open.event;
    const known = this.#keys.get(key);
    if (known?.reservation === reservation) this.#keys.set(key, { ...known, object: event.object });
    // The call that made the object was before all others on it: what those have told is newer.
    const later = totalOf === undefined ? amount : this.ledger.settledTotal(`${scope} ${totalOf}`);
    if (totalOf !== undefined) this.ledger.nameTotal(reservation, `${scope} ${totalOf}`);
    this.ledger.settle(reservation, Math.min(amount, later ?? amount), { isWhole, isNow });
    this.ledger.settle(`${reservation} calls`, 1);
    this.#windows.settled(`${reservation} calls`, { event: open.event, isTotal: false, at });
    this.#windows.settled(reservation, { event: open.event, isTotal: open.event.totalOf !== undefined, at });
    if (event.isPending === true) this.pending.set(reservation, { event: open.event, settled: event, at });
  }

  #released(reservation: string): void {
    const open = this.open.get(reservation);
    if (open === undefined) return;
    this.open.delete(reservation);
    this.ledger.release(reservation);
    this.ledger.release(`${reservation} calls`);
    this.#forget(open.event);
  }

  /** The same call again is one of its own. */
  #forget({ reservation, key, repeat }: ReserveEvent): void {
    if (key !== undefined && this.#keys.get(key)?.reservation === reservation) this.#keys.delete(key);
    const [roll = '', digest = ''] = (repeat ?? '').split(' ');
    const known = this.#repeats.get(roll);
    if (known?.get(digest) === reservation) known.delete(digest);
  }

  #reconciled(event: ReconcileEvent, at: number): void {
    const { reservation, outcome, amount = 0, totalOf } = event;
    if (outcome === 'settled') {
      const open = this.open.get(reservation)?.event;
      if (open !== undefined) {
        // An object that was asked for by its id has told what it has come to by now.
        const settle = { ...event, kind: 'settle', amount } as const;
        this.#settled(settle, at, totalOf === undefined);
        // The total of an object that was there before does not say that this call was carried out: the same call again
        // may do so, and is reserved for.
        if (open.totalOf !== undefined && !open.totalOf.startsWith('new ')) this.#forget(open);
      } else this.pending.delete(reservation);
    } else if (outcome === 'released') this.#released(reservation);
    else {
      const pending = this.pending.get(reservation);
      if (pending === undefined) return;
      this.pending.delete(reservation);
      this.#windows.giveBack(pending.event, pending.settled.amount, pending.at);
    }
  }

  #forgetKeys(): void {
    for (const [digest, { reservation }] of this.#keys)
      if (this.#keys.size <= MOST_KEYS) return;
      else if (!this.open.has(reservation)) this.#keys.delete(digest);
  }
}
