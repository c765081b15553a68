import { describe, expect, it } from 'vitest';
import { Catalog } from '../../catalog/catalog.ts';
import { catalogData } from '../../catalog/data/catalog.ts';
import { moneyRuleOf } from '../../catalog/money.ts';
import { besideKind } from './besides.ts';
import { exposureOf } from './exposure.ts';
import type { ExposureReading, ReadingPolicy, StripeFacts } from './money-call.ts';
import { movedBy } from './moved.ts';
import { readStrictForm } from './strict-form.ts';

const catalog = new Catalog(catalogData);
const POLICY: ReadingPolicy = {
  intents: 'confirm',
  accounts: ['acct_ours'],
  unpriced: [],
  needs: { charge: false, customer: false },
};

/** Reads a call as the guard does, answering its look-ups from `objects`; `asked` is every path it asked for. */
function read(
  line: string,
  form: string,
  objects: Readonly<Record<string, StripeFacts>> = {},
  policy: Partial<ReadingPolicy> = {},
): ExposureReading & { asked: readonly string[] } {
  const [method = '', path = ''] = line.split(' ');
  const match = catalog.match(method, path);
  const rule = match === undefined ? undefined : moneyRuleOf(match.operation.name);
  const body = readStrictForm(Buffer.from(form));
  if (match === undefined || rule === undefined || !body.ok) throw new Error(`no call: ${line} ${form}`);
  const found = new Map<string, StripeFacts | undefined>();
  const call = { ...match, rule, fields: body.fields, policy: { ...POLICY, ...policy } };
  for (;;) {
    const reading = exposureOf(call, found);
    if (reading.kind !== 'look-up') return { ...reading, asked: [...found.keys()] };
    const { path: where, body: sent } = reading.lookUp;
    found.set(sent === undefined ? where : `${where}?${sent}`, objects[where]);
  }
}

const charge = {
  id: 'ch_1',
  object: 'charge',
  amount: 10_000,
  amount_refunded: 4_000,
  currency: 'usd',
  customer: 'cus_1',
  status: 'succeeded',
};
const CHARGE = { '/v1/charges/ch_1': charge };
const intent = {
  id: 'pi_1',
  object: 'payment_intent',
  amount: 150,
  amount_capturable: 150,
  amount_received: 0,
  currency: 'usd',
  status: 'requires_capture',
};
const INTENT = { '/v1/payment_intents/pi_1': intent };
const invoice = {
  id: 'in_1',
  object: 'invoice',
  amount_remaining: 700,
  total: 900,
  currency: 'eur',
  customer: 'cus_2',
};
const INVOICE = { '/v1/invoices/in_1': invoice };

type Row = readonly [
  name: string,
  line: string,
  form: string,
  objects: Readonly<Record<string, StripeFacts>>,
  is: object,
];

