import type { Level, ResourceName } from '../../core/catalog/catalog.ts';
import type { VerifyReport, VerifyResult } from '../../core/result/verify-report.ts';
import { FINDING_KINDS, type FindingKind } from '../../core/verdict/finding.ts';
import { probesByGravity } from './gravity.ts';

/** One resource in one profile: the level that the profile asks for, and the level that the probes showed. */
export interface MatrixCell {
  readonly expected: Level;
  /** Null where every probe of the resource was inconclusive. */
  readonly observed: Level | null;
  /** The gravest kind of finding, with how many of it. */
  readonly kind?: FindingKind;
  readonly count: number;
  /** More than the profile asks for, which it need not accept: reads that Stripe cannot separate. */
  readonly comesAlong: boolean;
}

export interface MatrixRow {
  readonly resource: ResourceName;
  /** By profile, in the order of the report's results; undefined where nothing was probed. */
  readonly cells: readonly (MatrixCell | undefined)[];
  /** The kinds of finding in it, gravest first. */
  readonly kinds: readonly FindingKind[];
  /** Nothing asked, nothing found and nothing allowed, in any profile. */
  readonly quiet: boolean;
}

/** Resources by profiles, expected against observed: rows with the gravest findings first, quiet ones last. */
export function levelMatrix(report: Pick<VerifyReport, 'results'>): readonly MatrixRow[] {
  const columns = report.results.map(columnOf);
  const resources = [...new Set(columns.flatMap((column) => [...column.keys()]))];
  const rows = resources.map((resource): MatrixRow => {
    const cells = columns.map((column) => column.get(resource));
    const quiet = cells.every(
      (cell) =>
        cell === undefined ||
        (cell.kind === undefined && cell.expected === 'none' && cell.observed === 'none'),
    );
    const kinds = FINDING_KINDS.filter((kind) => cells.some((cell) => cell?.kind === kind));
    return { resource, cells, kinds, quiet };
  });
  const rank = ({ kinds, quiet }: MatrixRow): number =>
    kinds[0] !== undefined ? FINDING_KINDS.indexOf(kinds[0]) : FINDING_KINDS.length + Number(quiet);
  return rows.sort((a, b) => rank(a) - rank(b) || (a.resource < b.resource ? -1 : 1));
}

function columnOf(result: VerifyResult): ReadonlyMap<ResourceName, MatrixCell> {
  const column = new Map<ResourceName, MatrixCell>();
  for (const { probe, kind } of probesByGravity(result)) {
    const before = column.get(probe.resource);
    const level: Level = probe.method === 'GET' ? 'read' : 'write';
    const asked = probe.expectation === 'asked';
    const expected = higher(before?.expected ?? 'none', asked ? level : 'none');
    const seen = probe.observed === 'inconclusive' ? null : probe.observed === 'allowed' ? level : 'none';
    const observed =
      before === undefined || before.observed === null
        ? seen
        : seen === null
          ? before.observed
          : higher(before.observed, seen);
    // Probes come gravest first, so the first kind is the cell's.
    const gravest = before === undefined ? kind : before.kind;
    column.set(probe.resource, {
      expected,
      observed,
      kind: gravest,
      count: (before?.count ?? 0) + (kind !== undefined && kind === gravest ? 1 : 0),
      comesAlong: false,
    });
  }
  for (const [resource, cell] of column) {
    const comesAlong =
      cell.kind === undefined &&
      cell.observed !== null &&
      higher(cell.expected, cell.observed) !== cell.expected;
    if (comesAlong) column.set(resource, { ...cell, comesAlong });
  }
  return column;
}

const LEVELS: readonly Level[] = ['none', 'read', 'write'];

function higher(a: Level, b: Level): Level {
  return LEVELS.indexOf(a) > LEVELS.indexOf(b) ? a : b;
}
