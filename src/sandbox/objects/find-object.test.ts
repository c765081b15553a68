import { expect, it } from 'vitest';
import { Objects } from '../../../test/support/call-objects.ts';
import type { Fields } from '../../http/form-body.ts';

const money = { amount: 5, currency: 'usd' };
const rows: readonly [
  name: string,
  fields: Fields,
  ids: readonly string[],
  status: number,
  message: string,
  param: string,
][] = [
  ['coupons.retrieve', {}, ['zzz'], 404, "No such coupon: 'zzz'", 'id'],
  ['customers.retrieve', {}, ['cus_z'], 404, "No such customer: 'cus_z'", 'id'],
  ['webhookEndpoints.retrieve', {}, ['we_z'], 404, "No such webhook endpoint: 'we_z'", 'id'],
  ['refunds.create', { charge: 'ch_z' }, [], 404, "No such charge: 'ch_z'", 'charge'],
  ['charges.create', { ...money, customer: 'cus_z' }, [], 400, "No such customer: 'cus_z'", 'customer'],
  [
    'paymentIntents.create',
    { ...money, payment_method: 'pm_z' },
    [],
    400,
    "No such PaymentMethod: 'pm_z'",
    'payment_method',
  ],
  [
    'quotes.create',
    { line_items: [{ price: 'price_z' }] },
    [],
    400,
    "No such price: 'price_z'",
    'line_items[0][price]',
  ],
  [
    'quotes.create',
    { discounts: [{ coupon: 'zzz' }] },
    [],
    400,
    "No such coupon: 'zzz'",
    'discounts[0][coupon]',
  ],
  [
    'promotionCodes.create',
    { promotion: { type: 'coupon', coupon: 'zzz' } },
    [],
    400,
    "No such coupon: 'zzz'",
    'promotion[coupon]',
  ],
];

it.each(rows)('%s %o %j is %i', (name, fields, ids, status, message, param) => {
  const answer = new Objects().call(name, fields, ids);
  expect([answer.status, answer.body.error]).toEqual([
    status,
    expect.objectContaining({ code: 'resource_missing', message, param }),
  ]);
});

it('takes no metadata for the name of an object', () => {
  const { status } = new Objects().call('customers.create', {
    metadata: { price: 'x', coupon: 'y', customer: 'z' },
  });
  expect(status).toBe(200);
});
