import { allows, type Catalog, type OperationName, type PermissionName } from '../catalog/catalog.ts';
import { holds, type VerdictKind } from '../verdict/verdict.ts';
import type { Change, Direction } from './extent.ts';

/** What one side of an extent says of calls. */
export interface VerdictSide {
  /** Calls with `Stripe-Account`. */
  readonly connect: boolean;
  /** Undefined where they are not known. */
  readonly permissions: readonly PermissionName[] | undefined;
  /** Operations that came as widenings. */
  readonly widened: ReadonlySet<OperationName>;
  /** What probes showed; undefined where nothing was probed. */
  readonly verdicts: ReadonlyMap<OperationName, VerdictKind> | undefined;
  /** Whether `verdicts` has every operation that was probed, so that a missing one was not. */
  readonly complete: boolean | undefined;
}

/** What probes show of `after`, call by call, that they did not show of `before`. */
export function verdictChanges(before: VerdictSide, after: VerdictSide, catalog: Catalog): readonly Change[] {
  if (after.verdicts === undefined) return [];
  const had = before.permissions === undefined ? undefined : catalog.closure(before.permissions);
  const couldBefore = (name: OperationName): boolean => {
    const verdict = before.verdicts?.get(name);
    if (verdict !== undefined && verdict !== 'inconclusive') return holds(verdict);
    // Of what nobody knows nothing has become wider.
    if (had === undefined) return true;
    const operation = catalog.operation(name);
    return before.widened.has(name) || (operation !== undefined && allows(had, operation));
  };
  const inWords = (name: OperationName) => (after.connect ? `${name} with Stripe-Account` : name);
  const change = (direction: Direction, name: OperationName, message: string): Change => ({
    direction,
    subject: 'operation',
    name,
    ...(after.connect ? { connect: true } : {}),
    message,
  });
  const changes: Change[] = [];
  for (const [name, verdict] of after.verdicts) {
    if (holds(verdict) && !couldBefore(name))
      changes.push(change('wider', name, `The key can now call ${inWords(name)}.`));
  }
  for (const [name, verdict] of before.verdicts ?? []) {
    if (verdict === 'inconclusive') continue;
    const now = after.verdicts.get(name);
    if (now === undefined ? after.complete === true : now === 'inconclusive') {
      changes.push(change('unverified', name, `${inWords(name)} was ${verdict}, and is no longer verified.`));
    } else if (holds(verdict) && (now === 'forbidden' || now === 'impossible')) {
      changes.push(change('narrower', name, `The key can no longer call ${inWords(name)}.`));
    }
  }
  return changes;
}
