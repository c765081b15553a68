import { describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { Catalog } from '../../catalog/catalog.ts';
import { catalogData } from '../../catalog/data/catalog.ts';
import { smallestGrant } from '../../grant/smallest-grant.ts';
import { readProfile } from '../read-profile.ts';
import { resourcesWithWord } from './nearest-name.ts';
import { scopeAdvice } from './scope-name.ts';
import { successorOf } from './successor.ts';

const catalog = new Catalog(catalogData);

describe('names from key links', () => {
  it.each([
    ['rak_refund_read', '"refunds: read"', 'charge_read'],
    ['rak_refund_write', '"refunds: write"', 'charge_write'],
    ['rak_price_read', '"prices: read"', 'plan_read'],
    ['rak_payment_link_write', '"payment_links: write"', 'payment_links_write'],
    ['rak_invoiceitem_write', '"invoiceitems: write"', 'invoice_write'],
    ['rak_invoice_item_read', '"invoiceitems: read"', 'invoice_read'],
    ['rak_subscription_schedule_read', '"subscription_schedules: read"', 'subscription_read'],
    ['rak_balance_transaction_read', '"balance_transactions: read"', '_read'],
    ['rak_account_read', '"account', 'connected_account_read'],
    ['rak_bucket_connect_read', 'keyaudit resources connect', ''],
    ['rak_bucket_payment_links_write', 'keyaudit resources payment_links', ''],
    ['rak_unheard_of_read', 'keyaudit resources unheard', ''],
  ])('%s: says what to write', (name, says, permission) => {
    const advice = scopeAdvice(name, catalog);
    expect(advice?.message).toContain(`"${name}"`);
    expect(advice?.hint).toContain(says);
    expect(advice?.hint).toContain(permission);
    const profile = readProfile(`name: a\npermissions:\n  ${name}: read\n`, 'a.yaml', catalog);
    expect(profile).toMatchObject({ ok: false, problems: [{ hint: advice?.hint }] });
  });

  it('says nothing of what is a permission, or no scope', () => {
    for (const name of ['rak_charge_read', 'charge_read', 'refunds']) {
      expect(scopeAdvice(name, catalog)).toBeUndefined();
    }
  });
});

describe('calls that are no more', () => {
  it.each([
    ['POST /v1/charges/:id/refund', 'POST /v1/refunds'],
    ['/v1/charges/ch_1AbC/refund', 'POST /v1/refunds'],
    ['https://api.stripe.com/v1/balance/history', 'GET /v1/balance_transactions'],
    ['GET /v1/balance/history/txn_1', 'GET /v1/balance_transactions/{id}'],
    ['/v1/customers/:id/subscriptions', 'GET /v1/subscriptions'],
    ['POST /v1/customers/{id}/subscriptions', 'POST /v1/subscriptions'],
    ['DELETE /v1/customers/cus_1/subscriptions/sub_1', 'DELETE /v1/subscriptions/{id}'],
    ['charges.refund', 'POST /v1/refunds'],
    ['invoices.retrieveUpcoming', 'POST /v1/invoices/create_preview'],
    ['subscriptionItems.createUsageRecord', 'POST /v1/billing/meter_events'],
    ['POST /v1/orders', undefined],
    ['/v1/orders/or_1/pay', undefined],
    ['orders.create', undefined],
    ['skus.list', undefined],
  ])('%s: its successor or nothing, never a neighbour', (call, successor) => {
    expect(successorOf(call)).toMatchObject({ endpoint: successor });
    if (successor !== undefined) expect(catalog.find(successor), successor).toBeDefined();
    const [unresolved] = smallestGrant([call], catalog).unresolved;
    expect(unresolved?.reason).not.toContain('Did you mean');
    expect(unresolved?.reason).toContain(successor ?? 'Nothing takes its place');
  });

  it('every successor is in the catalog', () => {
    for (const { name, method, path } of catalog.operations) {
      expect(successorOf(name), name).toBeUndefined();
      expect(successorOf(`${method} ${path}`), path).toBeUndefined();
    }
  });
});

it.each([
  ['/v1/refund', 'GET /v1/refunds'],
  ['POST /v1/refnuds', 'POST /v1/refunds'],
  ['refunds.crate', 'refunds.create'],
  ['/v1/widgets', undefined],
  ['/v1/pots', undefined],
  ['widgets.create', undefined],
  ['gadgets.create', undefined],
])('%s: a slip of the pen, or no name at all', (call, near) => {
  const [{ reason = '' } = {}] = smallestGrant([call], catalog).unresolved;
  expect(/Did you mean "(.*)"/.exec(reason)?.[1]).toBe(near);
});

it.each([
  ['stripe.charges.list', 'charges.list'],
  ['await stripe.paymentIntents.create({ amount: 1 })', 'paymentIntents.create'],
  ['stripe.checkout.sessions.create', 'checkout.sessions.create'],
])('%s is taken as it stands in code', (text, name) => {
  expect(catalog.find(text)?.name).toBe(name);
  const profile = readProfile(
    `name: a\npermissions: { charges: write }\nchecks:\n  allow: ['${text}']\n`,
    'a.yaml',
    catalog,
  );
  expect(profile).toMatchObject({ ok: true, profile: { allow: [{ operation: name }] } });
});

it('finds resources by a word', () => {
  expect(resourcesWithWord('shipping', catalog)).toEqual(['shipping_rates']);
  expect(resourcesWithWord('payment_links', catalog)).toEqual(['payment_links']);
  const profile = readProfile('name: a\npermissions:\n  shipping: read\n', 'a.yaml', catalog);
  expect(profile).toMatchObject({ problems: [{ hint: 'Did you mean "shipping_rates"?' }] });
});

it('takes the merge keys of YAML', () => {
  const text = `name: a
permissions: &own
  charges: read
  refunds: { level: write, why: To refund }
connect_permissions:
  <<: *own
  charges: write
`;
  const reading = readProfile(text, 'a.yaml', catalog);
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  const levels = reading.profile.connectPermissions.map(({ name, level }) => `${name} ${level}`);
  expect(levels.sort()).toEqual(['charges write', 'refunds write']);
});

it('reports every one of a thousand mistakes, the first with advice', () => {
  const lines = Array.from(
    { length: 1000 },
    (_, index) => `    - refunds.crate${'x'.repeat(index % 7)}${index}`,
  );
  const reading = readProfile(`name: a\nchecks:\n  allow:\n${lines.join('\n')}\n`, 'a.yaml', catalog);
  if (reading.ok) throw new Error('taken');
  expect(reading.problems).toHaveLength(1000);
  expect(reading.problems[0]?.hint).toContain('Did you mean');
});

// So many that a comparison of each with each would show.
const MANY = 1_000;
const many = (line: (index: number) => string) =>
  Array.from({ length: MANY }, (_, index) => line(index)).join('\n');

it.each([
  ['long names', `permissions:\n${many((index) => `  ${'payment_intents'.repeat(9)}${index}: read`)}`],
  ['keys', many((index) => `permision_${index}: 1`)],
  ['calls', `checks:\n  allow:\n${many((index) => `    - payment_intents.creat${index}`)}`],
])('takes no longer for many wrong %s than a few times what the YAML takes', (_, body) => {
  const text = `name: a\n${body}\n`;
  const times = (work: () => void) =>
    Array.from({ length: 3 }, () => {
      const before = process.cpuUsage();
      work();
      const { user, system } = process.cpuUsage(before);
      return user + system;
    });
  const read = times(() => {
    expect(readProfile(text, 'a.yaml', catalog).ok).toBe(false);
  });
  const parsed = times(() => {
    parseDocument(text, { uniqueKeys: false });
  });
  expect(Math.min(...read) / Math.min(...parsed)).toBeLessThan(8);
});
