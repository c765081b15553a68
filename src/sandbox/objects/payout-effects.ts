import type { OperationName } from '../../core/catalog/catalog.ts';
import { errorAnswer } from '../../http/answer.ts';
import { insufficient, post } from './books.ts';
import type { Effect } from './effects.ts';
import { missing, notPositive } from './money-refusals.ts';

/** Creates that move the balance without a card: payouts, transfers and their reversals, top-ups. */
export const payoutEffects: Readonly<Record<OperationName, Effect>> = {
  'payouts.create': (object, context) => {
    const amount = Number(object.amount);
    const refused = notPositive(amount) ?? insufficient(context.store, amount, object.currency);
    if (refused !== undefined) return refused;
    object.status = 'pending';
    post(context, { type: 'payout', amount: -amount, source: object });
    return undefined;
  },
  'transfers.create': (object, context) => {
    if (context.fields.amount === undefined) return missing('amount');
    const amount = Number(object.amount);
    const refused = notPositive(amount) ?? insufficient(context.store, amount, object.currency);
    if (refused !== undefined) return refused;
    Object.assign(object, { amount_reversed: 0, reversed: false });
    post(context, { type: 'transfer', amount: -amount, source: object });
    return undefined;
  },
  'transfers.createReversal': (object, context) => {
    const transfer = context.store.find('transfers', context.ids[0] ?? '');
    if (transfer === undefined) return undefined;
    const left = Number(transfer.amount) - Number(transfer.amount_reversed);
    const amount = Number(context.fields.amount ?? left);
    if (amount > left || left === 0) {
      return errorAnswer(400, {
        message: `Reversal amount (${amount}) is greater than unreversed amount on transfer (${left})`,
        param: 'amount',
      });
    }
    const refused = notPositive(amount);
    if (refused !== undefined) return refused;
    transfer.amount_reversed = Number(transfer.amount_reversed) + amount;
    transfer.reversed = transfer.amount_reversed === transfer.amount;
    Object.assign(object, { amount, currency: transfer.currency, transfer: transfer.id });
    post(context, { type: 'transfer_refund', amount, source: object });
    return undefined;
  },
  'topups.create': (object, context) => {
    const refused = notPositive(Number(object.amount));
    if (refused !== undefined) return refused;
    object.status = 'succeeded';
    post(context, { type: 'topup', amount: Number(object.amount), source: object });
    return undefined;
  },
};
