import { moneyRuleOf } from '../../core/catalog/money.ts';
import { formatAmount } from '../../core/spend/amount.ts';
import type { CallExposure } from '../../core/spend/exposure/money-call.ts';
import { movedBy } from '../../core/spend/exposure/moved.ts';
import type { LogEvent, ReserveEvent, RowOutcome } from '../../core/spend/log-row.ts';
import type { Outcome } from './outcome.ts';

/** How a reservation ends. */
export interface Ending {
  readonly events: readonly LogEvent[];
  readonly word: 'settled' | 'released' | 'held';
  /** What must not go unseen: more moved than was reserved. */
  readonly alarm?: string | undefined;
}

/** Ends a reservation by what is known of its call; what is not known is held, and stays counted. */
export function endReservation(event: ReserveEvent, outcome: Outcome, sent: RowOutcome): Ending {
  const { reservation, run, operation } = event;
  const row = { reservation, run, operation, ...sent };
  switch (outcome.kind) {
    case 'unknown':
      return { events: [{ kind: 'hold', ...row, why: outcome.why }], word: 'held' };
    case 'not-done':
      return { events: [{ kind: 'release', ...row, why: outcome.why }], word: 'released' };
    case 'replayed':
      return {
        events: [{ kind: 'release', ...row, why: 'moved before the guard knew of it' }],
        word: 'released',
      };
    case 'done':
      return settled(event, outcome.facts, row);
  }
}

type Facts = Extract<Outcome, { kind: 'done' }>['facts'];

function settled(event: ReserveEvent, facts: Facts, row: RowOutcome & { reservation: string }): Ending {
  const { operation = '', amount, currency, direction, totalOf, object = null } = event;
  const rule = moneyRuleOf(operation);
  if (rule === undefined || amount === undefined || currency === undefined) {
    return { events: [{ kind: 'settle', ...row, amount: 0 }], word: 'settled' };
  }
  const exposure: CallExposure = {
    direction,
    amount,
    currency,
    object,
    asked: '',
    ...(totalOf === undefined ? {} : { totalOf: totalOf.startsWith('new ') ? 'new' : totalOf }),
  };
  const moved = movedBy(rule, exposure, facts);
  const settle: LogEvent = { kind: 'settle', ...row, currency, ...moved };
  if (moved.amount <= amount) return { events: [settle], word: 'settled' };
  const over = { minor: moved.amount - amount, currency };
  const { run, profile, method } = event;
  return {
    events: [
      settle,
      { kind: 'overrun', ...row, run, profile, method, amount: over.minor, currency, direction },
    ],
    word: 'settled',
    alarm: `${operation} moved ${formatAmount(over)} more than was reserved (run ${run}); it is counted.`,
  };
}
