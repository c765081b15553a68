import type { Level, ResourceName } from '../../core/catalog/catalog.ts';
import type { VerifyReport, VerifyResult } from '../../core/result/verify-report.ts';
import { FINDING_KINDS, type FindingKind } from '../../core/verdict/finding.ts';
import { isRisky } from '../../core/verdict/unseen.ts';
import { holds } from '../../core/verdict/verdict.ts';

/** One resource in one profile: the level that the profile asks for, and the level that the probes showed. */
export interface MatrixCell {
  readonly expected: Level;
  /** Null where every probe of the resource was inconclusive. */
  readonly observed: Level | null;
  /** The gravest kind of finding, with how many of it. */
  readonly kind?: FindingKind;
  readonly count: number;
  /** A permission that nobody could see, in a row of its own. */
  readonly unseen?: boolean;
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
    let quiet = true;
    const found = new Set<FindingKind>();
    for (const cell of cells) {
      if (cell === undefined || cell === QUIET) continue;
      quiet = false;
      if (cell.kind !== undefined) found.add(cell.kind);
    }
    const kinds = FINDING_KINDS.filter((kind) => found.has(kind));
    return { resource, cells, kinds, quiet };
  });
  const rank = ({ kinds, quiet }: MatrixRow): number =>
    kinds[0] !== undefined ? FINDING_KINDS.indexOf(kinds[0]) : FINDING_KINDS.length + Number(quiet);
  return rows.sort((a, b) => rank(a) - rank(b) || (a.resource < b.resource ? -1 : 1));
}

/** A cell while it is filled; levels and kinds by their rank, the graver the less. */
interface Filling {
  expected: number;
  observed: number;
  kind: number;
  count: number;
}

const UNSEEN: MatrixCell = {
  expected: 'none',
  observed: null,
  count: 0,
  unseen: true,
  comesAlong: false,
};
/** Most cells of most reports are this one. */
const QUIET: MatrixCell = { expected: 'none', observed: 'none', count: 0, comesAlong: false };
const UNKNOWN = -1;
const NO_KIND = FINDING_KINDS.length;

function columnOf({ findings, probes, unseen }: VerifyResult): ReadonlyMap<ResourceName, MatrixCell> {
  const kindsOn = (side: boolean) =>
    new Map(
      findings
        .filter(({ connect = false }) => connect === side)
        .map(({ operation, kind }) => [operation, FINDING_KINDS.indexOf(kind)]),
    );
  const own = kindsOn(false);
  const ofConnect = kindsOn(true);
  const column = new Map<ResourceName, Filling>();
  // A fleet has hundreds of thousands of these: one pass, and nothing made for a probe.
  let last: ResourceName | undefined;
  let lastConnect = false;
  let cell: Filling = { expected: 0, observed: UNKNOWN, kind: NO_KIND, count: 0 };
  for (const { resource, operation, method, expectation, observed, connect } of probes) {
    // Probes of a resource follow one another, mostly.
    if (resource !== last || connect !== lastConnect) {
      const row = connect ? onConnect(resource) : resource;
      cell = column.get(row) ?? { expected: 0, observed: UNKNOWN, kind: NO_KIND, count: 0 };
      column.set(row, cell);
      last = resource;
      lastConnect = connect;
    }
    const kinds = connect ? ofConnect : own;
    const level = method === 'GET' ? 1 : 2;
    if (expectation === 'asked') cell.expected = Math.max(cell.expected, level);
    if (observed !== 'inconclusive') cell.observed = Math.max(cell.observed, holds(observed) ? level : 0);
    const kind = kinds.size === 0 ? NO_KIND : (kinds.get(operation) ?? NO_KIND);
    if (kind < cell.kind) {
      cell.kind = kind;
      cell.count = 1;
    } else if (kind === cell.kind && kind !== NO_KIND) cell.count++;
  }
  return new Map([
    ...[...column].map(([resource, cell]) => [resource, cellOf(cell)] as const),
    // By the permission's name, since no call of it was answered.
    ...unseen
      .filter(isRisky)
      .map(({ permission, connect }) => [connect ? onConnect(permission) : permission, UNSEEN] as const),
  ]);
}

/** What a key may do with `Stripe-Account` has rows of its own: it may do nothing of it without. */
function onConnect(name: string): string {
  return `${name} (Connect)`;
}

function cellOf({ expected, observed, kind, count }: Filling): MatrixCell {
  if (expected === 0 && observed === 0 && kind === NO_KIND) return QUIET;
  return {
    expected: LEVELS[expected] ?? 'none',
    observed: LEVELS[observed] ?? null,
    kind: FINDING_KINDS[kind],
    count,
    comesAlong: kind === NO_KIND && observed > expected,
  };
}

const LEVELS: readonly Level[] = ['none', 'read', 'write'];