const rows: readonly Row[] = [
  [
    '[case 14] a refund without an amount takes the rest of the charge',
    'POST /v1/refunds',
    'charge=ch_1',
    CHARGE,
    {
      kind: 'priced',
      exposure: { amount: 6_000, currency: 'usd', direction: 'out', charge: 'ch_1', asked: 'all' },
    },
  ],
  [
    '[case 16] a refund by payment intent is looked up through the charges',
    'POST /v1/refunds',
    'payment_intent=pi_1&amount=50',
    {
      '/v1/charges?payment_intent=pi_1&limit=100': {
        object: 'list',
        data: [charge, { ...charge, status: 'failed' }],
      },
    },
    { kind: 'priced', exposure: { amount: 50, currency: 'usd', object: 'ch_1', customer: 'cus_1' } },
  ],
  [
    '[case 17] a charge that Stripe does not tell',
    'POST /v1/refunds',
    'charge=ch_1&amount=50',
    {},
    { kind: 'refused', code: 'keyaudit_amount_unknown' },
  ],
  [
    'a refund from a customer balance',
    'POST /v1/refunds',
    'origin=customer_balance&customer=cus_1&currency=EUR&amount=5',
    {},
    { kind: 'priced', exposure: { amount: 5, currency: 'eur', object: 'cus_1' } },
  ],
  [
    'a payout',
    'POST /v1/payouts',
    'amount=100&currency=usd',
    {},
    { kind: 'priced', exposure: { amount: 100 } },
  ],
  ['a payout without an amount', 'POST /v1/payouts', 'currency=usd', {}, { code: 'keyaudit_amount_unknown' }],
  [
    'an amount that is none',
    'POST /v1/payouts',
    'amount=1e5&currency=usd',
    {},
    { code: 'keyaudit_ambiguous_request' },
  ],
  [
    'a negative amount',
    'POST /v1/payouts',
    'amount=-1&currency=usd',
    {},
    { code: 'keyaudit_ambiguous_request' },
  ],
  [
    '[case 29] a currency that is none',
    'POST /v1/payouts',
    'amount=1&currency=+usd',
    {},
    { code: 'keyaudit_ambiguous_request' },
  ],
  [
    '[case 18] an increment names the new total',
    'POST /v1/payment_intents/pi_1/increment_authorization',
    'amount=150',
    { '/v1/payment_intents/pi_1': { ...intent, amount: 100 } },
    { kind: 'priced', exposure: { amount: 150, totalOf: 'pi_1' } },
  ],
  [
    '[case 18] a capture of less',
    'POST /v1/payment_intents/pi_1/capture',
    'amount_to_capture=120',
    INTENT,
    { kind: 'priced', exposure: { amount: 120, totalOf: 'pi_1' } },
  ],
  [
    '[case 19] one of several captures adds to the earlier ones',
    'POST /v1/payment_intents/pi_1/capture',
    'amount_to_capture=40&final_capture=false',
    { '/v1/payment_intents/pi_1': { ...intent, amount_received: 80, amount_capturable: 70 } },
    { kind: 'priced', exposure: { amount: 120, totalOf: 'pi_1' } },
  ],
  [
    'an intent without confirm',
    'POST /v1/payment_intents',
    'amount=100&currency=usd',
    {},
    { kind: 'nothing' },
  ],
  [
    'an intent with confirm',
    'POST /v1/payment_intents',
    'amount=100&currency=usd&confirm=true',
    {},
    { kind: 'priced', exposure: { amount: 100, totalOf: 'new' } },
  ],
  [
    '[case 20] a credit to a customer is signed',
    'POST /v1/customers/cus_1/balance_transactions',
    'amount=-100000&currency=usd',
    {},
    { kind: 'priced', exposure: { amount: 100_000, direction: 'gives-up' } },
  ],
  [
    '[case 20] a balance in a harmless looking call',
    'POST /v1/customers/cus_1',
    'balance=-100000',
    { '/v1/customers/cus_1': { id: 'cus_1', object: 'customer', currency: 'usd' } },
    { kind: 'priced', exposure: { amount: 100_000, currency: 'usd' } },
  ],
  [
    'a balance of a customer without a currency',
    'POST /v1/customers/cus_1',
    'balance=5',
    {
      '/v1/customers/cus_1': { id: 'cus_1', object: 'customer', currency: null },
      '/v1/account': { id: 'acct_1', object: 'account', default_currency: 'eur' },
    },
    { kind: 'priced', exposure: { amount: 5, currency: 'eur' } },
  ],
  ['a customer by name alone', 'POST /v1/customers/cus_1', 'name=x', {}, { kind: 'nothing' }],
  ['a default source', 'POST /v1/customers/cus_1', 'default_source=card_1', {}, { kind: 'unpriced' }],
  [
    '[case 21] a credit note by lines is bound by its invoice',
    'POST /v1/credit_notes',
    'invoice=in_1&lines[0][type]=invoice_line_item&lines[0][quantity]=1',
    INVOICE,
    { kind: 'priced', exposure: { amount: 900, currency: 'eur', direction: 'gives-up' } },
  ],
  [
    'an invoice item by the unit amount of older versions',
    'POST /v1/invoiceitems/ii_1',
    'unit_amount=300&quantity=4',
    { '/v1/invoiceitems/ii_1': { id: 'ii_1', object: 'invoiceitem', amount: 1, currency: 'usd' } },
    { kind: 'priced', exposure: { amount: 1_200, currency: 'usd' } },
  ],
  [
    'an invoice item with two amounts',
    'POST /v1/invoiceitems',
    'customer=cus_1&currency=usd&amount=1&unit_amount=100000',
    {},
    { kind: 'refused', code: 'keyaudit_amount_unknown' },
  ],
  [
    '[case 22] a subscription change is previewed',
    'POST /v1/subscriptions/sub_1',
    'items[0][id]=si_1&items[0][quantity]=1000&proration_behavior=always_invoice',
    {
      '/v1/invoices/create_preview': {
        object: 'invoice',
        amount_due: 1_000_000,
        currency: 'usd',
        customer: 'cus_1',
      },
    },
    { kind: 'priced', exposure: { amount: 1_000_000, currency: 'usd', customer: 'cus_1' } },
  ],
  [
    'a subscription change that no preview tells',
    'POST /v1/subscriptions/sub_1',
    'add_invoice_items[0][price]=p',
    {},
    { kind: 'unpriced' },
  ],
  [
    '[case 23] a quote is accepted',
    'POST /v1/quotes/qt_1/accept',
    '',
    { '/v1/quotes/qt_1': { id: 'qt_1', amount_total: 300, currency: 'usd' } },
    { kind: 'priced', exposure: { amount: 300, direction: 'in' } },
  ],
  [
    '[case 23] an invoice is paid',
    'POST /v1/invoices/in_1/pay',
    '',
    INVOICE,
    { exposure: { amount: 700, direction: 'in' } },
  ],
  [
    '[case 23] an invoice is marked paid',
    'POST /v1/invoices/in_1/pay',
    'paid_out_of_band=true',
    INVOICE,
    { exposure: { amount: 700, direction: 'gives-up' } },
  ],
  [
    '[case 23] an invoice is forgiven',
    'POST /v1/invoices/in_1/pay',
    'forgive=true',
    INVOICE,
    { exposure: { direction: 'gives-up' } },
  ],
  [
    '[case 23] a dispute is closed',
    'POST /v1/disputes/dp_1/close',
    '',
    { '/v1/disputes/dp_1': { id: 'dp_1', amount: 42, currency: 'usd', charge: 'ch_1' } },
    { exposure: { amount: 42, direction: 'gives-up', charge: 'ch_1' } },
  ],
  [
    '[case 24] a payment link',
    'POST /v1/payment_links',
    'line_items[0][price]=p&line_items[0][quantity]=1&line_items[0][adjustable_quantity][enabled]=true',
    {},
    { kind: 'unpriced' },
  ],
  [
    '[case 26] money for an account that is not named',
    'POST /v1/payment_intents',
    'amount=1&currency=usd&confirm=true&transfer_data[destination]=acct_theirs',
    {},
    { kind: 'refused', code: 'keyaudit_operation_not_allowed', param: 'transfer_data' },
  ],
  [
    '[case 26] money for one that is',
    'POST /v1/payment_intents',
    'amount=1&currency=usd&confirm=true&transfer_data[destination]=acct_ours',
    {},
    { kind: 'priced' },
  ],
  [
    '[case 26] a transfer',
    'POST /v1/transfers',
    'amount=1&currency=usd&destination=acct_x',
    {},
    { param: 'destination' },
  ],
  [
    'a unit price times a quantity',
    'POST /v1/invoiceitems',
    'customer=cus_1&currency=usd&unit_amount_decimal=0.5&quantity=3',
    {},
    { kind: 'priced', exposure: { amount: 2 } },
  ],
  [
    'a price of the catalogue',
    'POST /v1/invoiceitems',
    'customer=cus_1&currency=usd&pricing[price]=price_1',
    {},
    { kind: 'refused', code: 'keyaudit_amount_unknown' },
  ],
  ['an ephemeral key', 'POST /v1/ephemeral_keys', 'customer=cus_1', {}, { kind: 'unpriced' }],
  ['what moves no money', 'POST /v1/products', 'name=x', {}, { kind: 'nothing' }],
];

