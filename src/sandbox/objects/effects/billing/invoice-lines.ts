import type { Fields } from '../../../../http/form-body.ts';
import type { StripeObject } from '../../object-store.ts';
import { type EffectContext, idIn, makeBeside, seconds, traitsOf } from '../effect.ts';

/** What one line asks for. */
export interface LineGiven {
  readonly amount: number;
  readonly currency: unknown;
  readonly description: unknown;
  readonly discountable?: unknown;
  readonly metadata?: unknown;
  readonly period: unknown;
  readonly pricing: Fields | null;
  readonly quantity: number;
  readonly parent: Fields;
  readonly subscription?: string | undefined;
}

/** What so many of a price come to, in the smallest unit; tiers and usage are not computed. */
export function amountOf(price: StripeObject | undefined, quantity: number, context: EffectContext): number {
  if (price === undefined) return 0;
  const { unit_amount: unit, unit_amount_decimal: decimal, recurring } = price;
  if (price.billing_scheme === 'tiered') context.notModelled('amounts of tiered prices');
  if ((recurring as Fields | null)?.usage_type === 'metered') {
    context.notModelled('amounts of metered usage');
    return 0;
  }
  return Math.round(Number(decimal ?? unit ?? 0) * quantity);
}

export function pricingOf(price: StripeObject | undefined): Fields | null {
  if (price === undefined) return null;
  return {
    price_details: { price: price.id, product: idIn(price.product) ?? '' },
    type: 'price_details',
    unit_amount_decimal: price.unit_amount_decimal ?? String(price.unit_amount ?? 0),
  };
}

/** The price that a call names or spells out; what is spelled out is made. */
export function priceIn(given: Fields, context: EffectContext): StripeObject | undefined {
  const pricing = given.pricing as Fields | undefined;
  const id = given.price ?? pricing?.price;
  if (typeof id === 'string') return context.store.find('prices', id) ?? context.store.find('plans', id);
  const data = given.price_data as Fields | undefined;
  if (data === undefined) return undefined;
  const product = data.product ?? makeBeside('products', { ...(data.product_data as Fields) }, context).id;
  const unit = data.unit_amount ?? Math.round(Number(data.unit_amount_decimal ?? 0));
  const type = data.recurring === undefined ? 'one_time' : 'recurring';
  const decimal = data.unit_amount_decimal ?? String(unit);
  const all = { ...data, active: false, product, type, unit_amount: unit, unit_amount_decimal: decimal };
  return makeBeside('prices', all, context);
}

/** Adds a line to a draft. */
export function addLine(invoice: StripeObject, line: LineGiven, context: EffectContext): StripeObject {
  const given = {
    ...line,
    invoice: invoice.id,
    subtotal: line.amount,
    quantity_decimal: String(line.quantity),
  };
  const made = makeBeside('invoices/lines', given, context, [invoice.id]);
  made.subscription = line.subscription ?? null;
  return made;
}

/** The line of an invoice item. */
export function lineOfItem(item: StripeObject): LineGiven {
  const details = { invoice_item: item.id, proration: false, proration_details: null, subscription: null };
  return {
    amount: Number(item.amount),
    currency: item.currency,
    description: item.description,
    discountable: item.discountable,
    metadata: item.metadata,
    period: item.period,
    pricing: item.pricing as Fields | null,
    quantity: Number(item.quantity),
    parent: { invoice_item_details: details, subscription_item_details: null, type: 'invoice_item_details' },
  };
}

/** A line that a call spells out. */
export function lineGiven(given: Fields, invoice: StripeObject, context: EffectContext): LineGiven {
  const price = priceIn(given, context);
  const quantity = Number(given.quantity ?? 1);
  const now = seconds(context);
  const details = { invoice_item: '', proration: false, proration_details: null, subscription: null };
  return {
    amount: Number(given.amount ?? amountOf(price, quantity, context)),
    currency: invoice.currency,
    description: given.description ?? price?.nickname ?? null,
    discountable: given.discountable ?? true,
    metadata: given.metadata,
    period: given.period ?? { end: now, start: now },
    pricing: pricingOf(price),
    quantity,
    parent: { invoice_item_details: details, subscription_item_details: null, type: 'invoice_item_details' },
  };
}

