import type { OperationName } from '../../catalog/catalog.ts';
import { moneyRuleOf } from '../../catalog/money.ts';
import type { Amount } from '../../spend/amount.ts';
import type { Cap } from '../../spend/cap.ts';
import { stepOf } from '../../spend/currency.ts';
import type { MovedInRuns } from './moved-in-runs.ts';

/** Caps for a guard, as far as some runs say what an agent needs: a proposal, for a person to agree to. */
export interface ProposedCaps {
  readonly caps: readonly Cap[];
  /** Calls whose amount nobody can tell; undefined where there was none. */
  readonly unpriced: { readonly calls: number; readonly of: readonly OperationName[] } | undefined;
  /** What the runs did not show, one sentence each. */
  readonly open: readonly string[];
}

/** Per call the largest that was seen, per run the largest run, rounded up; undefined where nothing moved. */
export function capsOfRuns(moved: readonly MovedInRuns[]): ProposedCaps | undefined {
  if (moved.length === 0) return undefined;
  const unpriced = moved.flatMap(({ operations }) => operations).filter(isUnpriced);
  const priced = moved.filter(({ operations }) => !operations.every(isUnpriced));
  return {
    caps: priced.flatMap(capsIn),
    unpriced:
      unpriced.length === 0
        ? undefined
        : {
            calls: moved
              .filter(({ operations }) => operations.some(isUnpriced))
              .reduce((sum, { calls }) => sum + calls, 0),
            of: [...unpriced].sort(),
          },
    open: priced.flatMap(openIn),
  };
}

/** Whether no request, object or answer tells in time what a call moves, or it decides where money goes. */
function isUnpriced(operation: OperationName): boolean {
  const rule = moneyRuleOf(operation);
  return rule !== undefined && rule.mode === 'unknown';
}

function capsIn({ direction, calls, amounts }: MovedInRuns): readonly Cap[] {
  const of = [direction];
  const rounded = (pick: 'largest' | 'largestRun') =>
    amounts.flatMap(({ currency, ...amount }): Amount[] =>
      currency === undefined ? [] : [{ minor: roundedUp(amount[pick], currency), currency }],
    );
  const perCall = rounded('largest');
  return [
    ...(perCall.length === 0 ? [] : [{ per: 'call', amounts: perCall, of } as const]),
    { per: 'run', amounts: rounded('largestRun'), calls, of },
  ];
}

function openIn({ direction, amounts, withoutAmount }: MovedInRuns): readonly string[] {
  const unknown = amounts.find(({ currency }) => currency === undefined);
  const priced = withoutAmount.filter((operation) => !isUnpriced(operation));
  return [
    ...(unknown === undefined
      ? []
      : [
          `${direction}: no call named the currency; in its smallest unit at most ${unknown.largest} a call, ${unknown.largestRun} a run.`,
        ]),
    ...(priced.length === 0
      ? []
      : [
          `${direction}: calls of ${priced.join(', ')} named no amount, so what they moved is not in these caps.`,
        ]),
  ];
}

/** To two digits, and to what the currency can be paid in. */
function roundedUp(minor: number, currency: string): number {
  const digits = 10 ** Math.max(0, String(minor).length - 2);
  const step = Math.max(digits, stepOf(currency));
  return Math.min(Math.ceil(minor / step) * step, Number.MAX_SAFE_INTEGER);
}
