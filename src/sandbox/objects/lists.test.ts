import { describe, expect, it } from 'vitest';
import { Catalog } from '../../core/catalog/catalog.ts';
import { catalogData } from '../../core/catalog/data/catalog.ts';
import { parametersOf } from '../../core/catalog/parameters.ts';
import type { Fields } from '../../http/form-body.ts';
import { listFilter } from './list-filter.ts';
import { ObjectStore, type StripeObject } from './object-store.ts';
import { readSearch } from './search-query.ts';

const catalog = new Catalog(catalogData);

function filtered(name: string, query: Fields, objects: readonly object[]): readonly unknown[] {
  const operation = catalog.operation(name);
  if (operation === undefined) throw new Error(`no operation ${name}`);
  const filter = listFilter(operation, query, new ObjectStore());
  return (objects as StripeObject[]).filter(filter).map(({ id }) => id);
}

describe('filters of lists', () => {
  const rows: readonly [name: string, query: Fields, objects: readonly object[], found: readonly string[]][] =
    [
      ['customers.list', { email: 'a@x.org' }, [{ id: '1' }, { id: '2', email: null }], []],
      [
        'customers.list',
        { email: 'a@x.org' },
        [
          { id: '1', email: 'A@x.org' },
          { id: '2', email: 'a@x.org' },
        ],
        ['2'],
      ],
      [
        'customers.list',
        { created: { gte: 5, lt: 9 } },
        [
          { id: '1', created: 4 },
          { id: '2', created: 5 },
          { id: '3', created: 9 },
        ],
        ['2'],
      ],
      [
        'customers.list',
        { created: 5 },
        [
          { id: '1', created: 4 },
          { id: '2', created: 5 },
        ],
        ['2'],
      ],
      [
        'charges.list',
        { customer: 'cus_1' },
        [
          { id: '1', customer: { id: 'cus_1' } },
          { id: '2', customer: null },
        ],
        ['1'],
      ],
      [
        'subscriptions.list',
        {},
        [
          { id: '1', status: 'active' },
          { id: '2', status: 'canceled' },
        ],
        ['1'],
      ],
      [
        'subscriptions.list',
        { status: 'all' },
        [
          { id: '1', status: 'active' },
          { id: '2', status: 'canceled' },
        ],
        ['1', '2'],
      ],
      [
        'subscriptions.list',
        { status: 'ended' },
        [
          { id: '1', status: 'active' },
          { id: '2', status: 'canceled' },
        ],
        ['2'],
      ],
      [
        'subscriptions.list',
        { price: 'p1' },
        [{ id: '1', items: { data: [{ price: { id: 'p1' } }] } }, { id: '2' }],
        ['1'],
      ],
      [
        'subscriptions.list',
        { automatic_tax: { enabled: true } },
        [{ id: '1', automatic_tax: { enabled: false } }, { id: '2' }],
        [],
      ],
      [
        'prices.list',
        { lookup_keys: ['a', 'b'] },
        [
          { id: '1', lookup_key: 'b' },
          { id: '2', lookup_key: null },
        ],
        ['1'],
      ],
      [
        'prices.list',
        { recurring: { interval: 'month' } },
        [
          { id: '1', recurring: { interval: 'month' } },
          { id: '2', recurring: null },
        ],
        ['1'],
      ],
      ['products.list', { active: false }, [{ id: '1' }, { id: '2', active: false }], ['2']],
      ['products.list', { ids: ['2'] }, [{ id: '1' }, { id: '2' }], ['2']],
      [
        'invoices.list',
        { subscription: 's' },
        [{ id: '1', parent: { subscription_details: { subscription: 's' } } }, { id: '2' }],
        ['1'],
      ],
      [
        'invoiceItems.list',
        { pending: true },
        [
          { id: '1', invoice: null },
          { id: '2', invoice: 'in_1' },
        ],
        ['1'],
      ],
      [
        'events.list',
        { type: 'charge.*' },
        [
          { id: '1', type: 'charge.succeeded' },
          { id: '2', type: 'refund.created' },
        ],
        ['1'],
      ],
      [
        'events.list',
        { types: ['a.b', 'c.d'] },
        [
          { id: '1', type: 'c.d' },
          { id: '2', type: 'e.f' },
        ],
        ['1'],
      ],
      [
        'topups.list',
        { amount: { gt: 5 } },
        [
          { id: '1', amount: 5 },
          { id: '2', amount: 6 },
        ],
        ['2'],
      ],
      ['taxRates.list', { inclusive: false }, [{ id: '1' }, { id: '2', inclusive: true }], ['1']],
      [
        'checkout.sessions.list',
        { customer_details: { email: 'a@x' } },
        [
          { id: '1', customer_details: null },
          { id: '2', customer_details: { email: 'a@x' } },
        ],
        ['2'],
      ],
      [
        'entitlements.features.list',
        { archived: true },
        [
          { id: '1', active: false },
          { id: '2', active: true },
        ],
        ['1'],
      ],
    ];
  it.each(rows)('%s with %j', (name, query, objects, found) => {
    expect(filtered(name, query, objects)).toEqual(found);
  });

  it('are all of the declared parameters: an object without any field is in none of the lists', () => {
    const passing: string[] = [];
    for (const operation of catalog.operations) {
      if (operation.kind !== 'list') continue;
      for (const { name, type, values } of parametersOf(operation.name)) {
        const wanted =
          type === 'boolean'
            ? true
            : (values?.[0] ?? (type === 'array' ? ['x'] : type === 'object' ? { gte: 1 } : 'x'));
        const found = filtered(operation.name, { [name]: wanted }, [{ id: 'one', object: 'thing' }]);
        if (found.length > 0) passing.push(`${operation.name} ${name}`);
      }
    }
    const paging = / (?:limit|starting_after|ending_before|expand|page|include|order_by|ownership)$/;
    const rest = passing.filter((one) => !paging.test(one));
    expect(
      rest.filter(
        (one) => !/^(?:creditNotes.listPreviewLineItems|billing.meters.listEventSummaries) /.test(one),
      ),
    ).toEqual([
      // What an object is unless it says otherwise.
      ...[
        'billingPortal.configurations.list active',
        'events.list delivery_success',
        'invoiceItems.list pending',
        'paymentLinks.list active',
      ],
      ...['paymentMethodConfigurations.list active', 'plans.list active', 'prices.list active'],
      ...['productCatalog.trialOffers.list active', 'products.list active', 'promotionCodes.list active'],
      ...['shippingRates.list active', 'taxRates.list active'],
    ]);
  });
});

