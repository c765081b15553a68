import { isBeyondSdk } from '../catalog/beyond-sdk.ts';
import {
  type CatalogData,
  endpointOf,
  type Operation,
  type OperationName,
  type PermissionName,
  PROVENANCES,
  type Provenance,
} from '../catalog/catalog.ts';
import { unlistedPermission } from './calibration.ts';
import { byWeight, type NamedRefusal } from './named-refusals.ts';

/**
 * `agrees`: refusals name what the row says. `filled`: the row was unknown. `replaced`: the row was only reasoned, and a
 * refusal weighs more. `contradicted`: the row is known from a better source than a refusal's hint.
 */
export const LEARNED_KINDS = ['agrees', 'filled', 'replaced', 'contradicted'] as const;
export type LearnedKind = (typeof LEARNED_KINDS)[number];

/** A row of the catalog beside what refusals on this account named. */
export interface LearnedRow {
  readonly operation: OperationName;
  readonly endpoint: string;
  readonly kind: LearnedKind;
  /** As it ships. */
  readonly catalog: { readonly permissions: readonly PermissionName[]; readonly provenance: Provenance };
  /** The most often named first. */
  readonly named: readonly Pick<NamedRefusal, 'name' | 'day' | 'count'>[];
}

const NAMED_RANK = PROVENANCES.indexOf('named');

/**
 * What refusals have taught about these calls, in their order.
 * @param settled calls that Stripe's resolver or a key with just one permission has settled
 */
export function learnedRows(
  operations: readonly Operation[],
  refusals: readonly NamedRefusal[],
  { apiVersion, settled }: { readonly apiVersion: string; readonly settled: ReadonlySet<OperationName> },
): readonly LearnedRow[] {
  const byOperation = new Map<OperationName, NamedRefusal[]>();
  for (const refusal of refusals)
    byOperation.set(refusal.operation, [...(byOperation.get(refusal.operation) ?? []), refusal]);
  return operations.flatMap((operation) => {
    const version = versionOf(operation, apiVersion);
    const all = (byOperation.get(operation.name) ?? []).filter((one) => one.apiVersion === version);
    if (all.length === 0 || settled.has(operation.name)) return [];
    const { name, permissions, provenance } = operation;
    const named = all.sort(byWeight).map((one) => ({ name: one.name, day: one.day, count: one.count }));
    const kind = kindOf(operation, named);
    return [
      { operation: name, endpoint: endpointOf(operation), kind, catalog: { permissions, provenance }, named },
    ];
  });
}

/** The version that a call's probe is sent with. */
export function versionOf(operation: Operation, apiVersion: string): string {
  return isBeyondSdk(operation) ? (operation.version ?? apiVersion) : apiVersion;
}

function kindOf({ permissions, provenance }: Operation, named: LearnedRow['named']): LearnedKind {
  if (named.some(({ name }) => permissions.includes(name))) return 'agrees';
  if (permissions.length === 0) return 'filled';
  return PROVENANCES.indexOf(provenance) > NAMED_RANK ? 'replaced' : 'contradicted';
}

/** The names that were given most often: of those any may do. */
export function bestNames({ named }: Pick<LearnedRow, 'named'>): readonly PermissionName[] {
  const most = named[0]?.count ?? 0;
  return named.filter(({ count }) => count === most).map(({ name }) => name);
}

/** Both sides of a row, for a user; a sentence without its full stop. */
export function learnedText({ kind, catalog: { permissions, provenance }, named }: LearnedRow): string {
  const count = named[0]?.count ?? 0;
  const refusals = count === 1 ? 'a refusal' : `${count} refusals`;
  const said = `${refusals} on this account (last on ${named[0]?.day}) named ${bestNames({ named }).join(' or ')}`;
  if (kind === 'filled') return `The catalog knows no permission here, and ${said}, a hint that may be wrong`;
  return `The catalog has ${permissions.join(' or ')} (${provenance}), and ${said}${kind === 'agrees' ? '' : '; "keyaudit calibrate --confirm" settles it'}`;
}

/**
 * The catalog to judge and to grant by: names from refusals are told beside the rows, and change none. Whoever
 * answers in Stripe's place could otherwise name what a key holds, and so turn an over-grant into a widening.
 */
export function withRemarks(data: CatalogData, learned: readonly LearnedRow[]): CatalogData {
  const byName = new Map(learned.filter(({ kind }) => kind !== 'agrees').map((row) => [row.operation, row]));
  if (byName.size === 0) return data;
  const operations = data.operations.map((operation): Operation => {
    const row = byName.get(operation.name);
    if (row === undefined) return operation;
    const text = learnedText(row);
    return { ...operation, remark: operation.remark === undefined ? text : `${operation.remark}. ${text}` };
  });
  return { ...data, operations };
}

/**
 * The catalog to look things up in: unknown and merely reasoned rows have the names that refusals gave. Nothing is
 * judged or granted by it.
 */
export function withNames(data: CatalogData, learned: readonly LearnedRow[]): CatalogData {
  const byName = new Map(learned.map((row) => [row.operation, row]));
  const operations = data.operations.map((operation): Operation => {
    const row = byName.get(operation.name);
    if (row === undefined || row.kind === 'contradicted') return operation;
    if (PROVENANCES.indexOf(operation.provenance) <= NAMED_RANK) return operation;
    const permissions = row.kind === 'agrees' ? operation.permissions : bestNames(row);
    return { ...operation, permissions, provenance: 'named', source: learnedText(row) };
  });
  const known = new Set(data.permissions.map(({ name }) => name));
  const unlisted = new Set(
    operations.flatMap(({ permissions }) => permissions.filter((name) => !known.has(name))),
  );
  const added = [...unlisted].map((name) => unlistedPermission(name, 'a refusal on this account'));
  return { ...data, operations, permissions: [...data.permissions, ...added] };
}
