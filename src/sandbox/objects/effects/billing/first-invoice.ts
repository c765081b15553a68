import type { Answer } from '../../../../http/answer.ts';
import type { StripeObject } from '../../object-store.ts';
import { defaultMethodOf } from '../customers.ts';
import { type EffectContext, idIn, makeBeside } from '../effect.ts';
import { discountsFor } from './customer-discount.ts';
import { addLine, amountOf, pricingOf, sumUp } from './invoice-lines.ts';
import { collect, finalize, noMeans } from './invoices.ts';

export function itemsOf(subscription: StripeObject): readonly StripeObject[] {
  return ((subscription.items ?? {}) as { data?: readonly StripeObject[] }).data ?? [];
}

/** The first invoice, which decides whether the subscription is active. @see https://docs.stripe.com/billing/subscriptions/overview */
export function bill(
  subscription: StripeObject,
  customer: StripeObject | undefined,
  context: EffectContext,
): Answer | undefined {
  const { fields } = context;
  const isTrial = subscription.status === 'trialing';
  const amounts = itemsOf(subscription).map((item) => ({
    item,
    amount: isTrial ? 0 : amountOf(item.price as StripeObject, Number(item.quantity), context),
  }));
  const isDue = amounts.some(({ amount }) => amount > 0);
  const sends = subscription.collection_method === 'send_invoice';
  const behaviour = fields.payment_behavior ?? 'allow_incomplete';
  const means = defaultMethodOf(subscription, customer);
  const isPoor = isDue && !sends && means === undefined && behaviour !== 'default_incomplete';
  if (isPoor && behaviour === 'error_if_incomplete') return noMeans();
  // As a charge without a source: whoever tries a flow is not held up for want of a card, and is told.
  if (isPoor) context.notModelled('that a subscription needs something to be paid with');
  const invoice = invoiceOf(subscription, { amounts, customer }, context);
  const quiet = { ...context, fields: { days_until_due: fields.days_until_due } };
  finalize(invoice, quiet);
  if (invoice.status === 'paid' || sends) return undefined;
  if (isPoor) return undefined;
  subscription.status = 'incomplete';
  if (behaviour === 'default_incomplete' || means === undefined) return undefined;
  const refused = collect(invoice, { ...context, fields: { off_session: fields.off_session ?? false } });
  if (String(invoice.status) === 'paid') subscription.status = 'active';
  return refused !== undefined && behaviour === 'error_if_incomplete' ? refused : undefined;
}

function invoiceOf(
  subscription: StripeObject,
  {
    amounts,
    customer: whose,
  }: {
    readonly amounts: readonly { readonly item: StripeObject; readonly amount: number }[];
    readonly customer: StripeObject | undefined;
  },
  context: EffectContext,
): StripeObject {
  const { collection_method: method, currency, customer, default_payment_method: means } = subscription;
  const given = {
    collection_method: method,
    currency,
    customer: idIn(customer),
    default_payment_method: idIn(means),
  };
  const invoice = makeBeside('invoices', given, context);
  Object.assign(invoice, {
    amount_paid: 0,
    billing_reason: 'subscription_create',
    discounts: discountsFor(subscription.discounts, whose),
    parent: {
      quote_details: null,
      subscription_details: { metadata: subscription.metadata, subscription: subscription.id },
      type: 'subscription_details',
    },
    status: 'draft',
  });
  for (const { item, amount } of amounts) {
    const price = item.price as StripeObject;
    const details = {
      invoice_item: null,
      proration: false,
      proration_details: { credited_items: null },
      subscription: subscription.id,
      subscription_item: item.id,
    };
    const line = {
      amount,
      currency,
      description: `${String(item.quantity)} × ${String(price?.nickname ?? idIn(price?.product) ?? 'item')}`,
      period: { end: Number(item.current_period_end), start: Number(item.current_period_start) },
      pricing: typeof price === 'object' ? pricingOf(price) : null,
      quantity: Number(item.quantity),
      parent: {
        invoice_item_details: null,
        subscription_item_details: details,
        type: 'subscription_item_details',
      },
      subscription: subscription.id,
    };
    addLine(invoice, line, context);
  }
  sumUp(invoice, context);
  subscription.latest_invoice = invoice.id;
  context.happened('invoice.created', invoice);
  return invoice;
}
