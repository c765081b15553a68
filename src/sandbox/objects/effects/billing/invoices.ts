import { type Answer, errorAnswer, missingObject } from '../../../../http/answer.ts';
import type { Fields } from '../../../../http/form-body.ts';
import type { StripeObject } from '../../object-store.ts';
import { methodIn } from '../cards.ts';
import { defaultMethodOf } from '../customers.ts';
import {
  type Effect,
  type EffectContext,
  type Effects,
  idIn,
  makeBeside,
  refuse,
  seconds,
} from '../effect.ts';
import { withObject } from '../money-refusals.ts';
import { confirmIntent } from '../payment-intents.ts';
import { discountsFor } from './customer-discount.ts';
import { addLine, lineOfItem, makeDiscounts, sumUp } from './invoice-lines.ts';

const DAY_S = 86_400;

/** A new draft; what waits for the customer's next invoice goes on it where that is asked for. */
const createInvoice: Effect = (invoice, context) => {
  const { fields, store } = context;
  const customer =
    idIn(fields.customer) ?? idIn(store.find('subscriptions', String(fields.subscription))?.customer);
  if (customer === undefined && fields.from_invoice === undefined) {
    return refuse('You must specify a customer.', { code: 'parameter_missing', param: 'customer' });
  }
  const whose = store.find('customers', customer ?? '');
  const waiting = store
    .list('invoiceitems')
    .filter((item) => idIn(item.customer) === customer && idIn(item.invoice) === undefined);
  const taken = fields.pending_invoice_items_behavior === 'include' ? [...waiting].reverse() : [];
  Object.assign(invoice, {
    amount_paid: 0,
    attempt_count: 0,
    attempted: false,
    billing_reason: 'manual',
    currency: String(fields.currency ?? taken[0]?.currency ?? whose?.currency ?? 'usd').toLowerCase(),
    customer_email: whose?.email ?? null,
    customer_name: whose?.name ?? null,
    status: 'draft',
  });
  invoice.customer = customer ?? null;
  for (const item of taken) {
    item.invoice = invoice.id;
    addLine(invoice, lineOfItem(item), context);
  }
  const refused = takeDiscounts(invoice, context);
  if (fields.discounts === undefined) invoice.discounts = discountsFor(undefined, whose);
  sumUp(invoice, context);
  return refused;
};

/** The discounts that the call names, in the place of those that there were. */
export function takeDiscounts(holder: StripeObject, context: EffectContext): Answer | undefined {
  const { discounts } = context.fields;
  if (discounts === undefined) return undefined;
  const made = makeDiscounts(discounts, holder, context);
  if (!('missing' in made)) {
    holder.discounts = made;
    return undefined;
  }
  const param = `discounts[0][${made.kind.replace(' ', '_')}]`;
  return missingObject(made.kind, made.missing, param, 400);
}

const updateInvoice: Effect = (invoice, context) => {
  const refused = takeDiscounts(invoice, context);
  if (refused === undefined && invoice.status === 'draft') sumUp(invoice, context);
  return refused;
};

/** Closes a draft: from here on it is to be paid. */
export function finalize(invoice: StripeObject, context: EffectContext): Answer | undefined {
  if (invoice.status !== 'draft') {
    return refuse(`This invoice is already finalized, you can't re-finalize a non-draft invoice.`, {
      code: 'invoice_not_editable',
    });
  }
  const { store } = context;
  const customer = store.find('customers', String(idIn(invoice.customer)));
  const sequence = Number(customer?.next_invoice_sequence ?? 1);
  const prefix = customer?.invoice_prefix ?? invoice.id.slice(-8).toUpperCase();
  if (customer !== undefined) customer.next_invoice_sequence = sequence + 1;
  sumUp(invoice, context);
  const now = seconds(context);
  Object.assign(invoice, {
    auto_advance: false,
    effective_at: now,
    hosted_invoice_url: `https://invoice.stripe.invalid/i/${invoice.id}`,
    invoice_pdf: `https://pay.stripe.invalid/invoice/${invoice.id}/pdf`,
    number: invoice.number ?? `${String(prefix)}-${String(sequence).padStart(4, '0')}`,
    status: 'open',
    status_transitions: { ...(invoice.status_transitions as Fields), finalized_at: now },
  });
  if (invoice.collection_method === 'send_invoice' && invoice.due_date === null)
    invoice.due_date = now + Number(context.fields.days_until_due ?? 30) * DAY_S;
  context.happened('invoice.finalized', invoice);
  if (invoice.amount_due === 0) settle(invoice, 0, context);
  else if (invoice.collection_method !== 'send_invoice' || customer !== undefined)
    paymentOf(invoice, context);
  return undefined;
}

/** The payment intent that pays an open invoice; it is made the first time it is asked for. */
function paymentOf(invoice: StripeObject, context: EffectContext): StripeObject {
  const known = paymentsOf(invoice, context)
    .map(({ payment }) =>
      context.store.find('payment_intents', String(idIn((payment as Fields).payment_intent))),
    )
    .find((intent) => intent !== undefined && intent.status !== 'canceled');
  if (known !== undefined) return known;
  const { amount_remaining: amount, currency, customer } = invoice;
  const intent = makeBeside(
    'payment_intents',
    { amount, currency, customer, description: `Payment for Invoice ${String(invoice.number)}` },
    context,
  );
  Object.assign(intent, {
    amount_capturable: 0,
    amount_received: 0,
    client_secret: `${intent.id}_secret_ofTheSandbox`,
    latest_charge: null,
    status: 'requires_payment_method',
  });
  const payment = makeBeside(
    'invoice_payments',
    {
      amount_requested: amount,
      currency,
      invoice: invoice.id,
      is_default: true,
      payment: { payment_intent: intent.id, type: 'payment_intent' },
      status: 'open',
    },
    context,
  );
  payment.amount_paid = null;
  context.happened('payment_intent.created', intent);
  return intent;
}

