import type { Fields } from '../../../http/form-body.ts';
import { amountOf, priceIn } from './billing/invoice-lines.ts';
import { type Effect, type Effects, idIn, makeBeside } from './effect.ts';
import { missing } from './money-refusals.ts';

/** Makes what a session, a link or a quote sells: its line items, and its total where it has one. */
function sells(collection: string): Effect {
  return (object, context) => {
    const given = Array.isArray(context.fields.line_items) ? (context.fields.line_items as Fields[]) : [];
    const lines: Fields[] = [];
    for (const [index, line] of given.entries()) {
      const price = priceIn(line, context);
      if (price === undefined) return missing(`line_items[${index}][price]`);
      const quantity = Number(line.quantity ?? 1);
      const amount = amountOf(price, quantity, context);
      const product = context.store.find('products', idIn(price.product) ?? '');
      lines.push({
        amount_discount: 0,
        amount_subtotal: amount,
        amount_tax: 0,
        amount_total: amount,
        currency: price.currency,
        description: product?.name ?? price.nickname ?? null,
        price: price.id,
        quantity,
      });
    }
    if (lines.length === 0) return undefined;
    // A list has the newest first, and line items come in the order in which they were given.
    for (const line of [...lines].reverse()) {
      const made = makeBeside(`${collection}/line_items`, line, context, [object.id]);
      made.price = context.store.ofKind('price', String(line.price)) ?? line.price;
    }
    const total = lines.reduce((sum, { amount_total: amount }) => sum + Number(amount), 0);
    if ('amount_total' in object) Object.assign(object, { amount_subtotal: total, amount_total: total });
    object.currency = lines[0]?.currency ?? object.currency;
    if (context.fields.discounts !== undefined) context.notModelled('discounts in the total');
    return undefined;
  };
}

export const lineItemEffects: Effects = {
  'checkout.sessions.create': sells('checkout/sessions'),
  'paymentLinks.create': sells('payment_links'),
  'quotes.create': sells('quotes'),
};
