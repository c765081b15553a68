import { beforeEach, describe, expect, it } from 'vitest';
import { Objects } from '../../../../test/support/call-objects.ts';
import type { Fields } from '../../../http/form-body.ts';

let objects: Objects;
beforeEach(() => {
  objects = new Objects();
});

const money = { amount: 1000, currency: 'usd' };

function intent(fields: Fields = {}): string {
  return objects.made('paymentIntents.create', { ...money, ...fields }).id;
}

describe('what is sold', () => {
  it('has its line items in their order, and a total', () => {
    const product = objects.made('products.create', { name: 'T-shirt' }).id;
    const price = objects.made('prices.create', { currency: 'eur', unit_amount: 500, product }).id;
    const data = { currency: 'eur', unit_amount: 120, product_data: { name: 'Postage' } };
    const line_items = [{ price, quantity: 3 }, { price_data: data }];
    const rows = [
      ['checkout.sessions', { mode: 'payment', success_url: 'https://example.com' }, true],
      ['paymentLinks', {}, false],
      ['quotes', {}, true],
    ] as const;
    for (const [resource, more, hasTotal] of rows) {
      const made = objects.made(`${resource}.create`, { ...more, line_items });
      expect([made.currency, made.amount_total]).toEqual(['eur', hasTotal ? 1620 : undefined]);
      const { data: lines } = objects.made(`${resource}.listLineItems`, {}, [made.id]) as unknown as {
        data: object[];
      };
      expect(lines).toMatchObject([
        { amount_total: 1500, description: 'T-shirt', price: { id: price }, quantity: 3 },
        { amount_total: 120, description: 'Postage', quantity: 1 },
      ]);
      const odd = objects.call(`${resource}.create`, { ...more, line_items: [{ quantity: 1 }] });
      expect([odd.status, odd.body.error?.param]).toEqual([400, 'line_items[0][price]']);
    }
  });

  it.each([
    ['checkout.sessions', 'expire', 'checkout.session.expired'],
    ['quotes', 'finalizeQuote', 'quote.finalized'],
    ['quotes', 'cancel', 'quote.canceled'],
    ['subscriptionSchedules', 'release', 'subscription_schedule.released'],
    ['subscriptionSchedules', 'cancel', 'subscription_schedule.canceled'],
  ])('%s.%s is an event', (resource, action, type) => {
    const { id } = objects.made(`${resource}.create`);
    objects.made(`${resource}.${action}`, {}, [id]);
    expect(objects.events.at(-1)).toBe(type);
  });
});

describe('customers and their means', () => {
  it('are answered as deleted by their id alone, and their subscriptions end', () => {
    const { id } = objects.made('customers.create', { email: 'a@example.com' });
    const product = objects.made('products.create', { name: 'p' });
    objects.made('customers.del', {}, [id]);
    objects.made('products.del', {}, [product.id]);
    expect(objects.call('customers.retrieve', {}, [id])).toMatchObject({
      status: 200,
      body: { id, object: 'customer', deleted: true },
    });
    expect(objects.call('products.retrieve', {}, [product.id]).body).toEqual({
      id: product.id,
      object: 'product',
      deleted: true,
    });
    expect(objects.call('customers.update', { name: 'x' }, [id]).status).toBe(404);
    expect(objects.call('customers.del', {}, [id]).status).toBe(404);
    expect(objects.made('customers.list').data).toEqual([]);
  });

  it('keep a product that has prices', () => {
    const { id } = objects.made('products.create', { name: 'p' });
    objects.made('prices.create', { currency: 'usd', unit_amount: 5, product: id });
    expect(objects.call('products.del', {}, [id]).body.error?.message).toMatch(/cannot be deleted/);
  });

  it('are attached, made the default, and detached', () => {
    const { id } = objects.made('customers.create');
    const method = objects.made('paymentMethods.attach', { customer: id }, ['pm_card_mastercard']);
    expect(method).toMatchObject({
      object: 'payment_method',
      customer: id,
      card: { brand: 'mastercard', last4: '4444' },
    });
    expect(method.id).toMatch(/^pm_1/);
    const settings = { invoice_settings: { default_payment_method: method.id } };
    expect(objects.made('customers.update', settings, [id])).toMatchObject(settings);
    const other = objects.made('customers.create');
    expect(objects.call('paymentMethods.attach', { customer: other.id }, [method.id]).status).toBe(400);
    expect(objects.call('customers.update', settings, [other.id]).body.error).toMatchObject({
      code: 'resource_missing',
      param: 'invoice_settings[default_payment_method]',
    });
    objects.made('paymentMethods.detach', {}, [method.id]);
    expect(objects.made('customers.retrieve', {}, [id])).toMatchObject({
      invoice_settings: { default_payment_method: null },
    });
    expect(objects.call('paymentMethods.detach', {}, [method.id]).status).toBe(400);
    expect(objects.events).toEqual(
      expect.arrayContaining(['payment_method.attached', 'payment_method.detached']),
    );
  });

  const attached: readonly [token: string, status: number][] = [
    ['pm_card_visa', 200],
    ['pm_card_chargeDeclined', 402],
    ['pm_card_chargeCustomerFail', 200],
    ['pm_card_authenticationRequired', 200],
  ];
  it.each(attached)('attach %s with %i', (token, status) => {
    const { id } = objects.made('customers.create');
    expect(objects.call('paymentMethods.attach', { customer: id }, [token]).status).toBe(status);
  });

  it('keep a card of a token as their source', () => {
    const customer = objects.made('customers.create', { source: 'tok_visa' });
    const { data } = objects.made('customers.listSources', {}, [customer.id]) as unknown as {
      data: object[];
    };
    expect(data).toMatchObject([
      { id: customer.default_source, object: 'card', brand: 'Visa', last4: '4242' },
    ]);
    expect(objects.made('charges.create', { ...money, customer: customer.id })).toMatchObject({ paid: true });
    expect(objects.call('customers.create', { source: 'tok_chargeDeclined' }).status).toBe(402);
  });
});