export function paymentsOf(
  invoice: StripeObject,
  { store }: Pick<EffectContext, 'store'>,
): readonly StripeObject[] {
  return store.list('invoice_payments').filter((payment) => idIn(payment.invoice) === invoice.id);
}

/** An invoice of which so much has come in. */
function settle(invoice: StripeObject, amount: number, context: EffectContext): void {
  const now = seconds(context);
  const paid = Number(invoice.amount_paid ?? 0) + amount;
  Object.assign(invoice, {
    amount_paid: paid,
    amount_remaining: Math.max(0, Number(invoice.amount_due) - paid),
    attempted: true,
    next_payment_attempt: null,
    status: 'paid',
    status_transitions: { ...(invoice.status_transitions as Fields), paid_at: now },
  });
  for (const payment of paymentsOf(invoice, context)) {
    Object.assign(payment, {
      amount_paid: payment.amount_requested,
      status: 'paid',
      status_transitions: { canceled_at: null, paid_at: now },
    });
  }
  context.happened('invoice.paid', invoice);
  context.happened('invoice.payment_succeeded', invoice);
}

const pay: Effect = (invoice, context) => {
  if (invoice.status === 'draft') {
    const refused = finalize(invoice, context);
    if (refused !== undefined || String(invoice.status) === 'paid') return refused;
  }
  if (invoice.status === 'paid') return refuse('Invoice is already paid', { code: 'invoice_already_paid' });
  if (invoice.status === 'void') return refuse('A voided invoice cannot be paid.');
  if (context.fields.paid_out_of_band === true) {
    settle(invoice, 0, context);
    Object.assign(invoice, { amount_paid: invoice.amount_due, amount_remaining: 0 });
    return undefined;
  }
  return collect(invoice, context);
};

/** Pays an open invoice by what the call, the invoice or the customer says. */
export function collect(invoice: StripeObject, context: EffectContext): Answer | undefined {
  const { fields, store } = context;
  const customer = store.find('customers', String(idIn(invoice.customer)));
  const method =
    methodIn(fields.payment_method, context) ?? fields.source ?? defaultMethodOf(invoice, customer);
  if (method === undefined) return noMeans();
  const intent = paymentOf(invoice, context);
  intent.payment_method = method;
  invoice.attempt_count = Number(invoice.attempt_count ?? 0) + 1;
  invoice.attempted = true;
  const refused = confirmIntent(intent, { ...context, fields: { off_session: fields.off_session ?? true } });
  if (refused !== undefined || intent.status !== 'succeeded') {
    context.happened('invoice.payment_failed', invoice);
    return refused === undefined ? undefined : withObject(refused, { payment_intent: intent });
  }
  settle(invoice, Number(intent.amount), context);
  return undefined;
}

export function noMeans(): Answer {
  return errorAnswer(400, {
    code: 'resource_missing',
    message:
      'This customer has no attached payment source or default payment method. Please consider adding a default payment method. For more information, visit https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority.',
  });
}

const voidInvoice: Effect = (invoice, context) => {
  if (invoice.status !== 'open' && invoice.status !== 'uncollectible') {
    return refuse(`You can only pass in open or uncollectible invoices. This invoice isn't open.`);
  }
  const now = seconds(context);
  Object.assign(invoice, {
    status: 'void',
    status_transitions: { ...(invoice.status_transitions as Fields), voided_at: now },
  });
  for (const payment of paymentsOf(invoice, context)) {
    payment.status = 'canceled';
    const intent = context.store.find(
      'payment_intents',
      String(idIn((payment.payment as Fields).payment_intent)),
    );
    if (intent !== undefined && intent.status !== 'succeeded')
      Object.assign(intent, { canceled_at: now, cancellation_reason: 'void_invoice', status: 'canceled' });
  }
  context.happened('invoice.voided', invoice);
  return undefined;
};

const markUncollectible: Effect = (invoice, context) => {
  if (invoice.status !== 'open') return refuse('You can only mark an open invoice as uncollectible.');
  Object.assign(invoice, {
    status: 'uncollectible',
    status_transitions: {
      ...(invoice.status_transitions as Fields),
      marked_uncollectible_at: seconds(context),
    },
  });
  context.happened('invoice.marked_uncollectible', invoice);
  return undefined;
};

const send: Effect = (invoice, context) => {
  const refused = invoice.status === 'draft' ? finalize(invoice, context) : undefined;
  if (refused !== undefined) return refused;
  context.happened('invoice.sent', invoice);
  return undefined;
};

const deleteInvoice: Effect = (invoice) =>
  invoice.status === 'draft' ? undefined : refuse('You can only delete draft invoices.');

export const invoiceEffects: Effects = { 'invoices.create': createInvoice };

export const invoiceActions: Effects = {
  'invoices.finalizeInvoice': (invoice, context) => finalize(invoice, context),
  'invoices.markUncollectible': markUncollectible,
  'invoices.pay': pay,
  'invoices.sendInvoice': send,
  'invoices.update': updateInvoice,
  'invoices.voidInvoice': voidInvoice,
};

export const invoiceDeletes: Effects = { 'invoices.del': deleteInvoice };
