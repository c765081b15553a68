import { beforeEach, describe, expect, it } from 'vitest';
import { Objects } from '../../../../../test/support/call-objects.ts';
import type { Fields } from '../../../../http/form-body.ts';

let objects: Objects;
let customer: string;
let price: string;
beforeEach(() => {
  objects = new Objects();
  customer = objects.made('customers.create', {
    email: 'a@example.com',
    payment_method: 'pm_card_visa',
    invoice_settings: { default_payment_method: 'pm_card_visa' },
  }).id;
  const recurring = { interval: 'month' };
  const product = objects.made('products.create', { name: 'Gold' }).id;
  price = objects.made('prices.create', { currency: 'usd', unit_amount: 1500, recurring, product }).id;
});

const isoOf = (seconds: unknown) => new Date(Number(seconds) * 1000).toISOString().slice(0, 10);

describe('an invoice', () => {
  function draft(fields: Fields = {}): string {
    return objects.made('invoices.create', { customer, ...fields }).id;
  }

  it('is drafted, adds up, is finalized, and paid', () => {
    const invoice = draft();
    objects.made('invoiceItems.create', {
      customer,
      invoice,
      amount: 700,
      currency: 'usd',
      description: 'set-up',
    });
    objects.made('invoiceItems.create', { customer, invoice, pricing: { price }, quantity: 2 });
    const added = objects.made('invoices.addLines', { lines: [{ amount: 300, description: 'a line' }] }, [
      invoice,
    ]);
    expect(added).toMatchObject({
      status: 'draft',
      subtotal: 4000,
      total: 4000,
      amount_due: 4000,
      amount_paid: 0,
    });
    const { data } = objects.made('invoices.listLineItems', {}, [invoice]) as unknown as {
      data: { amount: number }[];
    };
    expect(data.map(({ amount }) => amount)).toEqual([300, 3000, 700]);
    const open = objects.made('invoices.finalizeInvoice', {}, [invoice]);
    expect(open).toMatchObject({ status: 'open', amount_remaining: 4000 });
    expect([open.number, open.hosted_invoice_url]).toEqual([expect.any(String), expect.any(String)]);
    expect(objects.call('invoices.finalizeInvoice', {}, [invoice]).status).toBe(400);
    expect(
      objects.call('invoiceItems.create', { customer, invoice, amount: 1, currency: 'usd' }).status,
    ).toBe(400);
    expect(objects.call('invoices.del', {}, [invoice]).status).toBe(400);
    const paid = objects.made('invoices.pay', {}, [invoice]);
    expect(paid).toMatchObject({ status: 'paid', amount_paid: 4000, amount_remaining: 0, attempt_count: 1 });
    expect(objects.made('invoicePayments.list', { invoice }).data).toMatchObject([
      { amount_paid: 4000, status: 'paid' },
    ]);
    expect(objects.balance).toBe(4000);
    expect(objects.call('invoices.pay', {}, [invoice]).body.error?.message).toBe('Invoice is already paid');
    expect(objects.call('invoices.voidInvoice', {}, [invoice]).status).toBe(400);
    expect(objects.events).toEqual(
      expect.arrayContaining(['invoice.created', 'invoice.finalized', 'charge.succeeded', 'invoice.paid']),
    );
  });

  it('takes what waits for it only where that is asked for', () => {
    objects.made('invoiceItems.create', { customer, amount: 700, currency: 'usd' });
    expect(objects.made('invoices.create', { customer })).toMatchObject({ total: 0 });
    const taken = objects.made('invoices.create', { customer, pending_invoice_items_behavior: 'include' });
    expect(taken).toMatchObject({ total: 700, lines: { data: [{ amount: 700 }] } });
    expect(objects.made('invoiceItems.list', { pending: true }).data).toEqual([]);
  });

  it('is edited as a draft alone', () => {
    const invoice = draft();
    const item = objects.made('invoiceItems.create', { customer, invoice, amount: 700, currency: 'usd' });
    const { data } = objects.made('invoices.addLines', { lines: [{ amount: 300 }, { amount: 200 }] }, [
      invoice,
    ]).lines as { data: { id: string }[] };
    const ids = data.map(({ id }) => id);
    expect(
      objects.made('invoices.updateLines', { lines: [{ id: ids[0], amount: 250 }] }, [invoice]).total,
    ).toBe(1250);
    expect(objects.made('invoices.updateLineItem', { amount: 350 }, [invoice, ids[1] ?? '']).amount).toBe(
      350,
    );
    expect(
      objects.made('invoices.removeLines', { lines: [{ id: ids[0], behavior: 'delete' }] }, [invoice]).total,
    ).toBe(1050);
    objects.made('invoiceItems.del', {}, [item.id]);
    expect(objects.made('invoices.retrieve', {}, [invoice]).total).toBe(350);
    objects.made('invoices.finalizeInvoice', {}, [invoice]);
    expect(objects.call('invoices.addLines', { lines: [{ amount: 1 }] }, [invoice]).status).toBe(400);
  });

  it('is less by its coupons, and one that comes to nothing is paid', () => {
    objects.made('coupons.create', { id: 'quarter', percent_off: 25 });
    objects.made('coupons.create', { id: 'all', amount_off: 99_999, currency: 'usd' });
    const invoice = draft({ discounts: [{ coupon: 'quarter' }] });
    objects.made('invoiceItems.create', { customer, invoice, amount: 1000, currency: 'usd' });
    expect(objects.made('invoices.retrieve', {}, [invoice])).toMatchObject({
      subtotal: 1000,
      total: 750,
      amount_due: 750,
    });
    objects.made('invoices.update', { discounts: [{ coupon: 'all' }] }, [invoice]);
    expect(objects.made('invoices.finalizeInvoice', {}, [invoice])).toMatchObject({
      total: 0,
      status: 'paid',
    });
    expect(
      objects.call('invoices.create', { customer, discounts: [{ coupon: 'zzz' }] }).body.error,
    ).toMatchObject({
      message: "No such coupon: 'zzz'",
      code: 'resource_missing',
      param: 'discounts[0][coupon]',
    });
  });

  it('stays open when the card declines, and is void or given up', () => {
    const invoice = draft();
    objects.made('invoiceItems.create', { customer, invoice, amount: 1000, currency: 'usd' });
    objects.made('invoices.finalizeInvoice', {}, [invoice]);
    const declined = objects.call('invoices.pay', { payment_method: 'pm_card_chargeCustomerFail' }, [
      invoice,
    ]);
    expect([declined.status, declined.body.error?.code]).toEqual([402, 'card_declined']);
    expect(objects.made('invoices.retrieve', {}, [invoice])).toMatchObject({
      status: 'open',
      attempt_count: 1,
    });
    expect(objects.events).toContain('invoice.payment_failed');
    expect(objects.made('invoices.markUncollectible', {}, [invoice]).status).toBe('uncollectible');
    expect(objects.made('invoices.voidInvoice', {}, [invoice]).status).toBe('void');
    expect(objects.call('invoices.pay', {}, [invoice]).status).toBe(400);
    expect(objects.balance).toBe(0);
    const other = draft();
    objects.made('invoiceItems.create', { customer, invoice: other, amount: 1000, currency: 'usd' });
    objects.made('invoices.pay', { paid_out_of_band: true }, [other]);
    expect(objects.balance).toBe(0);
  });

  it('needs something to be paid with', () => {
    const poor = objects.made('customers.create').id;
    const invoice = objects.made('invoices.create', { customer: poor }).id;
    objects.made('invoiceItems.create', { customer: poor, invoice, amount: 1000, currency: 'usd' });
    const { status, body } = objects.call('invoices.pay', {}, [invoice]);
    expect([status, body.error?.message]).toEqual([
      400,
      expect.stringMatching(/^This customer has no attached payment source/),
    ]);
    expect(objects.call('invoices.create', {}).body.error?.param).toBe('customer');
  });
});