describe('a payment intent', () => {
  it('goes from no payment method to paid', () => {
    const id = intent();
    const states = [objects.made('paymentIntents.retrieve', {}, [id]).status];
    expect(objects.call('paymentIntents.confirm', {}, [id]).body.error?.code).toBe(
      'payment_intent_unexpected_state',
    );
    states.push(objects.made('paymentIntents.update', { payment_method: 'pm_card_visa' }, [id]).status);
    states.push(objects.made('paymentIntents.confirm', {}, [id]).status);
    expect(states).toEqual(['requires_payment_method', 'requires_confirmation', 'succeeded']);
    expect(objects.call('paymentIntents.update', { amount: 5 }, [id]).status).toBe(400);
    expect(objects.made('paymentIntents.retrieve', {}, [id]).amount).toBe(1000);
    expect(objects.balance).toBe(1000);
    expect(objects.events).toEqual([
      'payment_intent.created',
      'charge.succeeded',
      'payment_intent.succeeded',
    ]);
  });

  it('asks the customer, and is paid once they have answered', () => {
    const id = intent({ payment_method: 'pm_card_threeDSecure2Required', confirm: true });
    expect(objects.made('paymentIntents.retrieve', {}, [id])).toMatchObject({
      status: 'requires_action',
      next_action: { type: 'redirect_to_url' },
    });
    expect(objects.balance).toBe(0);
    expect(objects.made('paymentIntents.confirm', {}, [id])).toMatchObject({
      status: 'succeeded',
      next_action: null,
    });
    expect(objects.events).toContain('payment_intent.requires_action');
  });

  it('is declined where nobody is there to ask', () => {
    const asked = { payment_method: 'pm_card_authenticationRequired', confirm: true, off_session: true };
    const { status, body } = objects.call('paymentIntents.create', { ...money, ...asked });
    expect([status, body.error?.code]).toEqual([402, 'authentication_required']);
  });

  it('that is declined stays, with what went wrong', () => {
    const { status, body } = objects.call('paymentIntents.create', {
      ...money,
      payment_method: 'pm_card_chargeDeclinedInsufficientFunds',
      confirm: true,
    });
    expect([status, body.error?.decline_code]).toEqual([402, 'insufficient_funds']);
    const id = String((body.error?.payment_intent as Fields | undefined)?.id);
    expect(objects.made('paymentIntents.retrieve', {}, [id])).toMatchObject({
      status: 'requires_payment_method',
      last_payment_error: { code: 'card_declined', decline_code: 'insufficient_funds' },
    });
    expect(objects.made('charges.list').data).toMatchObject([
      { status: 'failed', paid: false, payment_intent: id },
    ]);
    expect(objects.made('paymentIntents.confirm', { payment_method: 'pm_card_visa' }, [id]).status).toBe(
      'succeeded',
    );
    expect(objects.events.slice(0, 3)).toEqual([
      'payment_intent.created',
      'charge.failed',
      'payment_intent.payment_failed',
    ]);
  });

  it('is held, raised, captured in part, and the rest is free', () => {
    const id = intent({ payment_method: 'pm_card_visa', confirm: true, capture_method: 'manual' });
    expect(objects.balance).toBe(0);
    expect(objects.call('paymentIntents.incrementAuthorization', { amount: 900 }, [id]).status).toBe(400);
    expect(objects.made('paymentIntents.incrementAuthorization', { amount: 1500 }, [id])).toMatchObject({
      amount: 1500,
      amount_capturable: 1500,
    });
    expect(objects.call('paymentIntents.capture', { amount_to_capture: 1501 }, [id]).status).toBe(400);
    const captured = objects.made('paymentIntents.capture', { amount_to_capture: 600 }, [id]);
    expect(captured).toMatchObject({ status: 'succeeded', amount_received: 600, amount_capturable: 0 });
    expect(objects.made('charges.retrieve', {}, [String(captured.latest_charge)])).toMatchObject({
      amount: 1500,
      amount_captured: 600,
      captured: true,
    });
    expect(objects.balance).toBe(600);
    expect(objects.call('paymentIntents.capture', {}, [id]).body.error?.code).toBe(
      'payment_intent_unexpected_state',
    );
    expect(objects.call('refunds.create', { payment_intent: id, amount: 601 }).status).toBe(400);
    expect(objects.call('refunds.create', { payment_intent: id }).body.amount).toBe(600);
  });

  it('is captured several times where the last is yet to come', () => {
    const id = intent({ payment_method: 'pm_card_visa', confirm: true, capture_method: 'manual' });
    const first = objects.made('paymentIntents.capture', { amount_to_capture: 300, final_capture: false }, [
      id,
    ]);
    expect(first).toMatchObject({ status: 'requires_capture', amount_capturable: 700, amount_received: 300 });
    expect(objects.made('paymentIntents.capture', {}, [id])).toMatchObject({
      status: 'succeeded',
      amount_received: 1000,
    });
    expect(objects.balance).toBe(1000);
  });

  it('is canceled while it is held, and moves nothing', () => {
    const id = intent({ payment_method: 'pm_card_visa', confirm: true, capture_method: 'manual' });
    const canceled = objects.made('paymentIntents.cancel', { cancellation_reason: 'abandoned' }, [id]);
    expect(canceled).toMatchObject({
      status: 'canceled',
      cancellation_reason: 'abandoned',
      amount_capturable: 0,
    });
    expect(objects.balance).toBe(0);
    expect(objects.call('paymentIntents.cancel', {}, [id]).status).toBe(400);
    expect(objects.call('paymentIntents.confirm', {}, [id]).status).toBe(400);
  });
});

