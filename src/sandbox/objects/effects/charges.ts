import { type Answer, errorAnswer } from '../../../http/answer.ts';
import type { Fields } from '../../../http/form-body.ts';
import type { StripeObject } from '../object-store.ts';
import { post } from './books.ts';
import { type CardFields, cardOf, cardOfCharge, declined, disputeReason, refundManner } from './cards.ts';
import { openDispute } from './disputes.ts';
import { type Effect, type EffectContext, type Effects, idIn, refuse, seconds, traitsOf } from './effect.ts';
import { alreadyRefunded, missing, notPositive, tooMuch, withObject } from './money-refusals.ts';

/** Fills in what every charge has, whatever made it. */
export function setCharge(
  charge: StripeObject,
  card: CardFields | undefined,
  more: Fields,
  context: EffectContext,
): void {
  const plain = { amount_refunded: 0, disputed: false, paid: true, refunded: false, status: 'succeeded' };
  Object.assign(charge, plain, more);
  if (card === undefined) return;
  context.maker.update(charge, { payment_method_details: { type: 'card', card } }, traitsOf(context));
}

/** A charge that the card refused: it is kept, and moves nothing. */
export function failCharge(charge: StripeObject, answer: Answer, context: EffectContext): Answer {
  const { error } = answer.body as { error: { code: string; message: string } };
  Object.assign(charge, {
    amount_captured: 0,
    captured: false,
    failure_code: error.code,
    failure_message: error.message,
    paid: false,
    status: 'failed',
  });
  context.happened('charge.failed', charge);
  return withObject(answer, { charge: charge.id });
}

/** Money has come in: the books, and the dispute where the card is one that disputes. */
export function received(charge: StripeObject, amount: number, context: EffectContext): void {
  post(context, { type: 'charge', amount, source: charge });
  const reason = disputeReason(cardOfCharge(charge));
  if (reason !== undefined) openDispute(charge, reason, context);
}

const createCharge: Effect = (object, context) => {
  const { fields, store } = context;
  // The SDK declares both optional; Stripe refuses a charge without them.
  for (const name of ['amount', 'currency']) if (fields[name] === undefined) return missing(name);
  const refused = notPositive(Number(object.amount));
  if (refused !== undefined) return refused;
  const customer = store.find('customers', String(fields.customer));
  const source = fields.source ?? idIn(customer?.default_source);
  const card = source === undefined ? undefined : cardOf(source, context);
  const captured = fields.capture !== false;
  const amountCaptured = captured ? object.amount : 0;
  setCharge(object, card, { amount_captured: amountCaptured, captured, payment_intent: null }, context);
  const no = declined(card);
  if (no !== undefined) return failCharge(object, no, context);
  if (captured) received(object, Number(object.amount), context);
  context.happened('charge.succeeded', object);
  return undefined;
};

const createRefund: Effect = (object, context) => {
  const { fields, store } = context;
  if (fields.charge === undefined && fields.payment_intent === undefined) {
    return refuse(
      'One of the following params should be provided for this request: payment_intent or charge.',
      { code: 'parameter_missing' },
    );
  }
  const intent = store.find('payment_intents', String(fields.payment_intent));
  const charge = store.find('charges', String(fields.charge ?? intent?.latest_charge));
  if (charge === undefined || charge.status === 'failed')
    return refuse('This PaymentIntent does not have a successful charge to refund.');
  // Of what was never captured all can go back, which only frees it.
  const whole = Number(charge.captured === true ? charge.amount_captured : charge.amount);
  const left = whole - Number(charge.amount_refunded);
  const amount = Number(fields.amount ?? left);
  if (left <= 0) return alreadyRefunded(charge);
  const refused = notPositive(amount);
  if (refused !== undefined) return refused;
  if (charge.disputed === true) {
    const message = `Charge ${charge.id} has been charged back; cannot issue a refund.`;
    return errorAnswer(400, { code: 'charge_disputed', message });
  }
  if (amount > left) {
    return refuse(`Refund amount (${amount}) is greater than unrefunded amount on charge (${left})`, {
      param: 'amount',
    });
  }
  charge.amount_refunded = Number(charge.amount_refunded) + amount;
  charge.refunded = charge.amount_refunded === whole;
  const isPending = refundManner(cardOfCharge(charge)) === 'pending';
  Object.assign(object, {
    amount,
    charge: charge.id,
    currency: charge.currency,
    status: isPending ? 'pending' : 'succeeded',
    ...(isPending ? { pending_reason: 'processing' } : {}),
  });
  object.payment_intent ??= charge.payment_intent;
  if (charge.captured === true) post(context, { type: 'refund', amount: -amount, source: object });
  for (const name of ['reverse_transfer', 'refund_application_fee'])
    if (fields[name] === true) context.notModelled(name);
  context.happened('charge.refunded', charge);
  return undefined;
};

