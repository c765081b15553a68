import type { StripeObject } from '../object-store.ts';
import { insufficient, post } from './books.ts';
import { type Effect, type Effects, makeBeside, refuse, seconds } from './effect.ts';
import { missing, notPositive } from './money-refusals.ts';

const DAY_S = 86_400;

/** Payouts reach the bank after two days. @see https://docs.stripe.com/payouts */
const PAYOUT_DAYS = 2;

const createPayout: Effect = (object, context) => {
  const amount = Number(object.amount);
  const refused = notPositive(amount) ?? insufficient(context.store, amount, object.currency);
  if (refused !== undefined) return refused;
  Object.assign(object, { arrival_date: seconds(context) + PAYOUT_DAYS * DAY_S, status: 'pending' });
  post(context, { type: 'payout', amount: -amount, source: object });
  return undefined;
};

/** What has become of a payout on the day that it reaches the bank. */
export const payoutLater: Effect = (payout, context) => {
  if (payout.status !== 'pending' || seconds(context) < Number(payout.arrival_date)) return undefined;
  payout.status = 'paid';
  context.happened('payout.paid', payout);
  return undefined;
};

const cancelPayout: Effect = (payout, context) => {
  if (payout.status !== 'pending') return refuse('Payouts can only be canceled while they are pending.');
  payout.status = 'canceled';
  post(context, { type: 'payout_cancel', amount: Number(payout.amount), source: payout });
  context.happened('payout.canceled', payout);
  return undefined;
};

const reversePayout: Effect = (payout, context) => {
  if (payout.status !== 'paid' || payout.reversed_by !== null)
    return refuse('Payouts can only be reversed once, after they were paid.');
  const given = {
    amount: -Number(payout.amount),
    currency: payout.currency,
    metadata: context.fields.metadata,
  };
  const reversal = makeBeside('payouts', given, context);
  Object.assign(reversal, { original_payout: payout.id, status: 'pending' });
  payout.reversed_by = reversal.id;
  post(context, { type: 'payout', amount: Number(payout.amount), source: reversal });
  context.happened('payout.created', reversal);
  return undefined;
};

const createTransfer: Effect = (object, context) => {
  if (context.fields.amount === undefined) return missing('amount');
  const amount = Number(object.amount);
  const refused = notPositive(amount) ?? insufficient(context.store, amount, object.currency);
  if (refused !== undefined) return refused;
  Object.assign(object, { amount_reversed: 0, reversed: false });
  post(context, { type: 'transfer', amount: -amount, source: object });
  return undefined;
};

const reverseTransfer: Effect = (object, context) => {
  const transfer = context.store.find('transfers', context.ids[0] ?? '');
  if (transfer === undefined) return undefined;
  const left = Number(transfer.amount) - Number(transfer.amount_reversed);
  const amount = Number(context.fields.amount ?? left);
  if (amount > left || left === 0) {
    const message = `Reversal amount (${amount}) is greater than unreversed amount on transfer (${left})`;
    return refuse(message, { param: 'amount' });
  }
  const refused = notPositive(amount);
  if (refused !== undefined) return refused;
  transfer.amount_reversed = Number(transfer.amount_reversed) + amount;
  transfer.reversed = transfer.amount_reversed === transfer.amount;
  Object.assign(object, { amount, currency: transfer.currency, transfer: transfer.id });
  transfer.reversals = withReversal(transfer, object);
  post(context, { type: 'transfer_refund', amount, source: object });
  context.happened('transfer.reversed', transfer);
  return undefined;
};

/** A transfer shows its ten newest reversals. */
function withReversal({ id, reversals }: StripeObject, made: StripeObject): object {
  const { data = [] } = (reversals ?? {}) as { data?: readonly StripeObject[] };
  const all = [made, ...data];
  return {
    object: 'list',
    data: all.slice(0, 10),
    has_more: all.length > 10,
    url: `/v1/transfers/${id}/reversals`,
  };
}

const createTopup: Effect = (object, context) => {
  const refused = notPositive(Number(object.amount));
  if (refused !== undefined) return refused;
  object.status = 'succeeded';
  post(context, { type: 'topup', amount: Number(object.amount), source: object });
  context.happened('topup.succeeded', object);
  return undefined;
};

/** Creates that move the balance without a card: payouts, transfers and their reversals, top-ups. */
export const payoutEffects: Effects = {
  'payouts.create': createPayout,
  'transfers.create': createTransfer,
  'transfers.createReversal': reverseTransfer,
  'topups.create': createTopup,
};

export const payoutActions: Effects = {
  'payouts.cancel': cancelPayout,
  'payouts.reverse': reversePayout,
  'topups.cancel': () => refuse('Top-ups can only be canceled while they are pending.'),
};