describe('a credit note', () => {
  function invoiced(pay: boolean): string {
    const invoice = objects.made('invoices.create', { customer }).id;
    objects.made('invoiceItems.create', { customer, invoice, amount: 1000, currency: 'usd' });
    objects.made(pay ? 'invoices.pay' : 'invoices.finalizeInvoice', {}, [invoice]);
    return invoice;
  }

  it('makes an open invoice less, and pays it when nothing is left', () => {
    const invoice = invoiced(false);
    const note = objects.made('creditNotes.create', { invoice, amount: 400 });
    expect(note).toMatchObject({ amount: 400, status: 'issued', type: 'pre_payment', customer });
    expect(objects.made('invoices.retrieve', {}, [invoice])).toMatchObject({
      amount_due: 600,
      amount_remaining: 600,
    });
    expect(objects.call('creditNotes.create', { invoice, amount: 601 }).status).toBe(400);
    objects.made('creditNotes.voidCreditNote', {}, [note.id]);
    expect(objects.made('invoices.retrieve', {}, [invoice]).amount_due).toBe(1000);
    objects.made('creditNotes.create', { invoice, amount: 1000 });
    expect(objects.made('invoices.retrieve', {}, [invoice]).status).toBe('paid');
    expect(objects.balance).toBe(0);
  });

  it('gives back what was paid: to the card, or to the customer', () => {
    const invoice = invoiced(true);
    const note = objects.made('creditNotes.create', { invoice, amount: 300, refund_amount: 300 });
    expect(note).toMatchObject({ type: 'post_payment', refunds: [{ amount_refunded: 300 }] });
    expect(objects.balance).toBe(700);
    objects.made('creditNotes.create', { invoice, amount: 200 });
    expect(objects.made('customers.retrieve', {}, [customer]).balance).toBe(-200);
    expect(objects.made('customers.listBalanceTransactions', {}, [customer]).data).toMatchObject([
      { amount: -200, type: 'credit_note', ending_balance: -200 },
    ]);
    expect(objects.call('creditNotes.create', { invoice, amount: 501 }).status).toBe(400);
    expect(objects.call('creditNotes.create', { invoice, amount: 100, refund_amount: 50 }).status).toBe(400);
  });
});

