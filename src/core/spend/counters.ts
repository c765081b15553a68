import type { OperationName } from '../catalog/catalog.ts';
import type { Direction } from '../catalog/money-rule.ts';
import { amountIn, type Cap, type CapPeriod, capName, coversCall } from './cap.ts';
import type { Currency } from './currency.ts';
import type { Day } from './day.ts';

/** What a call is counted on. Null: there is none; undefined: nobody knows. */
export interface CountedObjects {
  readonly object?: string | null | undefined;
  readonly charge?: string | null | undefined;
  readonly customer?: string | null | undefined;
  readonly account?: string | null | undefined;
}

/** A call as caps see it. */
export interface CountedCall {
  readonly operation: OperationName;
  readonly direction: Direction;
  /** Undefined for a call whose amount nobody can tell: only calls are counted. */
  readonly currency?: Currency | undefined;
  readonly objects: CountedObjects;
}

/** Where and when it is counted. */
export interface CountingPlace {
  /** Target, mode and profile: what never shares a counter. */
  readonly scope: string;
  /** The run, and how often it has rolled. */
  readonly run: string;
  readonly day: Day;
}

/** One counter that a call is taken from. */
export interface CountedTake {
  readonly counter: string;
  readonly cap: number;
  readonly of: Cap;
  /** Whether it is a rolling window. */
  readonly rolls: boolean;
}

export interface Takes {
  /** In minor units of the call's currency. */
  readonly amounts: readonly CountedTake[];
  /** In calls. */
  readonly calls: readonly CountedTake[];
  /** The largest single call, where a cap says so. */
  readonly largest?: { readonly cap: Cap; readonly amount: number } | undefined;
  /** Whether any cap says how much of the currency may be moved by this call. */
  readonly isCapped: boolean;
  /** A cap that counts by something that nobody knows of this call. */
  readonly unknown?: CapPeriod | undefined;
}

/** The counters that a call is taken from, by every cap that covers it. */
export function takesOf(caps: readonly Cap[], call: CountedCall, place: CountingPlace): Takes {
  const amounts: CountedTake[] = [];
  const calls: CountedTake[] = [];
  let largest: Takes['largest'];
  let unknown: CapPeriod | undefined;
  let isCapped = false;
  for (const cap of caps) {
    if (!coversCall(cap, call.operation, call.direction)) continue;
    const amount = call.currency === undefined ? undefined : amountIn(cap, call.currency);
    if (cap.per === 'call') {
      if (amount !== undefined) {
        isCapped = true;
        if (largest === undefined || amount < largest.amount) largest = { cap, amount };
      }
      continue;
    }
    const window = windowOf(cap.per, call.objects, place);
    if (window === undefined) unknown ??= cap.per;
    if (window === undefined || window === null) continue;
    const counter = `${place.scope} ${capName(cap)} ${window}`;
    const rolls = cap.per === '24h';
    if (amount !== undefined) {
      isCapped = true;
      amounts.push({ counter: `${counter} ${call.currency}`, cap: amount, of: cap, rolls });
    }
    if (cap.calls !== undefined) calls.push({ counter: `${counter} calls`, cap: cap.calls, of: cap, rolls });
  }
  return { amounts, calls, largest, isCapped, unknown };
}

/** Null: a cap of this kind says nothing of the call; undefined: it would, if one knew what the call is about. */
function windowOf(
  per: Exclude<CapPeriod, 'call'>,
  objects: CountedObjects,
  { run, day }: CountingPlace,
): string | null | undefined {
  switch (per) {
    case 'run':
      return `run ${run}`;
    case 'day':
      return `day ${day.name}`;
    case '24h':
    case 'total':
      return per;
    case 'customer':
      // Those without a customer share one counter: else they would be the way around it.
      return objects.customer === null ? 'customer none' : objects.customer;
    case 'account':
      return objects.account === null ? 'account own' : objects.account;
    case 'object':
    case 'charge':
      return objects[per];
  }
}
