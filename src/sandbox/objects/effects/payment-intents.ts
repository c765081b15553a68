import { type Answer, errorAnswer } from '../../../http/answer.ts';
import type { Fields } from '../../../http/form-body.ts';
import type { StripeObject } from '../object-store.ts';
import { type CardFields, cannotAttach, cardOf, declined, methodIn, mustAuthenticate } from './cards.ts';
import { failCharge, received, setCharge } from './charges.ts';
import {
  type Effect,
  type EffectContext,
  type Effects,
  idIn,
  makeBeside,
  refuse,
  seconds,
  traitsOf,
} from './effect.ts';
import { authenticationRequired, notPositive, tooMuch, withObject } from './money-refusals.ts';

function setMethod(intent: StripeObject, context: EffectContext): void {
  const { payment_method: given, payment_method_data: data, source } = context.fields;
  if (typeof data === 'object' && data !== null) {
    const { type = 'card', card } = data as Fields;
    const fields = type === 'card' ? { card: cardOf(card, context) ?? {} } : {};
    intent.payment_method = makeBeside('payment_methods', { ...data, ...fields }, context).id;
  } else if (given !== undefined) intent.payment_method = methodIn(given, context) ?? null;
  else if (typeof source === 'string') {
    // What the older calls named by its token.
    const card = cardOf(source, context);
    if (card !== undefined)
      intent.payment_method = makeBeside('payment_methods', { type: 'card', card }, context).id;
  }
}

function statusBefore(intent: StripeObject): string {
  return idIn(intent.payment_method) === undefined ? 'requires_payment_method' : 'requires_confirmation';
}

const createIntent: Effect = (object, context) => {
  const { fields } = context;
  const refused = notPositive(Number(object.amount));
  if (refused !== undefined) return refused;
  setMethod(object, context);
  Object.assign(object, {
    amount_capturable: 0,
    amount_received: 0,
    capture_method: fields.capture_method ?? 'automatic',
    client_secret: `${object.id}_secret_ofTheSandbox`,
    latest_charge: null,
    status: statusBefore(object),
  });
  return fields.confirm === true ? confirmIntent(object, context) : undefined;
};

/** Pays a payment intent, authorises it, or asks the customer. */
export function confirmIntent(intent: StripeObject, context: EffectContext): Answer | undefined {
  const method = idIn(intent.payment_method);
  if (method === undefined) {
    return unexpected(
      "You cannot confirm this PaymentIntent because it's missing a payment method. Update the PaymentIntent with a payment method and then confirm it again.",
      intent,
    );
  }
  if (UNCHANGEABLE.has(String(intent.status))) return unexpectedState(intent, 'confirmed');
  const { fields } = context;
  const card = cardOf(method, context);
  const offSession = fields.off_session === true || fields.off_session === 'true';
  if (mustAuthenticate(card, offSession) && intent.status !== 'requires_action') {
    if (offSession || fields.error_on_requires_action === true)
      return failIntent(intent, authenticationRequired(), card, context);
    const url = `https://hooks.stripe.invalid/redirect/authenticate/${intent.id}`;
    const redirect = { return_url: fields.return_url ?? null, url };
    Object.assign(intent, {
      next_action: { type: 'redirect_to_url', redirect_to_url: redirect },
      status: 'requires_action',
    });
    context.happened('payment_intent.requires_action', intent);
    return undefined;
  }
  intent.next_action = null;
  const no = declined(card);
  if (no !== undefined) return failIntent(intent, no, card, context);
  authorise(intent, card, context);
  return undefined;
}

function authorise(intent: StripeObject, card: CardFields | undefined, context: EffectContext): void {
  const isManual = intent.capture_method === 'manual';
  const charge = chargeOf(intent, context);
  setCharge(
    charge,
    card,
    { amount_captured: isManual ? 0 : intent.amount, captured: !isManual, payment_intent: intent.id },
    context,
  );
  Object.assign(intent, { latest_charge: charge.id, last_payment_error: null });
  const customer = idIn(intent.customer);
  const method = context.store.find('payment_methods', String(idIn(intent.payment_method)));
  if (intent.setup_future_usage !== null && customer !== undefined && method !== undefined)
    method.customer = customer;
  context.happened('charge.succeeded', charge);
  if (isManual) {
    Object.assign(intent, { status: 'requires_capture', amount_capturable: intent.amount });
    context.happened('payment_intent.amount_capturable_updated', intent);
    return;
  }
  Object.assign(intent, { amount_capturable: 0, amount_received: intent.amount, status: 'succeeded' });
  received(charge, Number(intent.amount), context);
  context.happened('payment_intent.succeeded', intent);
}

