import { describe, expect, it } from 'vitest';
import { answerJson, startFaultyServer, stripeError } from '../support/faulty-server.ts';
import { guardScene } from '../support/guard-scene.ts';

/** A role that bills, credits and gives up claims; what it may move is what its caps say. */
const BILLING = `
permissions:
  { customers: write, credit_notes: write, invoices: write, subscriptions: write, quotes: write, disputes: write,
    payment_links: write, payment_intents: write, charges: read }
widening: report
guard: { repeat: allow, UNPRICED caps: [{ per: run, amount: 5.00 usd }] }
`;

const INTENT = {
  id: 'pi_1',
  object: 'payment_intent',
  currency: 'usd',
  amount: 300,
  status: 'requires_capture',
};

/** What Stripe has, by path; what a write is answered is what it says of its object. */
const OBJECTS: Readonly<Record<string, object>> = {
  '/v1/customers/cus_1': { id: 'cus_1', object: 'customer', currency: 'usd' },
  '/v1/invoices/in_1': { id: 'in_1', object: 'invoice', amount_remaining: 700, total: 700, currency: 'usd' },
  '/v1/invoices/in_2': { id: 'in_2', object: 'invoice', amount_remaining: 300, total: 300, currency: 'usd' },
  '/v1/invoices/create_preview': {
    object: 'invoice',
    amount_due: 1_000_000,
    currency: 'usd',
    customer: 'cus_1',
  },
  '/v1/quotes/qt_1': { id: 'qt_1', object: 'quote', amount_total: 700, currency: 'usd' },
  '/v1/disputes/dp_1': { id: 'dp_1', object: 'dispute', amount: 700, currency: 'usd', charge: 'ch_1' },
  '/v1/payment_intents': { ...INTENT, amount_capturable: 300, amount_received: 0 },
  '/v1/payment_intents/pi_1': { ...INTENT, amount_capturable: 300, amount_received: 0 },
};

async function scene(answers: Readonly<Record<string, object>> = {}, unpriced = '') {
  const writes: string[] = [];
  const upstream = await startFaultyServer((request, response) => {
    const path = request.url?.replace(/[?].*/, '') ?? '';
    const isLookUp = request.method === 'GET' || path.endsWith('/create_preview');
    if (!isLookUp) writes.push(`${path} ${request.body}`);
    const object = (isLookUp ? undefined : answers[path]) ?? OBJECTS[path];
    if (object === undefined) answerJson(response, 404, stripeError('none', 'resource_missing'));
    else answerJson(response, 200, object);
  });
  const made = await guardScene({
    profiles: { billing: BILLING.replace('UNPRICED', unpriced) },
    upstream: upstream.url,
  });
  await made.issue();
  const counted = () => [...made.guard.store.book.counters().values()].reduce((sum, value) => sum + value, 0);
  return { ...made, writes, counted };
}

const CAP = 'keyaudit_spend_cap_exceeded';

