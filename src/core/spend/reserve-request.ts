import type { OperationName } from '../catalog/catalog.ts';
import type { Direction } from '../catalog/money-rule.ts';
import type { Cap } from './cap.ts';
import type { CountedObjects } from './counters.ts';
import type { Currency } from './currency.ts';
import type { RowCall } from './log-row.ts';

/** A call that would move money, or is counted. */
export interface ReserveRequest {
  readonly call: RowCall & { readonly operation: OperationName };
  readonly scope: string;
  readonly reservation: string;
  readonly direction: Direction;
  /** Absent for a call whose amount nobody can tell. */
  readonly amount?: number | undefined;
  readonly currency?: Currency | undefined;
  readonly totalOf?: string | undefined;
  readonly objects: CountedObjects;
  readonly caps: readonly Cap[];
  /** The time zone of `per: day`. */
  readonly zone: string;
  /** How many calls without an amount a run may make; only asked of those. */
  readonly unpriced: number;
  /** Reserve all that is left of the tightest cap, since the amount is not known. */
  readonly isRest?: boolean;
  readonly key?: string;
  readonly content?: string;
  /** Undefined where a repeat is no suspicion. */
  readonly repeat?: string | undefined;
  /** In ms since 1970. */
  readonly now: number;
}

/** Why nothing was reserved. */
export type NotReserved =
  | { readonly why: 'killed' | 'ended' }
  | { readonly why: 'not-capped'; readonly currency: Currency | undefined }
  | { readonly why: 'unknown-object'; readonly per: string }
  | { readonly why: 'repeated' }
  | {
      readonly why: 'cap';
      readonly cap: Pick<Cap, 'per' | 'of'>;
      /** In minor units, or in calls. */
      readonly unit: 'amount' | 'calls';
      readonly asked: number;
      readonly left: number;
      readonly of: number;
      /** When the window ends, in ms since 1970; undefined where it does not by itself. */
      readonly until?: number | undefined;
    };