function chargeOf(intent: StripeObject, context: EffectContext): StripeObject {
  return makeBeside(
    'charges',
    {
      amount: intent.amount,
      currency: intent.currency,
      customer: intent.customer ?? null,
      description: intent.description ?? null,
      metadata: intent.metadata,
      payment_method: idIn(intent.payment_method),
      receipt_email: intent.receipt_email ?? null,
    },
    context,
  );
}

function failIntent(
  intent: StripeObject,
  answer: Answer,
  card: CardFields | undefined,
  context: EffectContext,
): Answer {
  const charge = chargeOf(intent, context);
  setCharge(charge, card, { payment_intent: intent.id }, context);
  const failed = failCharge(charge, answer, context);
  const { error } = failed.body as { error: Fields };
  const method = context.store.find('payment_methods', String(idIn(intent.payment_method)));
  Object.assign(intent, {
    last_payment_error: { ...error, payment_method: method },
    latest_charge: charge.id,
    next_action: null,
    payment_method: null,
    status: 'requires_payment_method',
  });
  context.happened('payment_intent.payment_failed', intent);
  return withObject(failed, { payment_intent: intent, payment_method: method });
}

const confirm: Effect = (intent, context) => {
  const { payment_method: _method, payment_method_data: _data, ...more } = context.fields;
  if (!UNCHANGEABLE.has(String(intent.status))) context.maker.update(intent, more, traitsOf(context));
  setMethod(intent, context);
  return confirmIntent(intent, context);
};

const UNCHANGEABLE: ReadonlySet<string> = new Set(['succeeded', 'canceled', 'requires_capture']);

const capture: Effect = (intent, context) => {
  if (intent.status !== 'requires_capture') return unexpectedState(intent, 'captured');
  const { fields, store } = context;
  const capturable = Number(intent.amount_capturable);
  const amount = Number(fields.amount_to_capture ?? capturable);
  const refused = tooMuch(amount, capturable, 'amount_to_capture');
  if (refused !== undefined) return refused;
  const charge = store.find('charges', String(intent.latest_charge));
  if (charge === undefined) return unexpectedState(intent, 'captured');
  const total = Number(charge.amount_captured) + amount;
  Object.assign(charge, { captured: true, amount_captured: total });
  intent.amount_received = total;
  received(charge, amount, context);
  context.happened('charge.captured', charge);
  if (fields.final_capture === false && amount < capturable) {
    intent.amount_capturable = capturable - amount;
    context.happened('payment_intent.amount_capturable_updated', intent);
    return undefined;
  }
  Object.assign(intent, { amount_capturable: 0, status: 'succeeded' });
  context.happened('payment_intent.succeeded', intent);
  return undefined;
};

const increment: Effect = (intent, context) => {
  if (intent.status !== 'requires_capture') return unexpectedState(intent, 'incremented');
  const amount = Number(context.fields.amount);
  if (amount <= Number(intent.amount)) {
    const message = `The amount of an incremental authorization must be greater than the current amount, ${String(intent.amount)}.`;
    return refuse(message, { param: 'amount' });
  }
  const charge = context.store.find('charges', String(intent.latest_charge));
  if (charge !== undefined) charge.amount = amount;
  Object.assign(intent, { amount, amount_capturable: amount });
  context.happened('payment_intent.amount_capturable_updated', intent);
  return undefined;
};

const cancel: Effect = (intent, context) => {
  if (intent.status === 'succeeded' || intent.status === 'canceled')
    return unexpectedState(intent, 'canceled');
  const charge = context.store.find('charges', String(intent.latest_charge));
  if (intent.status === 'requires_capture' && charge?.captured === false) {
    // What was held is free again; it never came in.
    Object.assign(charge, { amount_refunded: charge.amount, refunded: true });
    context.happened('charge.refunded', charge);
  }
  Object.assign(intent, {
    amount_capturable: 0,
    canceled_at: seconds(context),
    cancellation_reason: context.fields.cancellation_reason ?? null,
    next_action: null,
    status: 'canceled',
  });
  context.happened('payment_intent.canceled', intent);
  return undefined;
};

