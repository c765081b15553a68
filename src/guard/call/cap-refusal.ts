import { formatAmount } from '../../core/spend/amount.ts';
import { capName } from '../../core/spend/cap.ts';
import type { NotReserved } from '../../core/spend/reserve-request.ts';
import type { Refusal } from '../refusal.ts';

/** Why nothing was reserved, for whoever asked. @param currency of the call */
export function capRefusal(not: NotReserved, currency: string | undefined): Refusal {
  switch (not.why) {
    case 'killed':
      return { code: 'keyaudit_run_killed', why: 'the run was killed' };
    case 'ended':
      return { code: 'keyaudit_run_ended', why: 'the run has ended' };
    case 'repeated':
      return {
        code: 'keyaudit_repeated_call',
        why: 'this run has made the same call already: the same operation, object and amount',
      };
    case 'not-capped':
      return {
        code: 'keyaudit_currency_not_capped',
        why: `no cap says how much ${not.currency ?? 'of it'} may be moved`,
        param: 'currency',
      };
    case 'unknown-object':
      return {
        code: 'keyaudit_amount_unknown',
        why: `a cap counts per ${not.per}, and Stripe does not say which ${not.per} the call is about`,
      };
    case 'cap': {
      const { cap, unit, asked, left, of, until } = not;
      const text = (count: number) =>
        unit === 'calls' || currency === undefined
          ? `${count} call${count === 1 ? '' : 's'}`
          : formatAmount({ minor: count, currency });
      const end = until === undefined ? '' : ` until ${new Date(until).toISOString().replace('.000Z', 'Z')}`;
      return {
        code: 'keyaudit_spend_cap_exceeded',
        why: `${text(asked)} asked, ${text(left)} left of ${text(of)} ${capName(cap)}${end}`,
        param: unit === 'amount' ? 'amount' : undefined,
      };
    }
  }
}
