import type { OperationName } from '../../core/catalog/catalog.ts';
import { type Answer, errorAnswer } from '../../http/answer.ts';
import type { Fields } from '../../http/form-body.ts';
import { payoutEffects, post } from './books.ts';
import type { ObjectMaker, ObjectTraits } from './make-object.ts';
import { alreadyRefunded, decline, missing, notPositive, tooMuch } from './money-refusals.ts';
import type { ObjectStore, StripeObject } from './object-store.ts';

/** What an effect knows of its call. */
export interface EffectContext {
  /** The ids in the path. */
  readonly ids: readonly string[];
  readonly fields: Fields;
  readonly store: ObjectStore;
  readonly maker: ObjectMaker;
  readonly livemode: boolean;
  readonly now: number;
}

/**
 * Changes the object that the call made or addresses, and others, as the call does at Stripe; an answer
 * when Stripe would refuse.
 */
export type Effect = (object: StripeObject, context: EffectContext) => Answer | undefined;

/** What a create fills in beyond the fields that were sent. Runs before the object is kept. */
export const createEffects: Readonly<Record<OperationName, Effect>> = {
  'charges.create': (object, context) => {
    const { fields } = context;
    // The SDK declares both optional; Stripe refuses a charge without them.
    for (const name of ['amount', 'currency']) if (fields[name] === undefined) return missing(name);
    const declined = decline(fields.source);
    if (declined !== undefined) return declined;
    const captured = fields.capture !== false;
    Object.assign(object, {
      amount_captured: captured ? object.amount : 0,
      amount_refunded: 0,
      captured,
      disputed: false,
      paid: true,
      payment_intent: null,
      refunded: false,
      status: 'succeeded',
    });
    if (captured) post(context, { type: 'charge', amount: Number(object.amount), source: object });
    // Stripe's test source for a charge that is disputed at once.
    if (fields.source === 'tok_createDispute') {
      object.disputed = true;
      dispute(object, context);
    }
    return undefined;
  },
  'refunds.create': (object, context) => {
    const { fields, store } = context;
    if (fields.charge === undefined && fields.payment_intent === undefined) {
      return errorAnswer(400, {
        code: 'parameter_missing',
        message: 'One of the following params should be provided for this request: payment_intent or charge.',
      });
    }
    const intent = store.find('payment_intents', String(fields.payment_intent));
    const charge = store.find('charges', String(fields.charge ?? intent?.latest_charge));
    if (charge === undefined) {
      return errorAnswer(400, { message: 'This PaymentIntent does not have a successful charge to refund.' });
    }
    // Of what was never captured all can go back, which only frees it.
    const whole = Number(charge.captured === true ? charge.amount_captured : charge.amount);
    const left = whole - Number(charge.amount_refunded);
    const amount = Number(fields.amount ?? left);
    if (left <= 0) {
      return alreadyRefunded(charge);
    }
    const refused = notPositive(amount);
    if (refused !== undefined) return refused;
    if (charge.disputed === true) {
      const message = `Charge ${charge.id} has been charged back; cannot issue a refund.`;
      return errorAnswer(400, { code: 'charge_disputed', message });
    }
    if (amount > left) {
      return errorAnswer(400, {
        message: `Refund amount (${amount}) is greater than unrefunded amount on charge (${left})`,
        param: 'amount',
      });
    }
    charge.amount_refunded = Number(charge.amount_refunded) + amount;
    charge.refunded = charge.amount_refunded === whole;
    Object.assign(object, { amount, charge: charge.id, currency: charge.currency, status: 'succeeded' });
    object.payment_intent ??= charge.payment_intent;
    if (charge.captured === true) post(context, { type: 'refund', amount: -amount, source: object });
    return undefined;
  },
  'paymentIntents.create': (object, context) => {
    const { fields } = context;
    Object.assign(object, {
      amount_capturable: 0,
      amount_received: 0,
      capture_method: fields.capture_method ?? 'automatic',
      client_secret: `${object.id}_secret_ofTheSandbox`,
      latest_charge: null,
      status: fields.payment_method === undefined ? 'requires_payment_method' : 'requires_confirmation',
    });
    return fields.confirm === true ? confirm(object, context) : undefined;
  },
  'setupIntents.create': (object, { fields }) => {
    object.status = fields.payment_method === undefined ? 'requires_payment_method' : 'requires_confirmation';
    return undefined;
  },
  'subscriptions.create': (object, context) => {
    const { fields, store, maker } = context;
    const items = Array.isArray(fields.items) ? (fields.items as Fields[]) : [];
    const data = items.map((item) => {
      const made = maker.make('subscription_items', { ...item }, traitsOf(context));
      Object.assign(made, { price: wholePrice(made, store), subscription: object.id });
      return store.add('subscription_items', made);
    });
    Object.assign(object, {
      cancel_at_period_end: fields.cancel_at_period_end ?? false,
      items: {
        object: 'list',
        data,
        has_more: false,
        url: `/v1/subscription_items?subscription=${object.id}`,
      },
      status: 'active',
    });
    return undefined;
  },
  'subscriptionItems.create': (object, { store }) => {
    object.price = wholePrice(object, store);
    return undefined;
  },
  'invoices.create': (object) => {
    Object.assign(object, { status: 'draft', paid: false });
    return undefined;
  },
  'files.create': (object, { fields }) => {
    const file = fields.file as { name?: string; size?: number; type?: string } | undefined;
    Object.assign(object, {
      file: undefined,
      filename: file?.name ?? null,
      size: file?.size ?? 0,
      type: /\.(\w+)$/.exec(file?.name ?? '')?.[1] ?? null,
      url: `https://files.stripe.com/v1/files/${object.id}/contents`,
    });
    return undefined;
  },
  'coupons.create': (object) => {
    Object.assign(object, { duration: object.duration ?? 'once', times_redeemed: 0, valid: true });
    return undefined;
  },
  ...payoutEffects,
};