describe('exposureOf', () => {
  it.each(rows)('%s', (_name, line, form, objects, is) => {
    expect(read(line, form, objects)).toMatchObject(is);
  });

  it('asks once for each thing that it must know', () => {
    expect(read('POST /v1/refunds', 'charge=ch_1', CHARGE).asked).toEqual(['/v1/charges/ch_1']);
    expect(read('POST /v1/payouts', 'amount=1&currency=usd').asked).toEqual([]);
  });

  it('counts an intent when it is created, where the profile says so', () => {
    expect(
      read('POST /v1/payment_intents', 'amount=9&currency=usd', {}, { intents: 'create' }),
    ).toMatchObject({
      exposure: { amount: 9 },
    });
  });

  it('comes to an end for every write of the catalog, and lets none that moves money pass as nothing', () => {
    for (const { name, method, path } of catalog.operations) {
      const rule = moneyRuleOf(name);
      if (rule === undefined) continue;
      const reading = read(`${method} ${path.replaceAll('{id}', 'id_1')}`, '');
      const mayPass =
        ['none', 'test'].includes(rule.moneyClass) ||
        /^(?:moves nothing|unchanged)$/.test(rule.whenUnset) ||
        rule.note.startsWith('undoes what had been counted');
      expect(reading.kind === 'nothing', name).toBe(mayPass);
    }
  });

  it('knows what each parameter beside the amount asks for, where an amount is counted', () => {
    const unknown = catalog.operations.flatMap(({ name }) => {
      const rule = moneyRuleOf(name);
      if (rule === undefined || !['request', 'object', 'none'].includes(rule.moneyClass)) return [];
      return rule.besides.filter((one) => besideKind(one) === undefined);
    });
    expect([...new Set(unknown)]).toEqual([]);
  });
});

