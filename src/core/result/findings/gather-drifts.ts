import { allows, type Catalog, type OperationName, type PermissionName } from '../../catalog/catalog.ts';
import { type RiskTier, riskOf } from '../../catalog/risk.ts';
import type { Drift, DriftKind } from '../drift.ts';
import { callsInWords } from './calls-in-words.ts';
import type { Explained } from './permission-finding.ts';

/** The gravest first: what a gathering of drifts is called by. */
const DRIFT_ORDER: readonly DriftKind[] = [
  'wider-profile',
  'new-widening',
  'wider-key',
  'not-verified',
  'narrower',
];

/** The drifts that belong to no finding, by permission; those about none by their kind. */
export function gatherDrifts(drifts: readonly Drift[], catalog: Catalog): readonly Explained[] {
  const named = new Set(drifts.map(({ name }) => name).filter((name) => catalog.permission(name)));
  const groups = new Map<string, Drift[]>();
  for (const drift of drifts) {
    const permission = permissionOfDrift(drift, named, catalog);
    const apart = permission === null && !['not-verified', 'narrower'].includes(drift.kind) ? drift.name : '';
    // Wider and narrower are never one thing, and neither is what shuts the gate and what does not.
    const key = JSON.stringify([permission, drift.weight, permission === null ? drift.kind : '', apart]);
    groups.set(key, [...(groups.get(key) ?? []), drift]);
  }
  return [...groups].map(([key, group]) => {
    const permission = (JSON.parse(key) as [string | null])[0];
    const sorted = [...group].sort((a, b) => rank(a.kind) - rank(b.kind));
    const [first] = sorted;
    if (first === undefined) throw new Error('a group without drifts');
    const operations = [...new Set(group.map(({ name }) => name))].filter((name) => catalog.operation(name));
    return {
      kind: first.kind,
      weight: first.weight,
      permission,
      connect: false,
      tier:
        permission === null && first.weight === 'note' ? 'other' : tierOf(permission, operations, catalog),
      cause: 'agreement' as const,
      message: driftMessage(sorted, operations),
      operations,
      evidence: null,
      notes: [],
      drift: [...new Set(sorted.map(({ kind }) => kind))],
      location: first.location,
    };
  });
}

function rank(kind: DriftKind): number {
  const place = DRIFT_ORDER.indexOf(kind);
  return place < 0 ? DRIFT_ORDER.length : place;
}

function permissionOfDrift(
  { name, kind }: Drift,
  named: ReadonlySet<string>,
  catalog: Catalog,
): PermissionName | null {
  if (catalog.permission(name) !== undefined) return name;
  if (kind === 'not-verified') return null;
  const operation = catalog.operation(name);
  if (operation === undefined) return null;
  const bringing = [...named].find((permission) => allows(catalog.closure([permission]), operation));
  return bringing ?? operation.permissions[0] ?? null;
}

function driftMessage(drifts: readonly Drift[], operations: readonly OperationName[]): string {
  const [first] = drifts;
  if (first === undefined) return '';
  if (drifts.length === 1) return first.message;
  if (first.kind === 'not-verified')
    return `${callsInWords(operations)} were verified, and are not any more.`;
  if (first.kind === 'wider-key' || first.kind === 'narrower') {
    const now = first.kind === 'wider-key' ? 'can now' : 'can no longer';
    const besides = drifts.filter(({ name }) => !operations.includes(name)).map(({ message }) => message);
    const verb = operations.length <= 2 ? 'call' : 'make';
    return [...besides, `The key ${now} ${verb} ${callsInWords(operations)}.`].join(' ');
  }
  // The profile's own change says the rest: what else there is follows from it.
  return first.message;
}

/** That of the permission; where none is known, the gravest that the calls could need. */
export function tierOf(
  permission: PermissionName | null,
  operations: readonly OperationName[],
  catalog: Catalog,
): RiskTier {
  const names =
    permission === null
      ? operations.flatMap((name) => catalog.operation(name)?.permissions.slice(0, 1) ?? [])
      : [permission];
  const order: readonly RiskTier[] = ['self-widening', 'money-out', 'money-in', 'personal-data'];
  return order.find((tier) => names.some((name) => riskOf(name).tier === tier)) ?? 'other';
}