describe('amounts that stand elsewhere than in "amount", against a cap of 5.00 usd', () => {
  it.each([
    [
      'case 20: a credit of 1,000.00',
      'customers/cus_1/balance_transactions',
      'amount=-100000&currency=usd',
      CAP,
    ],
    ['case 20: a balance in a call that looks harmless', 'customers/cus_1', 'balance=-100000', CAP],
    [
      'case 22: a subscription raised to 1,000 pieces, as a preview tells',
      'subscriptions/sub_1',
      'items[0][id]=si_1&items[0][quantity]=1000&proration_behavior=always_invoice',
      CAP,
    ],
    ['case 23: a quote is accepted', 'quotes/qt_1/accept', '', CAP],
    ['case 23: an invoice is paid', 'invoices/in_1/pay', '', CAP],
    ['case 23: an invoice is marked paid', 'invoices/in_1/pay', 'paid_out_of_band=true', CAP],
    ['case 23: an invoice is forgiven', 'invoices/in_1/pay', 'forgive=true', CAP],
    ['case 23: a dispute is given up', 'disputes/dp_1/close', '', CAP],
    [
      'case 24: a payment link whose payer says how much',
      'payment_links',
      'line_items[0][price]=price_1&line_items[0][quantity]=1',
      'keyaudit_amount_unknown',
    ],
    [
      'case 24: a payment link whose payer says how many',
      'payment_links',
      'line_items[0][price]=price_1&line_items[0][quantity]=1&line_items[0][adjustable_quantity][enabled]=true',
      'keyaudit_amount_unknown',
    ],
  ])('%s: refused, and nothing is sent', async (_name, path, form, code) => {
    const { ask, writes, counted } = await scene();
    const { status, body } = await ask(`POST /v1/${path}`, form);
    expect([status, body.error.code]).toEqual([403, code]);
    expect([writes, counted()]).toEqual([[], 0]);
  });

  it('case 20 and 23: what fits counts as it stands', async () => {
    const { ask, counted } = await scene({
      '/v1/customers/cus_1/balance_transactions': { id: 'cbtxn_1', amount: -120 },
      '/v1/invoices/in_2/pay': { id: 'in_2', object: 'invoice', amount_remaining: 0, total: 300 },
    });
    const credit = 'POST /v1/customers/cus_1/balance_transactions';
    expect((await ask(credit, 'amount=-120&currency=usd')).status).toBe(200);
    expect(counted()).toBe(120);
    expect((await ask('POST /v1/invoices/in_2/pay', 'paid_out_of_band=true')).status).toBe(200);
    expect(counted()).toBe(420);
  });

  it('case 24: a payment link that the profile names is let through, so often as it says', async () => {
    const link = { '/v1/payment_links': { id: 'plink_1', object: 'payment_link' } };
    const { ask, writes } = await scene(link, 'unpriced: { calls: 1, of: [paymentLinks.create] },');
    const form = 'line_items[0][price]=price_1&line_items[0][quantity]=1';
    expect((await ask('POST /v1/payment_links', form)).status).toBe(200);
    expect((await ask('POST /v1/payment_links', form)).body.error.code).toBe(CAP);
    expect(writes).toHaveLength(1);
  });

  it('case 21: a credit note by lines that comes to more than its invoice: booked, alarm, the next call is refused', async () => {
    const note = { id: 'cn_1', object: 'credit_note', total: 450, amount: 450, currency: 'usd' };
    const { ask, counted, alarms, rows } = await scene({ '/v1/credit_notes': note });
    const lines = 'invoice=in_2&lines[0][type]=invoice_line_item&lines[0][quantity]=1';
    expect((await ask('POST /v1/credit_notes', lines)).status).toBe(200);
    expect(counted()).toBe(450);
    expect(alarms.join()).toMatch(/creditNotes\.create moved 1\.50 usd more than was reserved/);
    expect((await rows()).find(({ kind }) => kind === 'overrun')).toMatchObject({ amount: 150 });
    expect((await ask('POST /v1/invoices/in_2/pay', '')).body.error.code).toBe(CAP);
  });

  it('case 25: a tip at the reader raises what is captured: booked as overrun', async () => {
    const captured = {
      ...INTENT,
      status: 'succeeded',
      amount: 360,
      amount_received: 360,
      amount_capturable: 0,
    };
    const { ask, counted, alarms } = await scene({ '/v1/payment_intents/pi_1/capture': captured });
    const create = 'amount=300&currency=usd&confirm=true&capture_method=manual';
    expect((await ask('POST /v1/payment_intents', create)).status).toBe(200);
    expect(counted()).toBe(300);
    expect((await ask('POST /v1/payment_intents/pi_1/capture', '')).status).toBe(200);
    expect(counted()).toBe(360);
    expect(alarms.join()).toMatch(/0\.60 usd more than was reserved/);
  });
});