/** A subscription item shows its price whole, without being asked to. */
function wholePrice({ price }: StripeObject, store: ObjectStore): unknown {
  return typeof price === 'string' ? (store.find('prices', price) ?? price) : price;
}

/** What an action does to its object; any other takes the fields over and no more. */
const actionEffects: Readonly<Record<OperationName, Effect>> = {
  'charges.capture': (object, context) => {
    const { fields } = context;
    if (object.captured === true) {
      return errorAnswer(400, {
        code: 'charge_already_captured',
        message: `Charge ${object.id} has already been captured.`,
      });
    }
    const amount = Number(fields.amount ?? object.amount);
    const refused =
      object.refunded === true ? alreadyRefunded(object) : tooMuch(amount, Number(object.amount), 'amount');
    if (refused !== undefined) return refused;
    Object.assign(object, { captured: true, amount_captured: amount });
    post(context, { type: 'charge', amount, source: object });
    return undefined;
  },
  'paymentIntents.confirm': (object, context) => {
    const { payment_method: given } = context.fields;
    if (given !== undefined) object.payment_method = given;
    return confirm(object, context);
  },
  'paymentIntents.capture': (object, context) => {
    if (object.status !== 'requires_capture') return unexpectedState(object, 'captured');
    const amount = Number(context.fields.amount_to_capture ?? object.amount);
    const refused = tooMuch(amount, Number(object.amount), 'amount_to_capture');
    if (refused !== undefined) return refused;
    return succeed(object, context);
  },
  'paymentIntents.cancel': (object) => {
    if (object.status === 'succeeded' || object.status === 'canceled')
      return unexpectedState(object, 'canceled');
    object.status = 'canceled';
    return undefined;
  },
  'payouts.cancel': (object, context) => {
    if (object.status !== 'pending') {
      return errorAnswer(400, { message: 'Payouts can only be canceled while they are pending.' });
    }
    object.status = 'canceled';
    post(context, { type: 'payout_cancel', amount: Number(object.amount), source: object });
    return undefined;
  },
  'topups.cancel': () =>
    errorAnswer(400, { message: 'Top-ups can only be canceled while they are pending.' }),
  'disputes.close': (object) => {
    object.status = 'lost';
    return undefined;
  },
  'disputes.update': (object, { fields }) => {
    if (fields.evidence !== undefined) {
      const details = { has_evidence: true, submission_count: fields.submit === true ? 1 : 0 };
      object.evidence_details = details;
    }
    if (fields.submit === true) object.status = 'under_review';
    return undefined;
  },
  'paymentMethods.attach': (object, { fields }) => {
    object.customer = fields.customer;
    return undefined;
  },
  'paymentMethods.detach': (object) => {
    object.customer = null;
    return undefined;
  },
  'invoices.finalizeInvoice': status('open'),
  'invoices.markUncollectible': status('uncollectible'),
  'invoices.pay': (object) => {
    Object.assign(object, { status: 'paid', paid: true });
    return undefined;
  },
  'invoices.voidInvoice': status('void'),
  'creditNotes.voidCreditNote': status('void'),
  'quotes.accept': status('accepted'),
  'quotes.finalizeQuote': status('open'),
  'checkout.sessions.expire': status('expired'),
  'subscriptions.cancel': status('canceled'),
  'subscriptions.resume': status('active'),
  'subscriptionSchedules.release': status('released'),
};

