import { byText } from '../../by-text.ts';
import type { Catalog, OperationName } from '../../catalog/catalog.ts';
import { endpointOf } from '../../catalog/catalog.ts';
import { type MovedInRuns, movedInRuns } from './moved-in-runs.ts';
import { operationOf, outcomeOf, type RecordedCall, type RecordedRun } from './recorded-run.ts';

/** An operation that at least one run called. */
export interface UsedOperation {
  readonly operation: OperationName;
  readonly endpoint: string;
  /** Whether it was called with `Stripe-Account`; with and without count apart. */
  readonly account: boolean;
  readonly expand: readonly string[];
  /** How many of the runs called it. */
  readonly runs: number;
  readonly calls: number;
  /** When the last run that called it began. */
  readonly lastRun: string;
  /** Statuses of its answers, each once; null where none came. */
  readonly statuses: readonly (number | null)[];
  readonly money: readonly {
    readonly currency: string;
    readonly largest: number;
    readonly largestRun: number;
  }[];
}

/** A call that the catalog does not know. */
export interface UnknownCall {
  readonly endpoint: string;
  readonly calls: number;
}

/** What some runs called, taken together. */
export interface FoldedRuns {
  readonly runs: number;
  readonly from: string;
  readonly to: string;
  /** Sorted by operation; what was answered, or wanted and not answered. */
  readonly used: readonly UsedOperation[];
  /** Wanted, and refused with 403 in every run; listed apart. */
  readonly refused: readonly UsedOperation[];
  readonly unknown: readonly UnknownCall[];
  /** Answers with 401, which say nothing. */
  readonly unauthorized: number;
  /** How many operations each run was the first to call, in the order of time. */
  readonly newByRun: readonly number[];
  /** How many operations of the next run will be new, as far as can be told: those that one run alone called, by runs (Good–Turing). */
  readonly expectedNew: number;
  /** What moved, by direction. */
  readonly moved: readonly MovedInRuns[];
  /** What the recordings could not see, each sentence once. */
  readonly unseen: readonly string[];
}

interface Gathered {
  readonly operation: OperationName;
  readonly endpoint: string;
  readonly account: boolean;
  readonly expand: Set<string>;
  readonly runs: Set<number>;
  /** The first of them. */
  readonly first: number;
  readonly statuses: Set<number | null>;
  calls: number;
  wasUsed: boolean;
  readonly money: Map<string, { largest: number; largestRun: number; inRun: Map<number, number> }>;
}

/** Runs in any order fold to the same result. */
export function foldRuns(recorded: readonly RecordedRun[], catalog: Catalog): FoldedRuns {
  const runs = [...recorded].sort((a, b) => order(a, b));
  const gathered = new Map<string, Gathered>();
  const unknown = new Map<string, number>();
  let unauthorized = 0;
  for (const [index, run] of runs.entries()) {
    for (const call of run.calls) {
      const outcome = outcomeOf(call);
      if (outcome === 'unauthorized') {
        unauthorized += call.count;
        continue;
      }
      const operation = operationOf(call, catalog);
      if (operation === undefined) {
        const endpoint = `${call.method} ${call.path}`;
        unknown.set(endpoint, (unknown.get(endpoint) ?? 0) + call.count);
        continue;
      }
      const key = `${operation.name} ${call.account}`;
      const one = gathered.get(key) ?? {
        operation: operation.name,
        endpoint: endpointOf(operation),
        account: call.account,
        expand: new Set(),
        runs: new Set(),
        first: index,
        statuses: new Set(),
        calls: 0,
        wasUsed: false,
        money: new Map(),
      };
      gathered.set(key, one);
      add(one, call, index);
      if (outcome !== 'refused') one.wasUsed = true;
    }
  }
  const all = [...gathered.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const used = all.filter(({ wasUsed }) => wasUsed);
  return {
    runs: runs.length,
    from: runs[0]?.startedAt ?? '',
    to: runs.at(-1)?.endedAt ?? '',
    used: used.map((one) => shown(one, runs)),
    refused: all.filter(({ wasUsed }) => !wasUsed).map((one) => shown(one, runs)),
    unknown: [...unknown]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([endpoint, calls]) => ({ endpoint, calls })),
    unauthorized,
    newByRun: newByRun(used, runs.length),
    expectedNew: goodTuring(used, runs.length),
    moved: movedInRuns(runs, catalog),
    unseen: [...new Set(runs.flatMap((run) => run.unseen))],
  };
}

function add(one: Gathered, call: RecordedCall, run: number): void {
  one.runs.add(run);
  one.calls += call.count;
  one.statuses.add(call.status);
  for (const path of call.expand) one.expand.add(path);
  for (const { currency, largest, sum } of call.money ?? []) {
    const known = one.money.get(currency) ?? { largest: 0, largestRun: 0, inRun: new Map<number, number>() };
    one.money.set(currency, known);
    known.largest = Math.max(known.largest, largest);
    const inRun = (known.inRun.get(run) ?? 0) + sum;
    known.inRun.set(run, inRun);
    known.largestRun = Math.max(known.largestRun, inRun);
  }
}

function shown(one: Gathered, runs: readonly RecordedRun[]): UsedOperation {
  return {
    operation: one.operation,
    endpoint: one.endpoint,
    account: one.account,
    expand: [...one.expand].sort(),
    runs: one.runs.size,
    calls: one.calls,
    lastRun: runs[Math.max(...one.runs)]?.startedAt ?? '',
    statuses: [...one.statuses].sort((a, b) => (a ?? 0) - (b ?? 0)),
    money: [...one.money]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([currency, { largest, largestRun }]) => ({ currency, largest, largestRun })),
  };
}

function newByRun(used: readonly Gathered[], runs: number): number[] {
  const counts = Array.from({ length: runs }, () => 0);
  for (const { first } of used) counts[first] = (counts[first] ?? 0) + 1;
  return counts;
}

function goodTuring(used: readonly Gathered[], runs: number): number {
  return runs === 0 ? 0 : used.filter((one) => one.runs.size === 1).length / runs;
}

function keyOf({ operation, account }: Gathered): string {
  return `${operation} ${account ? 1 : 0}`;
}

function order(a: RecordedRun, b: RecordedRun): number {
  const byTime = byText(`${a.startedAt} ${a.endedAt}`, `${b.startedAt} ${b.endedAt}`);
  // What two runs of one time called is written down only where it decides.
  return byTime !== 0 ? byTime : byText(JSON.stringify(a.calls), JSON.stringify(b.calls));
}
