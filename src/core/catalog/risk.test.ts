import { expect, it } from 'vitest';
import { catalogData } from './data/catalog.ts';
import { JUDGEMENTS, RISK_TIERS, riskOf } from './risk.ts';

it('judges every permission of the catalog once, and no other', () => {
  expect(JUDGEMENTS.map(([name]) => name).sort()).toEqual(
    catalogData.permissions.map(({ name }) => name).sort(),
  );
});

it('gives one sentence for each', () => {
  expect(JUDGEMENTS.filter(([, { why }]) => !/^[A-Z][^.]*\.$/.test(why) || why.length > 120)).toEqual([]);
});

it.each([
  ['api_key_write', 'self-widening'],
  ['webhook_write', 'self-widening'],
  ['secret_read', 'self-widening'],
  ['charge_write', 'money-out'],
  ['payout_write', 'money-out'],
  ['transfer_write', 'money-out'],
  ['top_up_write', 'money-out'],
  ['credit_note_write', 'money-out'],
  ['terminal_reader_write', 'money-out'],
  ['payment_intent_write', 'money-in'],
  ['subscription_write', 'money-in'],
  ['customer_read', 'personal-data'],
  ['charge_read', 'personal-data'],
  ['product_write', 'other'],
])('%s is %s', (permission, tier) => {
  expect(riskOf(permission).tier).toBe(tier);
});

it('says so when it has not judged a name', () => {
  expect(riskOf('refund_write')).toEqual({
    tier: 'other',
    why: 'Not judged: the catalog has no such permission.',
  });
});

it('has every permission that refunds, pays out or transfers among the two worst tiers', () => {
  const worst = RISK_TIERS.slice(0, RISK_TIERS.indexOf('money-out') + 1);
  const movers = catalogData.operations.filter(
    ({ method, resource, path }) =>
      method === 'POST' && (/^(refunds|payouts|transfers|topups)$/.test(resource) || /refund/.test(path)),
  );
  const names = new Set(movers.flatMap(({ permissions }) => permissions));
  expect([...names].filter((name) => !worst.includes(riskOf(name).tier)).sort()).toEqual([
    // Records of refunds made elsewhere, and a helper of test mode: neither moves money.
    'issuing_transaction_write',
    'payment_records_write',
  ]);
});
