import type { OperationName } from '../catalog/catalog.ts';
import { DIRECTIONS, type Direction } from '../catalog/money-rule.ts';
import type { Amount } from './amount.ts';
import type { Currency } from './currency.ts';

/**
 * What a cap is counted by. `call`: each by itself; `run`; `day`, of the profile's time zone; `24h`, rolling;
 * `total`, for ever; `object`, what the call names, and of it `charge`, `customer` and `account`.
 */
export const CAP_PERIODS = [
  'call',
  'run',
  'day',
  '24h',
  'total',
  'object',
  'charge',
  'customer',
  'account',
] as const;
export type CapPeriod = (typeof CAP_PERIODS)[number];

/** Directions that `of` can name: those in which something moves. */
export const CAP_DIRECTIONS = DIRECTIONS.filter((direction) => direction !== 'none');

/** The most that may be moved, and how many calls there may be, in one period. */
export interface Cap {
  readonly per: CapPeriod;
  /** One for each currency; none where only calls are counted. */
  readonly amounts: readonly Amount[];
  readonly calls?: number | undefined;
  /** Operations or directions that it counts; empty: every money operation, all directions together. */
  readonly of: readonly (OperationName | Direction)[];
}

/** Whether a cap counts a call. */
export function coversCall(cap: Cap, operation: OperationName, direction: Direction): boolean {
  return cap.of.length === 0 || cap.of.some((name) => name === operation || name === direction);
}

/** The amount of a cap in one currency; undefined where it says nothing of it. */
export function amountIn(cap: Cap, currency: Currency): number | undefined {
  return cap.amounts.find((amount) => amount.currency === currency)?.minor;
}

/** What a cap is called in counters and in words: `per day`, `per day of refunds.create`. */
export function capName({ per, of }: Pick<Cap, 'per' | 'of'>): string {
  return of.length === 0 ? `per ${per}` : `per ${per} of ${[...of].sort().join(', ')}`;
}