/** The money of a refund that failed comes back to the balance. @see https://docs.stripe.com/refunds#failed-refunds */
function failRefund(refund: StripeObject, reason: string, context: EffectContext): void {
  const charge = context.store.find('charges', String(refund.charge));
  if (charge !== undefined) {
    charge.amount_refunded = Number(charge.amount_refunded) - Number(refund.amount);
    charge.refunded = false;
  }
  Object.assign(refund, { status: 'failed', failure_reason: reason });
  delete refund.pending_reason;
  const { id } = post(context, { type: 'refund_failure', amount: Number(refund.amount), source: refund });
  refund.failure_balance_transaction = id;
  context.happened('refund.failed', refund);
}

function mannerOf(refund: StripeObject, { store }: EffectContext) {
  const charge = store.find('charges', String(refund.charge));
  return charge === undefined ? undefined : refundManner(cardOfCharge(charge));
}

/** Whether time changes a refund no more: most cards never show it. */
export function refundIsOver(refund: StripeObject, context: EffectContext): boolean {
  if (refund.status === 'pending') return false;
  return seconds(context) > Number(refund.created) || mannerOf(refund, context) === undefined;
}

/** What has become of a refund a second after it was made, on the cards that show it. */
export const refundLater: Effect = (refund, context) => {
  if (seconds(context) <= Number(refund.created)) return undefined;
  const manner = mannerOf(refund, context);
  if (manner === 'fails' && refund.status === 'succeeded') failRefund(refund, 'lost_or_stolen_card', context);
  if (manner === 'pending' && refund.status === 'pending') {
    refund.status = 'succeeded';
    delete refund.pending_reason;
    context.happened('refund.updated', refund);
  }
  return undefined;
};

const cancelRefund: Effect = (refund, context) => {
  if (refund.status !== 'pending' && refund.status !== 'requires_action') {
    return refuse(
      `Refund ${refund.id} cannot be canceled because it has a status of ${String(refund.status)}.`,
    );
  }
  failRefund(refund, 'merchant_request', context);
  refund.status = 'canceled';
  return undefined;
};

const captureCharge: Effect = (object, context) => {
  if (object.captured === true) {
    const message = `Charge ${object.id} has already been captured.`;
    return errorAnswer(400, { code: 'charge_already_captured', message });
  }
  if (object.payment_intent !== null && object.payment_intent !== undefined) {
    const message = `This charge was created by the PaymentIntent ${String(object.payment_intent)}; capture that instead.`;
    return refuse(message);
  }
  const amount = Number(context.fields.amount ?? object.amount);
  const refused =
    object.refunded === true ? alreadyRefunded(object) : tooMuch(amount, Number(object.amount), 'amount');
  if (refused !== undefined) return refused;
  Object.assign(object, { captured: true, amount_captured: amount });
  received(object, amount, context);
  context.happened('charge.captured', object);
  return undefined;
};

/** The card of a token, so that what is made from it does as the card does. */
const createToken: Effect = (object, context) => {
  const card = cardOf(context.fields.card, context);
  if (card === undefined) return undefined;
  object.card = context.maker.makeKind('card', { ...card }, traitsOf(context));
  return undefined;
};

export const chargeEffects: Effects = {
  'charges.create': createCharge,
  'refunds.create': createRefund,
  'tokens.create': createToken,
};

export const chargeActions: Effects = {
  'charges.capture': captureCharge,
  'refunds.cancel': cancelRefund,
  'testHelpers.refunds.expire': cancelRefund,
};
