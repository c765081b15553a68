import {
  allows,
  type Catalog,
  type CatalogData,
  endpointOf,
  isWrite,
  type Operation,
  type OperationName,
  type Permission,
  type PermissionName,
} from '../catalog/catalog.ts';
import type { Probe } from '../probe/probe.ts';
import type { Observation } from '../verdict/observation.ts';
import { holds, type Verdict, type VerdictKind } from '../verdict/verdict.ts';

/** What is kept of one answer; never a body. */
export interface CalibrationAnswer {
  readonly verdict: VerdictKind;
  readonly status: number | null;
  /** Permissions that a refusal names. */
  readonly named: readonly PermissionName[];
  /** Of `inconclusive`. */
  readonly reason?: string;
}

/** The answers to one operation's probe: of a key that holds nothing useful, and of an unrestricted one. */
export interface CalibrationEntry {
  /** What was sent: {@link probeForm}. Of a probe in another form the answers say nothing. */
  readonly probe?: string;
  readonly bare?: CalibrationAnswer;
  readonly full?: CalibrationAnswer;
}

/** What calibrating has shown so far, for one API version of one target. */
export interface Calibration {
  /** What the key that holds nothing useful is known to hold all the same. */
  readonly bareHolds: readonly PermissionName[];
  readonly entries: ReadonlyMap<OperationName, CalibrationEntry>;
}

export const NO_CALIBRATION: Calibration = { bareHolds: [], entries: new Map() };

/**
 * `telling`: refused without permission, accepted with it. `blind`: both keys got the same answer, so a
 * 400 or 404 proves nothing. `unsafe`: a write was answered 2xx. `held`: the bare key may do this, so
 * it shows nothing. `undetermined`: an answer says nothing. `unfinished`: one of the keys is still to be
 * asked.
 */
export const PROBE_QUALITIES = ['telling', 'blind', 'unsafe', 'held', 'undetermined', 'unfinished'] as const;
export type ProbeQuality = (typeof PROBE_QUALITIES)[number];

/** The form of a probe, without what differs from run to run: its shape and the names that it sends. */
export function probeForm({ shape, path, body, multipart }: Probe): string {
  const query = new URLSearchParams(path.split('?')[1] ?? '');
  const names = [...query.keys(), ...Object.keys(body ?? {})].sort();
  return [shape, ...(multipart === true ? ['multipart'] : []), ...names].join(' ');
}

/** Leaves out the answers to probes of another form, as an older keyaudit sent them. */
export function currentCalibration(
  { bareHolds, entries }: Calibration,
  catalog: Catalog,
  probeFor: (operation: Operation) => Probe,
): Calibration {
  const current = [...entries].filter(([name, { probe }]) => {
    const operation = catalog.operation(name);
    return operation !== undefined && probe === probeForm(probeFor(operation));
  });
  return { bareHolds, entries: new Map(current) };
}

/** Cuts an answer down to what is kept. */
export function calibrationAnswer(
  { kind, named, reason }: Verdict,
  { status }: Observation,
): CalibrationAnswer {
  return { verdict: kind, status: status ?? null, named, reason };
}

/** What the two keys' answers say of an operation's probe. */
export function probeQuality(
  operation: Operation,
  { bare, full }: CalibrationEntry,
  bareHolds: ReadonlySet<PermissionName>,
): ProbeQuality {
  if (isWrite(operation) && [bare, full].some((answer) => isSuccess(answer))) return 'unsafe';
  if (bare === undefined) return 'unfinished';
  if (bare.verdict === 'inconclusive') return full === undefined ? 'unfinished' : 'undetermined';
  if (holds(bare.verdict) && (isSuccess(bare) || allows(bareHolds, operation))) return 'held';
  if (full === undefined) return 'unfinished';
  if (!holds(full.verdict)) return 'undetermined';
  return holds(bare.verdict) ? 'blind' : 'telling';
}

/** Whether asking both keys again could show more. */
export function isUnfinished(operation: Operation, calibration: Calibration, catalog: Catalog): boolean {
  const entry = calibration.entries.get(operation.name) ?? {};
  const quality = probeQuality(operation, entry, effectiveOfBare(calibration, catalog));
  return quality === 'undetermined' || quality === 'unfinished';
}

