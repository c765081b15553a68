import { missingObject } from '../../../../http/answer.ts';
import type { Fields } from '../../../../http/form-body.ts';
import type { StripeObject } from '../../object-store.ts';
import { type Effect, type EffectContext, idIn } from '../effect.ts';
import { makeDiscounts } from './invoice-lines.ts';

/**
 * The coupon or promotion code that older versions give to a customer; it is on each invoice that has none of its own.
 * @see https://docs.stripe.com/changelog/clover
 */
export const takeCustomerDiscount: Effect = (customer, context) => {
  for (const name of ['coupon', 'promotion_code']) {
    const value = context.fields[name];
    if (value === '') customer.discount = null;
    if (typeof value !== 'string' || value === '') continue;
    const made = makeDiscounts([{ [name]: value }], customer, context);
    if ('missing' in made) return missingObject(made.kind, made.missing, name, 400);
    const discount = context.store.ofKind('discount', made[0] ?? '');
    if (discount === undefined) continue;
    customer.discount = discount;
    context.happened('customer.discount.created', discount);
  }
  return undefined;
};

/** The discounts of what is billed, by id: its own, or its customer's. */
export function discountsFor(own: unknown, customer: StripeObject | undefined): readonly unknown[] {
  if (Array.isArray(own) && own.length > 0) return own;
  const id = idIn(customer?.discount);
  return id === undefined ? [] : [id];
}

/** Ends the discount of a customer or of a subscription; undefined where there is none. */
export function takeAwayDiscount(holder: StripeObject, context: EffectContext): Fields | undefined {
  const [first] = Array.isArray(holder.discounts) ? (holder.discounts as unknown[]) : [holder.discount];
  const discount = context.store.ofKind('discount', idIn(first) ?? '');
  if (Array.isArray(holder.discounts)) holder.discounts = [];
  else holder.discount = null;
  if (discount !== undefined) context.happened('customer.discount.deleted', discount);
  return discount;
}