describe('movedBy', () => {
  const exposure = { direction: 'in', amount: 150, currency: 'usd', object: 'pi_1', asked: '' } as const;
  const moved = (operation: string, answer: StripeFacts, totalOf?: string) => {
    const rule = moneyRuleOf(operation);
    if (rule === undefined) throw new Error(operation);
    return movedBy(rule, { ...exposure, ...(totalOf === undefined ? {} : { totalOf }) }, answer);
  };
  it.each<[string, string, StripeFacts, string | undefined, object]>([
    [
      'a refund',
      'refunds.create',
      { id: 're_1', amount: 90, currency: 'usd', status: 'succeeded' },
      undefined,
      { amount: 90, object: 're_1', isPending: false },
    ],
    [
      '[case 44] a refund on its way',
      'refunds.create',
      { id: 're_1', amount: 90, status: 'pending' },
      undefined,
      { isPending: true },
    ],
    ['an answer without an amount', 'refunds.create', { id: 're_1' }, undefined, { amount: 150 }],
    [
      'an answer in another currency',
      'refunds.create',
      { id: 're_1', amount: 1, currency: 'jpy' },
      undefined,
      { amount: 150 },
    ],
    [
      'an intent that is held',
      'paymentIntents.create',
      intent,
      'new',
      { amount: 150, isWhole: true, totalOf: 'pi_1' },
    ],
    [
      'an intent that was captured',
      'paymentIntents.capture',
      { ...intent, amount_received: 120 },
      'pi_1',
      { amount: 120, isWhole: true },
    ],
    [
      'an intent that failed',
      'paymentIntents.confirm',
      { ...intent, status: 'requires_payment_method' },
      'pi_1',
      { amount: 0 },
    ],
    [
      '[case 25] a tip',
      'paymentIntents.capture',
      { ...intent, amount_received: 175, amount: 175 },
      'pi_1',
      { amount: 175 },
    ],
    [
      '[case 21] a credit note',
      'creditNotes.create',
      { id: 'cn_1', amount: 200, total: 200, currency: 'usd' },
      undefined,
      { amount: 200 },
    ],
    [
      'a charge that is only held',
      'charges.create',
      { id: 'ch_1', object: 'charge', amount: 150, amount_captured: 0, captured: false },
      'new',
      { amount: 150, totalOf: 'ch_1' },
    ],
  ])('%s', (_name, operation, answer, totalOf, is) => {
    expect(moved(operation, answer, totalOf)).toMatchObject(is);
  });
});