/**
 * All that the bare key may do: what it was made with, and what its answers show: a read answered 2xx that
 * one permission alone allows; of a key from elsewhere also a permission of which every call was allowed,
 * two at least, since a blind call stands among others that are refused.
 */
export function effectiveOfBare(
  { bareHolds, entries }: Calibration,
  catalog: Catalog,
): ReadonlySet<PermissionName> {
  const answers = new Map<PermissionName, CalibrationAnswer[]>();
  for (const [name, { bare }] of entries) {
    const permissions = catalog.operation(name)?.permissions ?? [];
    const [only] = permissions;
    if (bare === undefined || bare.verdict === 'inconclusive' || only === undefined) continue;
    if (permissions.length === 1) answers.set(only, [...(answers.get(only) ?? []), bare]);
  }
  const shown = [...answers].filter(
    ([, list]) =>
      list.some((answer) => isSuccess(answer)) ||
      (bareHolds.length === 0 && list.length > 1 && list.every(({ verdict }) => holds(verdict))),
  );
  return catalog.closure([...bareHolds, ...shown.map(([permission]) => permission)]);
}

function isSuccess(answer: CalibrationAnswer | undefined): boolean {
  const status = answer?.status ?? 0;
  // A portal's 200 is no success.
  return answer?.verdict === 'allowed' && status >= 200 && status < 300;
}

/** One row of what calibrating has shown. */
export interface CalibrationRow {
  readonly operation: OperationName;
  readonly endpoint: string;
  readonly permissions: readonly PermissionName[];
  readonly quality: ProbeQuality;
  readonly entry: CalibrationEntry;
  /** The refusal names another permission than the catalog does. */
  readonly wrongRow: boolean;
}

/** Every operation that was asked, in the catalog's order. */
export function calibrationRows(calibration: Calibration, catalog: Catalog): readonly CalibrationRow[] {
  const bareHolds = effectiveOfBare(calibration, catalog);
  return catalog.operations.flatMap((operation) => {
    const entry = calibration.entries.get(operation.name);
    if (entry === undefined) return [];
    const named = entry.bare?.named ?? [];
    return {
      operation: operation.name,
      endpoint: endpointOf(operation),
      permissions: operation.permissions,
      quality: probeQuality(operation, entry, bareHolds),
      entry,
      wrongRow: named.length > 0 && !named.some((name) => operation.permissions.includes(name)),
    };
  });
}

/** A row of the catalog as it was settled on the user's account. */
export interface CalibratedRow {
  readonly operation: OperationName;
  readonly permissions: readonly PermissionName[];
  /** Who settled it: Stripe's resolver (the default), or a key with just this permission. */
  readonly by?: 'resolver' | 'key' | undefined;
}

/**
 * The catalog as this account showed it: rows of the resolver, and those that a key with just one permission
 * confirmed, take the place of shipped ones; a row whose permission a refusal has named counts as calibrated.
 */
export function withCalibration(
  data: CatalogData,
  calibration: Calibration,
  rows: readonly CalibratedRow[],
): CatalogData {
  const byName = new Map(rows.map((row) => [row.operation, row]));
  const operations = data.operations.map((operation): Operation => {
    const row = byName.get(operation.name);
    if (row !== undefined) {
      const source = row.by === 'key' ? 'a key with just this permission, on this account' : RESOLVER;
      return { ...operation, permissions: row.permissions, provenance: 'calibrated', source };
    }
    const named = calibration.entries.get(operation.name)?.bare?.named ?? [];
    return named.some((name) => operation.permissions.includes(name))
      ? { ...operation, provenance: 'calibrated', source: 'a refusal that names it, on this account' }
      : operation;
  });
  const known = new Set(data.permissions.map(({ name }) => name));
  const unknown = new Set(rows.flatMap((row) => row.permissions).filter((name) => !known.has(name)));
  const added = [...unknown].map((name) => unlistedPermission(name, RESOLVER));
  return { ...data, operations, permissions: [...data.permissions, ...added] };
}

const RESOLVER = "Stripe's resolver of endpoints, on this account";

/** A permission that the catalog does not list, as far as its name tells. */
export function unlistedPermission(name: PermissionName, source: string): Permission {
  return {
    name,
    label: name,
    group: 'Not in the catalog',
    level: name.endsWith('_write') ? 'write' : 'read',
    scope: `rak_${name}`,
    managedApi: false,
    source,
  };
}
