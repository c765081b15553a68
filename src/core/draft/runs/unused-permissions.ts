import {
  allows,
  type Catalog,
  type Operation,
  type OperationName,
  type PermissionName,
} from '../../catalog/catalog.ts';
import type { Expansions } from '../../catalog/expansion.ts';
import type { ImportFormatName } from './import-format.ts';
import { operationOf, outcomeOf, type RecordedCall, type RecordedRun } from './recorded-run.ts';

/** A permission that a profile grants, and what recordings say of its use. */
export interface PermissionUse {
  readonly permission: PermissionName;
  /**
   * `new`: granted later than the first run that was looked at began, or not for so long, so that nothing is said of it.
   * `unknown`: what was granted in those runs is not known.
   */
  readonly state: 'used' | 'unused' | 'new' | 'unknown';
  /** Of a write of which only the read was used: the read. */
  readonly enough?: PermissionName;
  /** When the last run that used it began; absent where none did. */
  readonly lastUsed?: string;
  /** How many of the runs used it. */
  readonly runs: number;
  /** How many of those that were looked at had it, or may have had it. */
  readonly had: number;
  /** When the first run began that is known to have had it. */
  readonly since?: string;
  readonly operations: readonly OperationName[];
}

/** What use is judged by. */
export interface UseContext {
  readonly catalog: Catalog;
  readonly expansions: Expansions;
  readonly now: Date;
  /** How far back runs count, in ms; undefined: all of them. */
  readonly windowMs?: number | undefined;
  /** Only so many of them, the last ones. */
  readonly lastRuns?: number | undefined;
  /** Calls with `Stripe-Account`, and what is granted for them. */
  readonly connect: boolean;
  /** Where the grant of a run is not known, today's is taken for it. */
  readonly isUnchanged: boolean;
}

/** What says which calls can be made, not which were. */
const OFFERED: ImportFormatName = 'mcp-tools';

/** Whether a recording says that something was called. */
export function tellsOfUse({ seenBy }: Pick<RecordedRun, 'seenBy'>): boolean {
  return seenBy.length === 0 || seenBy.some((one) => one !== OFFERED);
}

/** The runs that count, the first one first. */
export function runsWithin(
  runs: readonly RecordedRun[],
  { now, windowMs, lastRuns }: Pick<UseContext, 'now' | 'windowMs' | 'lastRuns'>,
): readonly RecordedRun[] {
  const from = windowMs === undefined ? Number.NEGATIVE_INFINITY : now.getTime() - windowMs;
  const within = runs
    .filter((run) => tellsOfUse(run) && Date.parse(run.startedAt) >= from)
    .sort((a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt));
  return lastRuns === undefined ? within : within.slice(-lastRuns);
}

/**
 * Which permissions of a grant the runs used, by a call or by what it expanded. Only those that existed all the time
 * count: a permission is `new` until every run that is looked at has had it, and until it is as old as the window.
 * @param granted what the profile grants today, without what is implied
 */
export function permissionUse(
  granted: readonly PermissionName[],
  runs: readonly RecordedRun[],
  context: UseContext,
): readonly PermissionUse[] {
  const { catalog } = context;
  const within = runsWithin(runs, context).map((run) => ({ run, used: usedBy(run, context) }));
  return granted.map((permission): PermissionUse => {
    const effective = catalog.closure([permission]);
    const users = within.filter(({ used }) => used.some((operation) => allows(effective, operation)));
    const operations = users.flatMap(({ used }) => used.filter((operation) => allows(effective, operation)));
    const enough = readThatIsEnough(permission, operations, catalog);
    const [since] = runs
      .filter((run) => holds(run, permission, context) === true)
      .map(({ startedAt }) => startedAt)
      .sort();
    const isUsed = users.length > 0 && enough === undefined;
    const lastUsed = users.at(-1)?.run.startedAt;
    return {
      permission,
      state: isUsed
        ? 'used'
        : stateUnused(
            permission,
            within.map(({ run }) => run),
            since,
            context,
          ),
      runs: users.length,
      had: within.filter(({ run }) => holds(run, permission, context) !== false).length,
      operations: [...new Set(operations.map(({ name }) => name))].sort(),
      enough,
      lastUsed,
      since,
    };
  });
}

function stateUnused(
  permission: PermissionName,
  within: readonly RecordedRun[],
  since: string | undefined,
  context: UseContext,
): 'unused' | 'new' | 'unknown' {
  const held = within.map((run) => holds(run, permission, context));
  if (held.length === 0 || held.includes(undefined)) return 'unknown';
  const { windowMs, now } = context;
  const isYoung =
    windowMs !== undefined && (since === undefined || Date.parse(since) > now.getTime() - windowMs);
  return held.includes(false) || isYoung ? 'new' : 'unused';
}

/** Whether the agent had it in that run; undefined where the grant of then is not known. */
function holds(
  { granted, connectGranted }: RecordedRun,
  permission: PermissionName,
  { catalog, connect, isUnchanged }: UseContext,
): boolean | undefined {
  const then = connect ? connectGranted : granted;
  if (then === undefined) return isUnchanged ? true : undefined;
  return catalog.closure(then).has(permission);
}

function usedBy(run: RecordedRun, { catalog, expansions, connect }: UseContext): readonly Operation[] {
  return (
    run.calls
      // A call without an answer was wanted all the same: nothing that it needs is called unused.
      .filter((call) => call.account === connect && /^(?:used|unanswered)$/.test(outcomeOf(call)))
      .flatMap((call) => {
        const operation = operationOf(call, catalog);
        return operation === undefined ? [] : [operation, ...expandedBy(call, operation, expansions)];
      })
  );
}

function expandedBy(
  { expand }: RecordedCall,
  operation: Operation,
  expansions: Expansions,
): readonly Operation[] {
  return expand.flatMap((path) => expansions.find(operation, path)?.reads.flat() ?? []);
}

/** `charge_read` for `charge_write`, where no call that was made needs more. */
function readThatIsEnough(
  permission: PermissionName,
  used: readonly Operation[],
  catalog: Catalog,
): PermissionName | undefined {
  const read = permission.replace(/_write$/, '_read');
  if (read === permission || used.length === 0 || catalog.permission(read) === undefined) return undefined;
  const effective = catalog.closure([read]);
  return used.every((operation) => allows(effective, operation)) ? read : undefined;
}
