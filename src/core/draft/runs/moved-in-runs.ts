import { byText } from '../../by-text.ts';
import type { Catalog, OperationName } from '../../catalog/catalog.ts';
import { moneyRuleOf } from '../../catalog/money.ts';
import type { Direction } from '../../catalog/money-rule.ts';
import { operationOf, type RecordedCall, type RecordedRun, wasStopped } from './recorded-run.ts';

/** What moved in one currency, in minor units. */
export interface MovedAmount {
  /** Undefined where no call named it, and the others do not tell. */
  readonly currency: string | undefined;
  /** By one call. */
  readonly largest: number;
  /** By all calls of one run. */
  readonly largestRun: number;
}

/** What some runs moved in one direction. */
export interface MovedInRuns {
  readonly direction: Direction;
  readonly operations: readonly OperationName[];
  /** The most calls of one run. */
  readonly calls: number;
  readonly amounts: readonly MovedAmount[];
  /** Operations of which a call named no amount: it stands on an object, or all that is left moves. */
  readonly withoutAmount: readonly OperationName[];
}

/** Calls that moved money, or may have; sorted by direction. What Stripe turned down moved nothing. */
export function movedInRuns(runs: readonly RecordedRun[], catalog: Catalog): readonly MovedInRuns[] {
  const directions = new Map<Direction, Gathered>();
  for (const [index, run] of runs.entries()) {
    for (const call of run.calls) {
      const operation = operationOf(call, catalog)?.name;
      const rule = operation === undefined ? undefined : moneyRuleOf(operation);
      if (operation === undefined || rule === undefined || !mayHaveMoved(call)) continue;
      if (rule.moneyClass === 'none' || rule.moneyClass === 'test' || rule.direction === 'none') continue;
      const gathered = directions.get(rule.direction) ?? newGathered();
      directions.set(rule.direction, gathered);
      gathered.operations.add(operation);
      gathered.calls.set(index, (gathered.calls.get(index) ?? 0) + call.count);
      if (call.money === undefined) gathered.withoutAmount.add(operation);
      for (const { currency, largest, sum } of call.money ?? []) {
        const known = gathered.amounts.get(currency) ?? { largest: 0, inRun: new Map<number, number>() };
        gathered.amounts.set(currency, known);
        known.largest = Math.max(known.largest, largest);
        known.inRun.set(index, Math.min((known.inRun.get(index) ?? 0) + sum, Number.MAX_SAFE_INTEGER));
      }
    }
  }
  const named = new Set([...directions.values()].flatMap(({ amounts }) => [...amounts.keys()]));
  named.delete('');
  const [only] = named.size === 1 ? named : [];
  return [...directions]
    .sort(([a], [b]) => byText(a, b))
    .map(([direction, { operations, calls, amounts, withoutAmount }]) => ({
      direction,
      operations: [...operations].sort(),
      calls: Math.max(...calls.values()),
      amounts: inOneCurrency(amounts, only),
      withoutAmount: [...withoutAmount].sort(),
    }));
}

interface Gathered {
  readonly operations: Set<OperationName>;
  readonly withoutAmount: Set<OperationName>;
  /** By run. */
  readonly calls: Map<number, number>;
  /** By currency; '' where a call named none. */
  readonly amounts: Map<string, { largest: number; readonly inRun: Map<number, number> }>;
}

function newGathered(): Gathered {
  return { operations: new Set(), withoutAmount: new Set(), calls: new Map(), amounts: new Map() };
}

/** Answered with success, or without an answer that tells. */
function mayHaveMoved({ status, code }: RecordedCall): boolean {
  if (wasStopped(code)) return false;
  return status === null || status < 300 || status >= 500;
}

/** A refund names an amount and no currency: where all else is in one currency, so is that. */
function inOneCurrency(amounts: Gathered['amounts'], only: string | undefined): readonly MovedAmount[] {
  const merged = new Map<string, { largest: number; readonly inRun: Map<number, number> }>();
  for (const [currency, { largest, inRun }] of amounts) {
    const name = currency === '' ? (only ?? '') : currency;
    const known = merged.get(name) ?? { largest: 0, inRun: new Map<number, number>() };
    merged.set(name, known);
    known.largest = Math.max(known.largest, largest);
    for (const [run, sum] of inRun) known.inRun.set(run, (known.inRun.get(run) ?? 0) + sum);
  }
  return [...merged]
    .sort(([a], [b]) => byText(a, b))
    .map(([currency, { largest, inRun }]) => ({
      currency: currency === '' ? undefined : currency,
      largest,
      largestRun: Math.max(...inRun.values()),
    }));
}