describe('a setup intent', () => {
  it('keeps a card for later', () => {
    const { id: customer } = objects.made('customers.create');
    const setup = objects.made('setupIntents.create', {
      customer,
      payment_method: 'pm_card_visa',
      confirm: true,
    });
    expect(setup.status).toBe('succeeded');
    expect(objects.made('customers.listPaymentMethods', {}, [customer]).data).toMatchObject([
      { id: setup.payment_method },
    ]);
    const asked = objects.made('setupIntents.create', {
      payment_method: 'pm_card_authenticationRequired',
      confirm: true,
    });
    expect(asked.status).toBe('requires_action');
    expect(objects.made('setupIntents.confirm', {}, [asked.id]).status).toBe('succeeded');
    const no = objects.call('setupIntents.create', {
      payment_method: 'pm_card_chargeDeclined',
      confirm: true,
    });
    expect([no.status, (no.body.error?.setup_intent as Fields | undefined)?.status]).toEqual([
      402,
      'requires_payment_method',
    ]);
  });
});

describe('a refund', () => {
  function refunded(card: string): string {
    const id = intent({ payment_method: card, confirm: true });
    return objects.made('refunds.create', { payment_intent: id, amount: 400 }).id;
  }

  it('fails a moment later on the card that shows it, and the money is back', () => {
    const id = refunded('pm_card_refundFail');
    expect(objects.made('refunds.retrieve', {}, [id]).status).toBe('succeeded');
    expect(objects.balance).toBe(600);
    objects.later(2);
    const failed = objects.made('refunds.retrieve', {}, [id]);
    expect(failed).toMatchObject({ status: 'failed', failure_reason: 'lost_or_stolen_card' });
    expect(objects.made('charges.retrieve', {}, [String(failed.charge)])).toMatchObject({
      amount_refunded: 0,
    });
    expect(objects.balance).toBe(1000);
    expect(objects.events).toContain('refund.failed');
  });

  it('is pending on the card that shows it, succeeds a moment later, or is canceled before', () => {
    const id = refunded('pm_card_pendingRefund');
    expect(objects.made('refunds.retrieve', {}, [id])).toMatchObject({
      status: 'pending',
      pending_reason: 'processing',
    });
    objects.later(2);
    expect(objects.made('refunds.list').data).toMatchObject([{ id, status: 'succeeded' }]);
    const other = refunded('pm_card_pendingRefund');
    expect(objects.made('refunds.cancel', {}, [other]).status).toBe('canceled');
    expect(objects.balance).toBe(1600);
    expect(objects.call('refunds.cancel', {}, [other]).status).toBe(400);
  });
});

