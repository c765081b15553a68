import type { OperationName, PermissionName } from '../catalog/catalog.ts';
import { holds, type VerdictKind } from '../verdict/verdict.ts';
import type { CalibratedRow } from './calibration.ts';
import { bestNames, type LearnedRow } from './learned-rows.ts';

/** What a key with just one permission got for an answer. */
export interface Asked {
  readonly permission: PermissionName;
  /** `not-made`: Stripe makes no key with it. */
  readonly verdict: VerdictKind | 'not-made';
  /** Of `inconclusive` and `not-made`. */
  readonly reason?: string;
}

/** A row on which refusals and the catalog differ, and what keys with just one permission showed of it. */
export interface Confirmation {
  readonly row: LearnedRow;
  readonly asked: readonly Asked[];
  /** What the row says from now on; empty where no key was let through. */
  readonly settled: readonly PermissionName[];
}

/** The rows that keys with just one permission can settle. */
export function unsettled(learned: readonly LearnedRow[]): readonly LearnedRow[] {
  return learned.filter(({ kind }) => kind !== 'agrees');
}

/** Both sides of a row: what the catalog has, and what refusals named. */
function permissionsToAsk(row: LearnedRow): readonly PermissionName[] {
  return [...new Set([...row.catalog.permissions, ...bestNames(row)])];
}

/** Each permission with the calls that it may open: one key for each. */
export function keysToAskWith(
  rows: readonly LearnedRow[],
): ReadonlyMap<PermissionName, readonly OperationName[]> {
  const calls = new Map<PermissionName, OperationName[]>();
  for (const row of rows)
    for (const permission of permissionsToAsk(row))
      calls.set(permission, [...(calls.get(permission) ?? []), row.operation]);
  return calls;
}

/** The row as the answers leave it: every permission that let the call through, the catalog's own first. */
export function confirmationOf(row: LearnedRow, asked: readonly Asked[]): Confirmation {
  const through = asked.filter(({ verdict }) => verdict !== 'not-made' && holds(verdict));
  return { row, asked, settled: through.map(({ permission }) => permission) };
}

/** The rows that are settled, to be kept. */
export function confirmedRows(confirmations: readonly Confirmation[]): readonly CalibratedRow[] {
  return confirmations.flatMap(({ row: { operation }, settled }) =>
    settled.length === 0 ? [] : [{ operation, permissions: settled, by: 'key' as const }],
  );
}