/** What was paid, held or given up keeps its amount. */
const mayUpdate: Effect = (intent, { fields }) => {
  const isOver = UNCHANGEABLE.has(String(intent.status));
  return isOver && (fields.amount !== undefined || fields.currency !== undefined)
    ? unexpectedState(intent, 'updated')
    : undefined;
};

const update: Effect = (intent, context) => {
  const { fields } = context;
  if (fields.payment_method === undefined && fields.payment_method_data === undefined) return undefined;
  setMethod(intent, context);
  if (intent.status !== 'succeeded' && intent.status !== 'requires_capture')
    intent.status = statusBefore(intent);
  return undefined;
};

function unexpectedState(intent: StripeObject, done: string): Answer {
  return unexpected(
    `This PaymentIntent could not be ${done} because it has a status of ${String(intent.status)}.`,
    intent,
  );
}

function unexpected(message: string, intent: StripeObject): Answer {
  const answer = errorAnswer(400, { code: 'payment_intent_unexpected_state', message });
  return withObject(answer, { payment_intent: intent });
}

const createSetup: Effect = (object, context) => {
  setMethod(object, context);
  Object.assign(object, {
    client_secret: `${object.id}_secret_ofTheSandbox`,
    latest_attempt: null,
    status: statusBefore(object),
  });
  return context.fields.confirm === true ? confirmSetup(object, context) : undefined;
};

const confirmSetup: Effect = (setup, context) => {
  setMethod(setup, context);
  const method = context.store.find('payment_methods', String(idIn(setup.payment_method)));
  if (method === undefined || setup.status === 'succeeded' || setup.status === 'canceled') {
    const message = `This SetupIntent could not be confirmed because it has a status of ${String(setup.status)}.`;
    return errorAnswer(400, { code: 'setup_intent_unexpected_state', message });
  }
  const card = cardOf(method.id, context);
  const no = cannotAttach(card);
  if (no !== undefined) {
    const { error } = no.body as { error: Fields };
    Object.assign(setup, {
      last_setup_error: error,
      payment_method: null,
      status: 'requires_payment_method',
    });
    context.happened('setup_intent.setup_failed', setup);
    return withObject(no, { setup_intent: setup });
  }
  if (mustAuthenticate(card, true) && setup.status !== 'requires_action') {
    const url = `https://hooks.stripe.invalid/redirect/authenticate/${setup.id}`;
    const redirect = { return_url: context.fields.return_url ?? null, url };
    Object.assign(setup, {
      next_action: { type: 'redirect_to_url', redirect_to_url: redirect },
      status: 'requires_action',
    });
    context.happened('setup_intent.requires_action', setup);
    return undefined;
  }
  Object.assign(setup, { next_action: null, status: 'succeeded' });
  const customer = idIn(setup.customer);
  if (customer !== undefined) method.customer = customer;
  context.happened('setup_intent.succeeded', setup);
  return undefined;
};

const cancelSetup: Effect = (setup, context) => {
  if (setup.status === 'succeeded' || setup.status === 'canceled') {
    const message = `You cannot cancel this SetupIntent because it has a status of ${String(setup.status)}.`;
    return errorAnswer(400, { code: 'setup_intent_unexpected_state', message });
  }
  Object.assign(setup, {
    cancellation_reason: context.fields.cancellation_reason ?? null,
    next_action: null,
    status: 'canceled',
  });
  context.happened('setup_intent.canceled', setup);
  return undefined;
};

export const intentEffects: Effects = {
  'paymentIntents.create': createIntent,
  'setupIntents.create': createSetup,
};

export const intentChecks: Effects = { 'paymentIntents.update': mayUpdate };

export const intentActions: Effects = {
  'paymentIntents.cancel': cancel,
  'paymentIntents.capture': capture,
  'paymentIntents.confirm': confirm,
  'paymentIntents.incrementAuthorization': increment,
  'paymentIntents.update': update,
  'setupIntents.cancel': cancelSetup,
  'setupIntents.confirm': confirmSetup,
};
