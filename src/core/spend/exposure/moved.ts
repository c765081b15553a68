import type { MoneyRule } from '../../catalog/money-rule.ts';
import type { CallExposure, StripeFacts } from './money-call.ts';
import { intentTotal } from './payment-intents.ts';
import { currencyIn, idIn, minorIn, pathIn, valuesAt } from './places.ts';

/** What a call moved, by the answer to it. */
export interface Moved {
  /** In minor units; for a total, the object's new total. */
  readonly amount: number;
  /** The answer told all that the object has come to. */
  readonly isWhole: boolean;
  /** The object that totals count on, which only the answer named. */
  readonly totalOf?: string;
  /** What the call made or changed. */
  readonly object: string | null;
  /** It can still fail, days later: a refund, a payout or a debit that is on its way. */
  readonly isPending: boolean;
}

/** Statuses of what is on its way. */
const ON_ITS_WAY: ReadonlySet<unknown> = new Set(['pending', 'in_transit', 'processing', 'requires_action']);

/**
 * What moved, by an answer of the 2xx class. What the answer does not say is taken to be all that was reserved. An
 * answer in another currency than was reserved is taken to be no account of it.
 */
export function movedBy(rule: MoneyRule, exposure: CallExposure, answer: StripeFacts): Moved {
  const object = idIn(answer.id);
  const isPending = ON_ITS_WAY.has(answer.status) && rule.mode !== 'total';
  const currency = currencyIn(answer.currency);
  const isOther = currency !== undefined && currency !== exposure.currency;
  if (exposure.totalOf !== undefined) {
    const told = answer.object === 'payment_intent' || answer.object === 'charge';
    const total = isOther || !told ? undefined : totalOf(answer);
    return {
      amount: total ?? exposure.amount,
      isWhole: total !== undefined,
      ...(exposure.totalOf === 'new' && object !== null ? { totalOf: object } : {}),
      object,
      isPending,
    };
  }
  const told = isOther ? undefined : amountTold(rule, answer);
  return { amount: told ?? exposure.amount, isWhole: false, object, isPending };
}

function totalOf(answer: StripeFacts): number | undefined {
  if (answer.object === 'payment_intent') return intentTotal(answer);
  return answer.captured === true
    ? (minorIn(answer.amount_captured) ?? minorIn(answer.amount))
    : minorIn(answer.amount);
}

function amountTold(rule: MoneyRule, answer: StripeFacts): number | undefined {
  // What an object says that the call only changed, such as an invoice, is not what the call moved.
  const isMade = /\.(?:create|createRefund|createReversal|createBalanceTransaction)$/.test(rule.operation);
  const paths = rule.amount.flatMap((place) => pathIn(place, 'response') ?? []);
  for (const path of paths) {
    const told = minorIn(valuesAt(answer, path)[0]);
    if (told !== undefined) return Math.abs(told);
  }
  if (!isMade || rule.moneyClass !== 'request') return undefined;
  const value = minorIn(answer.amount) ?? minorIn(valuesAt(answer, 'amount.value')[0]);
  // A credit note's answer is the only one to know what lines came to.
  const total = rule.operation === 'creditNotes.create' ? minorIn(answer.total) : undefined;
  const all = total === undefined ? value : Math.max(total, value ?? 0);
  return all === undefined ? undefined : Math.abs(all);
}
