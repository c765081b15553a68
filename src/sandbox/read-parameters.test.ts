import { describe, expect, it } from 'vitest';
import { Catalog } from '../core/catalog/catalog.ts';
import { catalogData } from '../core/catalog/data/catalog.ts';
import { DeclaredTypes } from '../core/catalog/declared-types.ts';
import { parseForm } from '../http/form-body.ts';
import { readParameters } from './read-parameters.ts';

const catalog = new Catalog(catalogData);
const types = new DeclaredTypes();

function read(name: string, form: string): unknown {
  const operation = catalog.operation(name);
  if (operation === undefined) throw new Error(`no operation ${name}`);
  const result = readParameters(operation, parseForm(form), { types });
  return 'refusal' in result ? (result.refusal.body as { error: unknown }).error : { ...result.fields };
}

describe('parameters', () => {
  const rows: readonly [name: string, form: string, fields: object][] = [
    ['charges.create', 'amount=100&capture=false', { amount: 100, capture: false }],
    ['charges.create', 'amount=100&capture=True', { amount: 100, capture: true }],
    [
      'prices.create',
      'currency=usd&product=p&recurring[interval]=month&recurring[interval_count]=3&unit_amount_decimal=12.5',
      {
        currency: 'usd',
        product: 'p',
        recurring: { interval: 'month', interval_count: 3 },
        unit_amount_decimal: '12.5',
      },
    ],
    [
      'subscriptions.create',
      'customer=c&items[][price]=p&items[][quantity]=2&trial_end=now',
      { customer: 'c', items: [{ price: 'p', quantity: 2 }], trial_end: 'now' },
    ],
    [
      'subscriptions.create',
      'customer=c&items[1][price]=b&items[0][price]=a&trial_end=5',
      { customer: 'c', items: [{ price: 'a' }, { price: 'b' }], trial_end: 5 },
    ],
    [
      'subscriptions.create',
      'customer=c&items[3][price]=b&items[7][price]=a',
      { customer: 'c', items: [{ price: 'b' }, { price: 'a' }] },
    ],
    ['customers.list', 'created[gte]=5&expand[]=data', { created: { gte: 5 }, expand: ['data'] }],
    ['customers.list', 'created=5', { created: 5 }],
    ['coupons.create', 'percent_off=12.5', { percent_off: 12.5 }],
    // Currencies in either case, at every depth.
    ['prices.list', 'currency=USD', { currency: 'usd' }],
    ['accounts.update', 'default_currency=EUR', { default_currency: 'eur' }],
    [
      'checkout.sessions.create',
      'line_items[][price_data][currency]=UsD&line_items[][price_data][product]=P',
      { line_items: [{ price_data: { currency: 'usd', product: 'P' } }] },
    ],
    ['customers.update', 'metadata=&email=', { metadata: '', email: '' }],
    [
      'customers.update',
      'metadata[a]=1&metadata[__proto__]=2',
      { metadata: JSON.parse('{"a":"1","__proto__":"2"}') },
    ],
  ];
  it.each(rows)('%s reads %s', (name, form, fields) => {
    expect(JSON.stringify(read(name, form))).toBe(JSON.stringify(fields));
  });

  const wrong: readonly [name: string, form: string, error: object][] = [
    [
      'charges.create',
      'amount=1.5',
      { code: 'parameter_invalid_integer', message: 'Invalid integer: 1.5', param: 'amount' },
    ],
    ['charges.create', 'amount=', { code: 'parameter_invalid_empty', param: 'amount' }],
    ['charges.create', 'amount[a]=1', { message: 'Invalid integer: {"a":"1"}', param: 'amount' }],
    ['charges.create', 'capture=Falsey', { message: 'Invalid boolean: Falsey', param: 'capture' }],
    ['charges.create', 'capture=maybe', { message: 'Invalid boolean: maybe', param: 'capture' }],
    ['charges.create', 'description[a]=1', { message: 'Invalid string: {"a":"1"}', param: 'description' }],
    ['charges.create', 'metadata[a][b]=1', { param: 'metadata[a]' }],
    ['charges.create', `metadata[${'k'.repeat(41)}]=1`, { param: 'metadata' }],
    ['charges.create', 'shipping=x', { message: 'Invalid object: x', param: 'shipping' }],
    [
      'charges.create',
      'shipping[name]=x',
      {
        code: 'parameter_missing',
        message: 'Missing required param: shipping[address].',
        param: 'shipping[address]',
      },
    ],
    ['charges.create', '__proto__[a]=1', { code: 'parameter_unknown', param: '__proto__' }],
    [
      'prices.create',
      'currency=usd&recurring[interval]=eon',
      {
        message: 'Invalid recurring[interval]: must be one of day, month, week, or year',
        param: 'recurring[interval]',
      },
    ],
    [
      'subscriptions.create',
      'customer=c&items[][prise]=p',
      {
        code: 'parameter_unknown',
        message: 'Received unknown parameter: items[0][prise]',
        param: 'items[0][prise]',
      },
    ],
    [
      'subscriptions.create',
      'customer=c&items[][price]=p&items[][quantity]=x',
      { param: 'items[0][quantity]' },
    ],
    ['subscriptions.create', 'customer=c&items=p', { message: 'Invalid array: p', param: 'items' }],
    ['customers.list', 'created[since]=5', { code: 'parameter_unknown', param: 'created[since]' }],
    ['customers.list', 'created=x', { code: 'parameter_invalid_integer', param: 'created' }],
    ['prices.create', 'currency=usd&unit_amount_decimal=x', { param: 'unit_amount_decimal' }],
  ];
  it.each(wrong)('%s refuses %s', (name, form, error) => {
    expect(read(name, form)).toMatchObject({ type: 'invalid_request_error', ...error });
  });
});