describe('the search language', () => {
  const object = {
    id: 'cus_1',
    object: 'customer',
    email: 'Ada@Example.org',
    name: 'Ada "The" Lovelace',
    phone: null,
    created: 100,
    amount: 500,
    status: 'succeeded',
    customer: 'cus_9',
    metadata: { order: '17', 'a key': "it's" },
    billing_details: { address: { postal_code: '10117' } },
    payment_method_details: { card: { last4: '4242', brand: 'visa' } },
  };
  const rows: readonly [collection: string, query: string, found: boolean][] = [
    ['customers', 'email:"ada@example.org"', true],
    ['customers', "email:'ada@example.org'", true],
    ['customers', "'email':'ada@example.org'", true],
    ['customers', 'email:"ada"', false],
    ['customers', 'email~"EXAMPLE"', true],
    ['customers', 'name:"Ada \\"The\\" Lovelace"', true],
    ['customers', '-name:"Grace"', true],
    ['customers', 'phone:null', true],
    ['customers', '-phone:null', false],
    ['customers', '-email:null', true],
    ['customers', "metadata['order']:'17'", true],
    ['customers', 'metadata["order"]:"18"', false],
    ['customers', "metadata['a key']:\"it's\"", true],
    ['customers', "metadata['other']:null", true],
    ['customers', "-metadata['order']:null", true],
    ['customers', 'created>99 created<=100', true],
    ['customers', 'created>99 AND created<100', false],
    ['customers', "name:'x' OR created>=100", true],
    ['charges', 'amount>499 AND status:"succeeded"', true],
    ['charges', 'amount=500', true],
    ['charges', 'amount:501', false],
    ['charges', "billing_details.address.postal_code:'10117'", true],
    ['charges', 'payment_method_details.card.last4:4242', true],
    ['charges', "customer:'cus_9'", true],
  ];
  it.each(rows)('%s: %s', (collection, query, found) => {
    const matches = readSearch(query, collection);
    if (typeof matches === 'string') throw new Error(matches);
    expect(matches(object)).toBe(found);
  });

  const wrong: readonly [collection: string, query: string, message: RegExp][] = [
    ['customers', '', /unable to parse/],
    ['customers', 'email', /unable to parse/],
    ['customers', 'email:ada', /unable to parse/],
    ['customers', "(email:'ada')", /unable to parse/],
    ['customers', "email:'a' AND name:'b' OR name:'c'", /AND and OR/],
    [
      'customers',
      "balance:'1'",
      /^Field `balance` is an unsupported search field for resource `customers`\.$/,
    ],
    ['customers', "constructor:'1'", /unsupported/],
    ['customers', "email['x']:'1'", /unsupported/],
    ['customers', "email>'a'", /operator/],
    ['customers', "created:'soon'", /no number/],
    ['customers', "email~'ad'", /at least 3/],
    ['charges', "status~'succeeded'", /substring/],
    ['customers', Array.from({ length: 11 }, () => 'created>1').join(' '), /at most 10/],
  ];
  it.each(wrong)('%s: %s is refused', (collection, query, message) => {
    expect(readSearch(query, collection)).toMatch(message);
  });
});