describe('a dispute', () => {
  function disputed(card = 'pm_card_createDispute'): string {
    intent({ payment_method: card, confirm: true });
    const { data } = objects.made('disputes.list') as unknown as { data: { id: string }[] };
    return data[0]?.id ?? '';
  }
  const dueIn = (days: number) => Math.floor(objects.now / 1000) + days * 86_400;

  it('takes the money, has a deadline, and gives it back when it is won', () => {
    const id = disputed();
    expect(objects.balance).toBe(0);
    expect(objects.made('disputes.retrieve', {}, [id])).toMatchObject({
      amount: 1000,
      reason: 'fraudulent',
      status: 'needs_response',
      evidence_details: { due_by: dueIn(9), has_evidence: false, submission_count: 0 },
    });
    const staged = { evidence: { customer_name: 'Ada' }, submit: false };
    expect(objects.made('disputes.update', staged, [id])).toMatchObject({
      status: 'needs_response',
      evidence: { customer_name: 'Ada' },
      evidence_details: { has_evidence: true, submission_count: 0 },
    });
    const won = objects.made('disputes.update', { evidence: { uncategorized_text: 'winning_evidence' } }, [
      id,
    ]);
    expect(won).toMatchObject({ status: 'won', evidence_details: { submission_count: 1 } });
    expect(objects.balance).toBe(1000);
    expect(objects.call('disputes.update', { evidence: { customer_name: 'x' } }, [id]).status).toBe(400);
    expect(objects.call('disputes.close', {}, [id]).status).toBe(400);
    expect(objects.events.filter((type) => String(type).startsWith('charge.dispute'))).toEqual([
      'charge.dispute.created',
      'charge.dispute.funds_withdrawn',
      'charge.dispute.updated',
      'charge.dispute.updated',
      'charge.dispute.funds_reinstated',
      'charge.dispute.closed',
    ]);
  });

  it('is under review, lost by its evidence, given up, or lost when its time has run out', () => {
    const reviewed = objects.made('disputes.update', { evidence: { customer_name: 'Ada' } }, [disputed()]);
    expect(reviewed.status).toBe('under_review');
    const lost = { evidence: { uncategorized_text: 'losing_evidence' } };
    expect(objects.made('disputes.update', lost, [disputed()]).status).toBe('lost');
    expect(objects.made('disputes.close', {}, [disputed()]).status).toBe('lost');
    const late = disputed();
    objects.later(9 * 86_400 + 1);
    expect(objects.call('disputes.update', { evidence: { customer_name: 'x' } }, [late]).status).toBe(400);
    expect(objects.made('disputes.retrieve', {}, [late])).toMatchObject({
      status: 'lost',
      evidence_details: { past_due: true },
    });
    expect(objects.balance).toBe(0);
  });

  it('that is but an inquiry moves nothing', () => {
    const id = disputed('pm_card_createDisputeInquiry');
    expect(objects.made('disputes.retrieve', {}, [id]).status).toBe('warning_needs_response');
    expect(objects.balance).toBe(1000);
  });
});

describe('payouts and transfers', () => {
  it('leave what is there, come back, and reach the bank on their day', () => {
    expect(objects.call('payouts.create', { amount: 1, currency: 'usd' }).body.error?.code).toBe(
      'balance_insufficient',
    );
    objects.made('charges.create', { ...money, source: 'tok_bypassPending' });
    const payout = objects.made('payouts.create', { amount: 300, currency: 'usd' });
    objects.later(2 * 86_400);
    expect(objects.made('payouts.retrieve', {}, [payout.id]).status).toBe('paid');
    expect(objects.call('payouts.cancel', {}, [payout.id]).status).toBe(400);
    const reversed = objects.made('payouts.reverse', {}, [payout.id]);
    expect(objects.made('payouts.retrieve', {}, [String(reversed.reversed_by)])).toMatchObject({
      amount: -300,
      original_payout: payout.id,
    });
    const transfer = objects.made('transfers.create', { ...money, amount: 500, destination: 'acct_1' });
    objects.made('transfers.createReversal', { amount: 200 }, [transfer.id]);
    expect(objects.made('transfers.retrieve', {}, [transfer.id])).toMatchObject({
      amount_reversed: 200,
      reversed: false,
      reversals: { data: [{ amount: 200 }] },
    });
    expect(objects.balance).toBe(700);
  });
});

describe('test clocks', () => {
  it('are refused by name', () => {
    for (const { body, status, notModelled } of [
      objects.call('testHelpers.testClocks.create', { frozen_time: 1 }),
      objects.call('customers.create', { test_clock: 'clock_1' }),
    ]) {
      expect([status, notModelled]).toEqual([400, 'test clocks']);
      expect(body.error?.message).toMatch(/does not model test clocks/);
    }
    expect(objects.made('customers.list').data).toEqual([]);
  });
});
