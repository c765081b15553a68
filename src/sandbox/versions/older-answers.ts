import type { Fields } from '../../http/form-body.ts';
import type { ObjectStore, StripeObject } from '../objects/object-store.ts';

type Value = (object: StripeObject, store: ObjectStore) => unknown;

const nothing: Value = () => null;
const none: Value = () => [];

/** Fields that the clients of older versions look for, and where their values stand now. */
const OLDER: readonly (readonly [before: string, kind: string, fields: Readonly<Record<string, Value>>])[] = [
  [
    '2025-03-31',
    'invoice',
    {
      charge: (invoice, store) => intentOf(invoice, store)?.latest_charge ?? null,
      discount: nothing,
      paid: ({ status }) => status === 'paid',
      payment_intent: (invoice, store) => intentOf(invoice, store)?.id ?? null,
      quote: nothing,
      subscription: (invoice) => at(invoice, 'parent', 'subscription_details', 'subscription') ?? null,
      tax: nothing,
      total_tax_amounts: none,
    },
  ],
  [
    '2025-03-31',
    'subscription',
    {
      current_period_end: (subscription) => at(firstItem(subscription), 'current_period_end'),
      current_period_start: (subscription) => at(firstItem(subscription), 'current_period_start'),
      discount: nothing,
    },
  ],
  [
    '2025-03-31',
    'invoiceitem',
    {
      price: priceOf,
      subscription: (item) => at(item, 'parent', 'subscription_details', 'subscription') ?? null,
      unit_amount: (item, store) => at(priceOf(item, store), 'unit_amount') ?? null,
    },
  ],
  [
    '2025-03-31',
    'line_item',
    {
      invoice_item: (line) => at(line, 'parent', 'invoice_item_details', 'invoice_item') ?? null,
      price: priceOf,
      proration: () => false,
      subscription_item: (line) =>
        at(line, 'parent', 'subscription_item_details', 'subscription_item') ?? null,
      tax_amounts: none,
      tax_rates: none,
      type: (line) => (at(line, 'parent', 'subscription_item_details') ? 'subscription' : 'invoiceitem'),
    },
  ],
  ['2025-03-31', 'charge', { invoice: (charge, store) => invoicePaidBy(charge.payment_intent, store) }],
  ['2025-03-31', 'payment_intent', { invoice: ({ id }, store) => invoicePaidBy(id, store) }],
  ['2025-03-31', 'credit_note', { refund: (note) => at(note, 'refunds', '0', 'refund') ?? null }],
  [
    '2025-09-30',
    'discount',
    { coupon: (discount, store) => couponOf(at(discount, 'source', 'coupon'), store) },
  ],
  [
    '2025-09-30',
    'promotion_code',
    { coupon: (code, store) => couponOf(at(code, 'promotion', 'coupon'), store) },
  ],
  [
    '2022-11-15',
    'payment_intent',
    {
      charges: ({ id }, store) =>
        listOf(store, 'charges', `/v1/charges?payment_intent=${id}`, 'payment_intent', id),
    },
  ],
  [
    '2022-11-15',
    'charge',
    { refunds: ({ id }, store) => listOf(store, 'refunds', `/v1/charges/${id}/refunds`, 'charge', id) },
  ],
];

/** Adds to an answer, at every depth, what a version of the API had and the newest has elsewhere; the rest stays. */
export function inOlderShape(
  body: unknown,
  { version, store }: { version: string; store: ObjectStore },
): unknown {
  const date = version.slice(0, 10);
  const rows = OLDER.filter(([before]) => date < before);
  return shaped(body, rows, store, DEEPEST);
}

/** Stripe's objects nest less deep. */
const DEEPEST = 12;

function shaped(value: unknown, rows: typeof OLDER, store: ObjectStore, depth: number): unknown {
  if (typeof value !== 'object' || value === null || depth === 0) return value;
  if (Array.isArray(value)) return value.map((one) => shaped(one, rows, store, depth - 1));
  const copy: Fields = {};
  for (const [name, one] of Object.entries(value)) copy[name] = shaped(one, rows, store, depth - 1);
  for (const [, kind, fields] of rows) {
    if (copy.object !== kind) continue;
    for (const [name, of] of Object.entries(fields)) {
      if (copy[name] !== undefined) continue;
      copy[name] = shaped(of(value as StripeObject, store), rows, store, depth - 1);
    }
  }
  return copy;
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (part, name) => (typeof part === 'object' && part !== null ? (part as Fields)[name] : undefined),
    value,
  );
}

function firstItem(subscription: StripeObject): unknown {
  return at(subscription, 'items', 'data', '0');
}

function intentOf({ id }: StripeObject, store: ObjectStore): StripeObject | undefined {
  const payment = store.list('invoice_payments').find(({ invoice }) => invoice === id);
  return store.find('payment_intents', String(at(payment, 'payment', 'payment_intent')));
}

function invoicePaidBy(intent: unknown, store: ObjectStore): unknown {
  if (typeof intent !== 'string') return null;
  const payments = store.list('invoice_payments');
  return payments.find(({ payment }) => at(payment, 'payment_intent') === intent)?.invoice ?? null;
}

function priceOf(object: StripeObject, store: ObjectStore): unknown {
  const price = at(object, 'pricing', 'price_details', 'price');
  return typeof price === 'string' ? (store.find('prices', price) ?? price) : (price ?? null);
}

function couponOf(coupon: unknown, store: ObjectStore): unknown {
  return typeof coupon === 'string' ? (store.find('coupons', coupon) ?? coupon) : (coupon ?? null);
}

function listOf(store: ObjectStore, collection: string, url: string, field: string, id: string): Fields {
  const data = store.list(collection).filter((object) => object[field] === id);
  return {
    object: 'list',
    data: data.slice(0, 10),
    has_more: data.length > 10,
    total_count: data.length,
    url,
  };
}