describe('a subscription', () => {
  const items = () => [{ price, quantity: 2 }];

  it('is active once its first invoice is paid', () => {
    const made = objects.made('subscriptions.create', { customer, items: items() });
    expect(made).toMatchObject({
      status: 'active',
      currency: 'usd',
      items: { object: 'list', data: [{ quantity: 2 }] },
    });
    const [item] = (made.items as { data: Fields[] }).data;
    expect([isoOf(item?.current_period_start), isoOf(item?.current_period_end)]).toEqual([
      '2026-11-25',
      '2026-12-25',
    ]);
    expect(objects.made('invoices.retrieve', {}, [String(made.latest_invoice)])).toMatchObject({
      status: 'paid',
      total: 3000,
      billing_reason: 'subscription_create',
      parent: { subscription_details: { subscription: made.id } },
    });
    expect(objects.balance).toBe(3000);
    expect(objects.events).toEqual(
      expect.arrayContaining(['customer.subscription.created', 'invoice.paid', 'payment_intent.succeeded']),
    );
  });

  it('is incomplete until it is paid, or refused without means', () => {
    const poor = objects.made('customers.create').id;
    const asked = { customer: poor, items: items(), payment_behavior: 'error_if_incomplete' };
    const refused = objects.call('subscriptions.create', asked);
    expect([refused.status, refused.body.error?.code]).toEqual([400, 'resource_missing']);
    for (const left of ['subscriptions', 'subscription_items', 'invoices'])
      expect(objects.store.list(left)).toEqual([]);
    const letThrough = objects.call('subscriptions.create', { customer: poor, items: items() });
    expect([letThrough.body.status, letThrough.notModelled]).toEqual([
      'active',
      'that a subscription needs something to be paid with',
    ]);
    // Nothing is due of a trial, and whoever gets an invoice pays later.
    for (const more of [{ trial_period_days: 7 }, { collection_method: 'send_invoice', days_until_due: 7 }])
      objects.made('subscriptions.create', { customer: poor, items: items(), ...more });
    const waits = objects.made('subscriptions.create', {
      customer: poor,
      items: items(),
      payment_behavior: 'default_incomplete',
    });
    expect(waits.status).toBe('incomplete');
    expect(objects.made('invoices.retrieve', {}, [String(waits.latest_invoice)])).toMatchObject({
      status: 'open',
    });
    const declines = objects.made('customers.create', {
      payment_method: 'pm_card_chargeCustomerFail',
      invoice_settings: { default_payment_method: 'pm_card_chargeCustomerFail' },
    }).id;
    expect(objects.made('subscriptions.create', { customer: declines, items: items() }).status).toBe(
      'incomplete',
    );
    const strict = { customer: declines, items: items(), payment_behavior: 'error_if_incomplete' };
    expect(objects.call('subscriptions.create', strict).status).toBe(402);
  });

  it('is on trial, and active when that is over', () => {
    const made = objects.made('subscriptions.create', { customer, items: items(), trial_period_days: 14 });
    expect([made.status, isoOf(made.trial_end)]).toEqual(['trialing', '2026-12-09']);
    expect(objects.balance).toBe(0);
    objects.later(14 * 86_400);
    expect(objects.made('subscriptions.retrieve', {}, [made.id]).status).toBe('active');
    const other = objects.made('subscriptions.create', { customer, items: items(), trial_period_days: 14 });
    expect(objects.made('subscriptions.update', { trial_end: 'now' }, [other.id]).status).toBe('active');
  });

  it('ends at the end of its period, or at once', () => {
    const { id } = objects.made('subscriptions.create', { customer, items: items() });
    const ending = objects.made('subscriptions.update', { cancel_at_period_end: true }, [id]);
    expect([ending.status, isoOf(ending.cancel_at)]).toEqual(['active', '2026-12-25']);
    expect(objects.made('subscriptions.update', { cancel_at_period_end: false }, [id]).cancel_at).toBe(null);
    objects.made('subscriptions.update', { cancel_at_period_end: true }, [id]);
    objects.later(31 * 86_400);
    expect(objects.made('subscriptions.retrieve', {}, [id]).status).toBe('canceled');
    expect(objects.events).toContain('customer.subscription.deleted');
    const other = objects.made('subscriptions.create', { customer, items: items() }).id;
    expect(objects.made('subscriptions.cancel', {}, [other])).toMatchObject({ status: 'canceled' });
    expect(objects.call('subscriptions.cancel', {}, [other]).status).toBe(400);
    expect(objects.call('subscriptions.update', { cancel_at_period_end: true }, [other]).status).toBe(400);
    expect(objects.made('subscriptions.list').data).toEqual([]);
  });

  it('changes its items, and says that it makes no prorations', () => {
    const made = objects.made('subscriptions.create', { customer, items: items() });
    const [item] = (made.items as { data: { id: string }[] }).data;
    const more = objects.call('subscriptions.update', { items: [{ id: item?.id, quantity: 5 }, { price }] }, [
      made.id,
    ]);
    expect(more.notModelled).toBe('prorations');
    expect(more.body).toMatchObject({ items: { data: [{ quantity: 5 }, { quantity: 1 }] } });
    const second = (more.body.items as { data: { id: string }[] }).data[1]?.id ?? '';
    expect(objects.made('subscriptionItems.update', { quantity: 3 }, [second]).quantity).toBe(3);
    objects.made('subscriptions.update', { items: [{ id: item?.id, deleted: true }] }, [made.id]);
    objects.made('subscriptionItems.create', { subscription: made.id, price });
    objects.made('subscriptionItems.del', {}, [second]);
    expect(objects.made('subscriptions.retrieve', {}, [made.id])).toMatchObject({
      items: { data: [{ quantity: 1 }] },
    });
    const quiet = { items: [{ price }], proration_behavior: 'none' };
    expect(objects.call('subscriptions.update', quiet, [made.id]).notModelled).toBeUndefined();
  });

  it('takes a coupon by its promotion code', () => {
    objects.made('coupons.create', { id: 'half', percent_off: 50 });
    const { id } = objects.made('promotionCodes.create', {
      promotion: { type: 'coupon', coupon: 'half' },
      code: 'HALF',
    });
    const made = objects.made('subscriptions.create', {
      customer,
      items: items(),
      discounts: [{ promotion_code: id }],
    });
    expect(made.discounts).toEqual([expect.stringMatching(/^di_/)]);
    expect(objects.made('invoices.retrieve', {}, [String(made.latest_invoice)])).toMatchObject({
      total: 1500,
    });
  });
});