export function linesOf(invoice: StripeObject, { store }: EffectContext): readonly StripeObject[] {
  return store.list('invoices/lines', [invoice.id]);
}

const SHOWN = 10;

/** Sums an invoice up anew after its lines, discounts or credit notes have changed. */
export function sumUp(invoice: StripeObject, context: EffectContext): void {
  const lines = linesOf(invoice, context);
  const subtotal = lines.reduce((sum, { amount }) => sum + Number(amount), 0);
  const discounts = discountsOn(invoice, subtotal, context);
  const off = discounts.reduce((sum, { amount }) => sum + amount, 0);
  const total = subtotal - off;
  const credited = Number(invoice.pre_payment_credit_notes_amount ?? 0);
  const due = Math.max(0, total - credited);
  const paid = Number(invoice.amount_paid ?? 0);
  if ((invoice.default_tax_rates as unknown[] | undefined)?.length) context.notModelled('taxes');
  Object.assign(invoice, {
    amount_due: due,
    amount_remaining: Math.max(0, due - paid),
    lines: {
      object: 'list',
      data: lines.slice(0, SHOWN),
      has_more: lines.length > SHOWN,
      url: `/v1/invoices/${invoice.id}/lines`,
    },
    subtotal,
    subtotal_excluding_tax: subtotal,
    total,
    total_discount_amounts: discounts,
    total_excluding_tax: total,
  });
}

/** What the coupons of an invoice take off, one after another. */
function discountsOn(
  invoice: StripeObject,
  subtotal: number,
  { store }: EffectContext,
): readonly { readonly amount: number; readonly discount: string }[] {
  let left = subtotal;
  return ((invoice.discounts ?? []) as unknown[]).flatMap((one) => {
    const discount = store.ofKind('discount', idIn(one) ?? '');
    const coupon = store.find('coupons', idIn((discount?.source as Fields | undefined)?.coupon) ?? '');
    if (discount === undefined || coupon === undefined) return [];
    const percent = Number(coupon.percent_off ?? 0);
    const amount = Math.min(left, Number(coupon.amount_off ?? Math.round((left * percent) / 100)));
    left -= amount;
    return [{ amount, discount: discount.id }];
  });
}

/** Makes the discounts that `discounts[]` names by coupon or promotion code; undefined where one is not there. */
export function makeDiscounts(
  given: unknown,
  holder: StripeObject,
  context: EffectContext,
): readonly string[] | { readonly missing: string; readonly kind: string } {
  const ids: string[] = [];
  for (const one of Array.isArray(given) ? (given as Fields[]) : []) {
    const code = typeof one.promotion_code === 'string' ? one.promotion_code : undefined;
    const promotion = code === undefined ? undefined : context.store.find('promotion_codes', code);
    if (code !== undefined && promotion === undefined) return { missing: code, kind: 'promotion code' };
    const coupon = one.coupon ?? idIn((promotion?.promotion as Fields | undefined)?.coupon);
    const kept =
      one.discount === undefined ? undefined : context.store.ofKind('discount', String(one.discount));
    if (kept !== undefined) ids.push(kept.id);
    if (typeof coupon !== 'string') continue;
    if (context.store.find('coupons', coupon) === undefined) return { missing: coupon, kind: 'coupon' };
    const made = context.maker.make(
      'subscriptions/discount',
      {
        customer: idIn(holder.customer),
        promotion_code: code,
        source: { coupon, type: 'coupon' },
        [holder.object]: holder.id,
      },
      traitsOf(context),
    );
    ids.push(context.store.add('subscriptions/discount', made, [holder.id]).id);
  }
  return ids;
}
