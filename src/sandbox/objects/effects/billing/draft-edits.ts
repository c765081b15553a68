import type { Answer } from '../../../../http/answer.ts';
import type { Fields } from '../../../../http/form-body.ts';
import type { StripeObject } from '../../object-store.ts';
import { type Effect, type EffectContext, type Effects, idIn, refuse, seconds } from '../effect.ts';
import {
  addLine,
  amountOf,
  lineGiven,
  lineOfItem,
  linesOf,
  priceIn,
  pricingOf,
  sumUp,
} from './invoice-lines.ts';

const createItem: Effect = (item, context) => {
  const { fields, store } = context;
  const price = priceIn(fields, context);
  const quantity = Number(fields.quantity ?? 1);
  const unit = fields.unit_amount_decimal;
  const amount =
    fields.amount ??
    (unit === undefined ? amountOf(price, quantity, context) : Math.round(Number(unit) * quantity));
  const customer = store.find('customers', String(fields.customer));
  const now = seconds(context);
  Object.assign(item, {
    amount: Number(amount),
    currency: String(fields.currency ?? price?.currency ?? customer?.currency ?? 'usd').toLowerCase(),
    period: fields.period ?? { end: now, start: now },
    pricing: pricingOf(price),
    quantity,
  });
  const invoice = idIn(fields.invoice);
  const found = invoice === undefined ? undefined : store.find('invoices', invoice);
  if (found === undefined) return undefined;
  if (found.status !== 'draft') return notDraft(found);
  addLine(found, lineOfItem(item), context);
  sumUp(found, context);
  return undefined;
};

const deleteItem: Effect = (item, context) => {
  const invoice = context.store.find('invoices', String(idIn(item.invoice)));
  if (invoice === undefined) return undefined;
  if (invoice.status !== 'draft') return notDraft(invoice);
  for (const line of linesOf(invoice, context)) {
    const parent = line.parent as { invoice_item_details?: { invoice_item?: string } | null } | null;
    if (parent?.invoice_item_details?.invoice_item === item.id)
      context.store.remove('invoices/lines', line.id);
  }
  sumUp(invoice, context);
  return undefined;
};

function notDraft({ status }: StripeObject): Answer {
  return refuse(`This invoice is no longer editable: it has a status of ${String(status)}.`, {
    code: 'invoice_not_editable',
  });
}

/** Draft alone can be edited. */
const onDraft =
  (edit: (invoice: StripeObject, lines: readonly Fields[], context: EffectContext) => void): Effect =>
  (invoice, context) => {
    if (invoice.status !== 'draft') return notDraft(invoice);
    edit(invoice, (context.fields.lines ?? []) as Fields[], context);
    sumUp(invoice, context);
    return undefined;
  };

export const draftEffects: Effects = { 'invoiceItems.create': createItem };

export const draftActions: Effects = {
  'invoices.addLines': onDraft((invoice, lines, context) => {
    for (const line of lines) addLine(invoice, lineGiven(line, invoice, context), context);
  }),
  'invoices.removeLines': onDraft((_invoice, lines, { store }) => {
    for (const { id } of lines) store.remove('invoices/lines', String(id));
  }),
  'invoices.updateLines': onDraft((invoice, lines, context) => {
    for (const line of lines) {
      const known = context.store.find('invoices/lines', String(line.id), [invoice.id]);
      if (known !== undefined) Object.assign(known, changedLine(known, line, invoice, context));
    }
  }),
  'invoices.updateLineItem': (line, context) => {
    const invoice = context.store.find('invoices', context.ids[0] ?? '');
    if (invoice === undefined) return undefined;
    if (invoice.status !== 'draft') return notDraft(invoice);
    Object.assign(line, changedLine(line, context.fields, invoice, context));
    sumUp(invoice, context);
    return undefined;
  },
};

function changedLine(
  known: StripeObject,
  given: Fields,
  invoice: StripeObject,
  context: EffectContext,
): Fields {
  const made = lineGiven(given, invoice, context);
  const isPriced = given.price_data !== undefined || given.pricing !== undefined;
  const amount = given.amount === undefined && !isPriced ? known.amount : made.amount;
  return { amount, subtotal: amount, description: given.description ?? known.description };
}

export const draftDeletes: Effects = { 'invoiceItems.del': deleteItem };
