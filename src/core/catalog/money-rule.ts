import type { OperationName } from './catalog.ts';

/**
 * What a write has to do with money: `request`, the amount is or can be in the request; `object`, only on an object;
 * `afterwards`, known after the call or never; `undoes`, gives up or undoes a claim; `redirects`, decides where money
 * goes or opens a way around; `none`; `test`, a test helper, which works in test mode only.
 */
export const MONEY_CLASSES = [
  'request',
  'object',
  'afterwards',
  'undoes',
  'redirects',
  'none',
  'test',
] as const;
export type MoneyClass = (typeof MONEY_CLASSES)[number];

/**
 * `out` leaves the account or is owed by it; `in` somebody is charged; `gives-up` a claim is dropped; `commit` others
 * may spend it from now on; `redirect` changes where money goes.
 */
export const DIRECTIONS = ['out', 'in', 'gives-up', 'commit', 'redirect', 'none'] as const;
export type Direction = (typeof DIRECTIONS)[number];

/**
 * How the amount is to be read: `exact`; `bound`, at most so much; `signed`, a minus gives money away, so its absolute
 * value counts; `total`, the new total of the object, of which only the difference to what is counted counts.
 */
export const AMOUNT_MODES = ['exact', 'bound', 'signed', 'total', 'unknown', 'none'] as const;
export type AmountMode = (typeof AMOUNT_MODES)[number];

/**
 * How a rule is known: `declared`, its parameters are among those that the SDK declares; `inferred`, judged from the
 * name, the object and its neighbours; `unknown`, what the call moves by itself is not known.
 */
export const MONEY_PROVENANCES = ['declared', 'inferred', 'unknown'] as const;
export type MoneyProvenance = (typeof MONEY_PROVENANCES)[number];

/** Where a value stands: in the request, in its path, on the object that it names, in the answer, on the account. */
export const PLACE_ROOTS = ['body', 'path', 'object', 'response', 'account'] as const;

/** A place, such as `body:amount`, `body:lines[].amount` or `object:pending_request.amount`. */
export type Place = `${(typeof PLACE_ROOTS)[number]}:${string}`;

/** What one write of the catalog moves, and where that stands. Amounts are in the currency's minor units. */
export interface MoneyRule {
  readonly operation: OperationName;
  readonly moneyClass: MoneyClass;
  readonly direction: Direction;
  /** The first of these that is present tells. */
  readonly amount: readonly Place[];
  readonly currency: readonly Place[];
  /** What a cap per object counts on. */
  readonly object: readonly Place[];
  readonly mode: AmountMode;
  /** What Stripe does when the amount is left out, in words; empty where it cannot be. */
  readonly whenUnset: string;
  /** Further top-level parameters of the call that move or redirect money. */
  readonly besides: readonly string[];
  /** Whether a second identical call on the same object within a run is almost surely a mistake. */
  readonly repeatIsSuspect: boolean;
  readonly provenance: MoneyProvenance;
  readonly note: string;
}
