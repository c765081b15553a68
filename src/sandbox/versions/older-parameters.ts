import type { Operation, OperationName } from '../../core/catalog/catalog.ts';
import type { DeclaredTypes } from '../../core/catalog/declared-types.ts';
import type { Fields } from '../../http/form-body.ts';

/** Moves what an older version of the API called otherwise to where the newest has it. */
type Rename = (fields: Fields) => void;

/**
 * The parameters of an older version in the newest one's words, where both say the same; the rest stays as it came.
 * @see https://docs.stripe.com/changelog/basil and its like for each release
 */
export function inNewestWords(operation: OperationName, fields: Fields): Fields {
  const rename = RENAMES[operation];
  if (rename === undefined) return fields;
  const renamed = { ...fields };
  rename(renamed);
  return renamed;
}

/** Taken by an effect, though neither the call nor the object that it answers declares it. */
const TAKEN: ReadonlySet<string> = new Set([
  'customers.create coupon',
  'customers.create promotion_code',
  'customers.update coupon',
  'customers.update promotion_code',
]);

/** What an older version may send, and what comes of it is nowhere to be seen: for the header that says so. */
export function leftOut({ name, kind }: Operation, fields: Fields, types: DeclaredTypes): readonly string[] {
  // Every parameter of a list filters.
  if (kind === 'list' || kind === 'search') return [];
  const declared = types.parametersOf(name);
  const answer = types.answerOf(name);
  const kept = answer.kind === 'object' ? types.fieldsOf(answer) : undefined;
  return Object.keys(fields).filter(
    (one) => one !== 'expand' && !declared.has(one) && !kept?.has(one) && !TAKEN.has(`${name} ${one}`),
  );
}

/** `coupon` and `promotion_code` became entries of `discounts` (2025-03-31.basil). */
function discounts(fields: Fields): void {
  for (const name of ['coupon', 'promotion_code']) {
    const value = fields[name];
    if (value === undefined) continue;
    delete fields[name];
    fields.discounts = value === '' ? '' : [{ [name]: value }];
  }
}

/** `price` became `pricing[price]`, and `unit_amount` is given in decimals alone (2025-03-31.basil). */
function pricing(fields: Fields): void {
  const { price, unit_amount: amount } = fields;
  if (price !== undefined) fields.pricing = { price };
  if (amount !== undefined) fields.unit_amount_decimal = String(amount);
  delete fields.price;
  delete fields.unit_amount;
}

/** What was billed was one plan, until there were items (2018-02-28); its SDKs went on naming it. */
const plan: Rename = (fields) => {
  discounts(fields);
  const { plan: billed, quantity, items } = fields;
  if (billed === undefined || items !== undefined) return;
  fields.items = [{ plan: billed, quantity }];
  delete fields.plan;
  delete fields.quantity;
};

function eachOf(name: string, rename: Rename): Rename {
  return (fields) => {
    const items = fields[name];
    if (!Array.isArray(items)) return;
    fields[name] = items.map((item: Fields) => {
      const renamed = { ...item };
      rename(renamed);
      return renamed;
    });
  };
}

/** A line of a checkout was spelled out in place (2022-08-01). */
function checkoutLine(line: Fields): void {
  const { amount, currency, name, description, images } = line;
  if (amount === undefined || line.price !== undefined) return;
  line.price_data = { currency, unit_amount: Number(amount), product_data: { name, description, images } };
  for (const one of ['amount', 'currency', 'name', 'description', 'images']) delete line[one];
}

const UI_MODES: Readonly<Record<string, string>> = {
  custom: 'elements',
  embedded: 'embedded_page',
  hosted: 'hosted_page',
};

const creditNote: Rename = (fields) => {
  const { refund } = fields;
  if (refund !== undefined) fields.refunds = [{ refund }];
  delete fields.refund;
};

const RENAMES: Readonly<Record<OperationName, Rename>> = {
  'invoices.create': discounts,
  'invoices.update': discounts,
  'subscriptions.create': plan,
  'subscriptions.update': discounts,
  'invoices.createPreview': discounts,
  'subscriptionSchedules.create': eachOf('phases', discounts),
  'subscriptionSchedules.update': eachOf('phases', discounts),
  'invoiceItems.create': pricing,
  'invoiceItems.update': pricing,
  'invoices.addLines': eachOf('lines', pricing),
  'invoices.updateLines': eachOf('lines', pricing),
  'invoices.updateLineItem': pricing,
  'promotionCodes.create': (fields) => {
    if (fields.coupon !== undefined) fields.promotion = { type: 'coupon', coupon: fields.coupon };
    delete fields.coupon;
  },
  'creditNotes.create': creditNote,
  'creditNotes.preview': creditNote,
  'checkout.sessions.create': (fields) => {
    eachOf('line_items', checkoutLine)(fields);
    const mode = UI_MODES[String(fields.ui_mode)];
    if (mode !== undefined) fields.ui_mode = mode;
  },
};