/** Actions named `cancel`, and the like, leave their object in one state. */
export function actionEffect(operation: OperationName): Effect | undefined {
  return actionEffects[operation] ?? (operation.endsWith('.cancel') ? status('canceled') : undefined);
}

function status(text: string): Effect {
  return (object) => {
    object.status = text;
    return undefined;
  };
}

function confirm(object: StripeObject, context: EffectContext): Answer | undefined {
  if (object.payment_method === undefined || object.payment_method === null) {
    return errorAnswer(400, {
      code: 'payment_intent_unexpected_state',
      message:
        "You cannot confirm this PaymentIntent because it's missing a payment method. Update the PaymentIntent with a payment method and then confirm it again.",
    });
  }
  if (object.status === 'succeeded' || object.status === 'canceled')
    return unexpectedState(object, 'confirmed');
  const declined = decline(object.payment_method);
  if (declined !== undefined) {
    Object.assign(object, { status: 'requires_payment_method', payment_method: null });
    return declined;
  }
  if (object.capture_method !== 'manual') return succeed(object, context);
  Object.assign(object, { status: 'requires_capture', amount_capturable: object.amount });
  return undefined;
}

function succeed(object: StripeObject, context: EffectContext): undefined {
  const { fields, store, maker } = context;
  const amount = Number(fields.amount_to_capture ?? object.amount);
  const charge = maker.make(
    'charges',
    {
      amount,
      currency: object.currency,
      customer: object.customer ?? null,
      payment_method: object.payment_method,
    },
    traitsOf(context),
  );
  Object.assign(charge, {
    amount_captured: amount,
    amount_refunded: 0,
    captured: true,
    disputed: false,
    paid: true,
    payment_intent: object.id,
    refunded: false,
    status: 'succeeded',
  });
  store.add('charges', charge);
  post(context, { type: 'charge', amount, source: charge });
  Object.assign(object, {
    amount_capturable: 0,
    amount_received: amount,
    latest_charge: charge.id,
    status: 'succeeded',
  });
  if (object.payment_method === 'pm_card_createDispute') {
    charge.disputed = true;
    dispute(charge, context);
  }
  return undefined;
}

function dispute(charge: StripeObject, context: EffectContext): void {
  const given = { amount: charge.amount, charge: charge.id, currency: charge.currency };
  const made = context.maker.make('disputes', given, traitsOf(context));
  context.store.add('disputes', made);
  post(context, { type: 'adjustment', amount: -Number(charge.amount), source: made });
}

function traitsOf({ livemode, now, store }: EffectContext): ObjectTraits {
  return { livemode, now, find: (kind, id) => store.ofKind(kind, id) };
}

function unexpectedState(object: StripeObject, done: string): Answer {
  return errorAnswer(400, {
    code: 'payment_intent_unexpected_state',
    message: `This PaymentIntent could not be ${done} because it has a status of ${String(object.status)}.`,
  });
}
