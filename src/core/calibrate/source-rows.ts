import {
  type CatalogData,
  type Operation,
  type PermissionName,
  PROVENANCES,
  type Provenance,
} from '../catalog/catalog.ts';
import type { CalibratedRow } from './calibration.ts';
import { bestNames, type LearnedRow } from './learned-rows.ts';

/** The columns of `endpoints.tsv`. */
export const SOURCE_ROW_COLUMNS = [
  'method',
  'path',
  'permissions',
  'provenance',
  'source',
  'remark',
] as const;

/** A row for `endpoints.tsv` that answers have taught. */
export interface SourceRow {
  readonly method: string;
  readonly path: string;
  readonly permissions: readonly PermissionName[];
  readonly provenance: Provenance;
  readonly source: string;
  /** The remark of the shipped row, which stays. */
  readonly remark?: string | undefined;
}

/** Every form of {@link SourceRow.source}: what else a file says of its sources is not taken. */
export const SOURCE_FORMS: readonly RegExp[] = [
  /^named by (?:a refusal|[2-9]\d{0,6} refusals|1\d{1,6} refusals), last on \d{4}-\d\d-\d\d$/,
  /^a key with just this permission is let through, and one without is refused$/,
  /^Stripe's resolver of endpoints$/,
];

/**
 * The rows that differ from the shipped ones, in the catalog's order: settled ones as calibrated, those that a refusal
 * named as named. A row of a better source than a refusal stays as it is.
 */
export function sourceRows(
  shipped: CatalogData,
  learned: readonly LearnedRow[],
  settled: readonly CalibratedRow[],
): readonly SourceRow[] {
  const settledByName = new Map(settled.map((row) => [row.operation, row]));
  const learnedByName = new Map(learned.map((row) => [row.operation, row]));
  return shipped.operations.flatMap((operation) => {
    const row = settledByName.get(operation.name);
    const known = learnedByName.get(operation.name);
    const better = row === undefined ? namedRow(operation, known) : calibratedRow(operation, row);
    if (better === undefined) return [];
    const { method, path, remark } = operation;
    return [{ method, path, ...better, remark }];
  });
}

type Better = Pick<SourceRow, 'permissions' | 'provenance' | 'source'>;

function calibratedRow({ permissions, provenance }: Operation, row: CalibratedRow): Better | undefined {
  if (provenance === 'calibrated' && permissions.join(' ') === row.permissions.join(' ')) return undefined;
  const source =
    row.by === 'key'
      ? 'a key with just this permission is let through, and one without is refused'
      : "Stripe's resolver of endpoints";
  return { permissions: row.permissions, provenance: 'calibrated', source };
}

function namedRow({ permissions, provenance }: Operation, row: LearnedRow | undefined): Better | undefined {
  if (row === undefined || row.kind === 'contradicted') return undefined;
  if (PROVENANCES.indexOf(provenance) <= PROVENANCES.indexOf('named')) return undefined;
  const [first] = row.named;
  const count = first?.count === 1 ? 'a refusal' : `${first?.count} refusals`;
  return {
    permissions: row.kind === 'agrees' ? permissions : bestNames(row),
    provenance: 'named',
    source: `named by ${count}, last on ${first?.day}`,
  };
}

/** A row as one line of the table. */
export function sourceRowText({ method, path, permissions, provenance, source, remark }: SourceRow): string {
  return [method, path, permissions.join(' '), provenance, source, remark ?? '-'].join('\t');
}
