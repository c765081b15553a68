import type { Answer } from '../../../../http/answer.ts';
import type { Fields } from '../../../../http/form-body.ts';
import type { StripeObject } from '../../object-store.ts';
import { chargeEffects } from '../charges.ts';
import {
  type Effect,
  type EffectContext,
  type Effects,
  idIn,
  makeBeside,
  refuse,
  seconds,
} from '../effect.ts';
import { sumUp } from './invoice-lines.ts';
import { paymentsOf } from './invoices.ts';

/** What the lines of a credit note come to. */
function creditedBy(given: Fields, invoice: StripeObject, { store }: EffectContext): number {
  return (Array.isArray(given.lines) ? (given.lines as Fields[]) : []).reduce((sum, line) => {
    const known = store.find('invoices/lines', String(line.invoice_line_item), [invoice.id]);
    const quantity = Number(line.quantity ?? known?.quantity ?? 1);
    const unit = Number(line.unit_amount ?? line.unit_amount_decimal ?? 0);
    const whole = Number(known?.amount ?? 0);
    const part =
      known === undefined ? unit * quantity : Math.round((whole * quantity) / Number(known.quantity ?? 1));
    return sum + Number(line.amount ?? part);
  }, 0);
}

const create: Effect = (note, context) => {
  const { fields, store } = context;
  const invoice = store.find('invoices', String(fields.invoice));
  if (invoice === undefined) return undefined;
  if (invoice.status !== 'open' && invoice.status !== 'paid')
    return refuse('You can only create credit notes for open or paid invoices.', { param: 'invoice' });
  const amount = Number(fields.amount ?? creditedBy(fields, invoice, context));
  const isOpen = invoice.status === 'open';
  const most = isOpen ? Number(invoice.amount_remaining) : leftOfPaid(invoice);
  if (amount < 1)
    return refuse('You must specify a positive amount, or lines, to credit.', { param: 'amount' });
  if (amount > most) {
    return refuse(`The credit note amount (${amount}) is greater than what can be credited (${most}).`, {
      param: 'amount',
    });
  }
  const number =
    Number(invoice.pre_payment_credit_notes_amount) + Number(invoice.post_payment_credit_notes_amount);
  Object.assign(note, {
    amount,
    currency: invoice.currency,
    customer: idIn(invoice.customer) ?? null,
    number: `${String(invoice.number)}-CN-${number === 0 ? '01' : seconds(context)}`,
    post_payment_amount: isOpen ? 0 : amount,
    pre_payment_amount: isOpen ? amount : 0,
    status: 'issued',
    subtotal: amount,
    total: amount,
    type: isOpen ? 'pre_payment' : 'post_payment',
  });
  if (!isOpen) return giveBack(note, invoice, amount, context);
  invoice.pre_payment_credit_notes_amount = Number(invoice.pre_payment_credit_notes_amount) + amount;
  sumUp(invoice, context);
  if (invoice.amount_remaining === 0) {
    const transitions = { ...(invoice.status_transitions as Fields), paid_at: seconds(context) };
    Object.assign(invoice, { status: 'paid', status_transitions: transitions });
    context.happened('invoice.paid', invoice);
  }
  return undefined;
};

function leftOfPaid(invoice: StripeObject): number {
  return (
    Number(invoice.total) -
    Number(invoice.pre_payment_credit_notes_amount) -
    Number(invoice.post_payment_credit_notes_amount)
  );
}

/** Of what was paid, a part goes back to the card, to the customer's balance or by another way. */
function giveBack(
  note: StripeObject,
  invoice: StripeObject,
  amount: number,
  context: EffectContext,
): Answer | undefined {
  const { fields, store } = context;
  const refund = Number(fields.refund_amount ?? 0);
  const outOfBand = Number(fields.out_of_band_amount ?? 0);
  const given = ((fields.refunds ?? []) as Fields[]).map(({ refund: id }) =>
    store.find('refunds', String(id)),
  );
  const refunded = given.reduce((sum, one) => sum + Number(one?.amount ?? 0), 0);
  const credit = Number(fields.credit_amount ?? (refund + outOfBand + refunded === 0 ? amount : 0));
  if (refund + outOfBand + credit + refunded !== amount) {
    return refuse(
      'The sum of refund_amount, credit_amount, out_of_band_amount and refunds must equal the post payment amount of the credit note.',
    );
  }
  const refunds = given.flatMap((one) => (one === undefined ? [] : [one]));
  if (refund > 0) {
    const [payment] = paymentsOf(invoice, context);
    const intent = store.find(
      'payment_intents',
      String(idIn((payment?.payment as Fields | undefined)?.payment_intent)),
    );
    if (intent === undefined) return refuse('This invoice was not paid by a charge that could be refunded.');
    const made = makeBeside('refunds', { payment_intent: intent.id }, context);
    const inner = { ...context, fields: { payment_intent: intent.id, amount: refund } };
    const refused = chargeEffects['refunds.create']?.(made, inner);
    if (refused !== undefined) {
      store.remove('refunds', made.id);
      return refused;
    }
    context.happened('refund.created', made);
    refunds.push(made);
  }
  note.refunds = refunds.map((one) => ({
    amount_refunded: one.amount,
    payment_record_refund: null,
    refund: one.id,
    type: 'refund',
  }));
  note.out_of_band_amount = outOfBand || null;
  if (credit > 0) toBalance(note, credit, context);
  invoice.post_payment_credit_notes_amount = Number(invoice.post_payment_credit_notes_amount) + amount;
  return undefined;
}

/** What a customer is owed stands below zero in their balance. */
function toBalance(note: StripeObject, credit: number, context: EffectContext): void {
  const customer = context.store.find('customers', String(note.customer));
  if (customer === undefined) return;
  customer.balance = Number(customer.balance ?? 0) - credit;
  const given = { amount: -credit, credit_note: note.id, currency: note.currency, customer: customer.id };
  const made = makeBeside('customers/balance_transactions', { ...given, type: 'credit_note' }, context, [
    customer.id,
  ]);
  made.ending_balance = customer.balance;
  note.customer_balance_transaction = made.id;
}

const voidNote: Effect = (note, context) => {
  const invoice = context.store.find('invoices', String(idIn(note.invoice)));
  if (note.status === 'void' || invoice?.status !== 'open')
    return refuse('You can only void a credit note on an open invoice.');
  Object.assign(note, { status: 'void', voided_at: seconds(context) });
  invoice.pre_payment_credit_notes_amount =
    Number(invoice.pre_payment_credit_notes_amount) - Number(note.amount);
  sumUp(invoice, context);
  context.happened('credit_note.voided', note);
  return undefined;
};

export const creditNoteEffects: Effects = { 'creditNotes.create': create };

export const creditNoteActions: Effects = { 'creditNotes.voidCreditNote': voidNote };
