import { describe, expect, it, onTestFinished } from 'vitest';
import { Catalog } from '../../src/core/catalog/catalog.ts';
import { catalogData } from '../../src/core/catalog/data/catalog.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { keyMaker } from '../support/sandbox-server.ts';
import { Chance, SEED } from './chance.ts';
import { NaiveModel } from './naive-model.ts';

const ROUNDS = Number(process.env.KEYAUDIT_FUZZ_EXPANSIONS ?? 1_000);
const catalog = new Catalog(catalogData);
const model = new NaiveModel();

/** Where an object of some kind is read by its id, by hand. */
const READ_AT: Readonly<Record<string, string>> = {
  charge: '/v1/charges/x',
  customer: '/v1/customers/x',
  dispute: '/v1/disputes/x',
  file: '/v1/files/x',
  payment_intent: '/v1/payment_intents/x',
  payment_method: '/v1/payment_methods/x',
  price: '/v1/prices/x',
  product: '/v1/products/x',
  refund: '/v1/refunds/x',
  subscription: '/v1/subscriptions/x',
  subscription_item: '/v1/subscription_items/x',
};

const NAMES = [
  ...[
    'charge',
    'constructor',
    'customer',
    'default_payment_method',
    'dispute',
    'evidence',
    'items',
    'latest_charge',
  ],
  ...[
    'nonsense',
    'payment_intent',
    'payment_method',
    'price',
    'product',
    'receipt',
    'refunds',
    'subscriptions',
  ],
];
const PERMISSIONS = [
  ...['charge_read', 'charge_write', 'customer_read', 'dispute_read', 'file_read', 'payment_intent_read'],
  ...['payment_method_read', 'plan_read', 'product_read', 'subscription_read'],
];

/** Ways that lead somewhere from each kind of object, and ways that hardly do. */
const WAYS: Readonly<Record<string, readonly string[]>> = {
  charge: [
    'customer',
    'payment_intent',
    'payment_intent.latest_charge',
    'refunds',
    'payment_intent.customer',
  ],
  customer: ['subscriptions', 'subscriptions.data.default_payment_method'],
  dispute: ['charge', 'charge.customer', 'evidence.receipt', 'charge.refunds'],
  payment_intent: ['latest_charge', 'latest_charge.customer', 'customer', 'payment_method'],
  price: ['product'],
  refund: ['charge', 'charge.customer', 'charge.payment_intent.payment_method'],
  subscription: ['customer', 'default_payment_method', 'items', 'items.data.price.product'],
};

function pathOf(chance: Chance, kind: string, isList: boolean): string {
  const prefix = chance.is(0.95) === isList ? 'data.' : '';
  if (chance.is(0.7)) return `${prefix}${chance.of(WAYS[kind] ?? NAMES)}`;
  return prefix + Array.from({ length: 1 + chance.upTo(4) }, () => chance.of(NAMES)).join('.');
}

/** The objects in an answer by their places, `/data/0/customer` → `customer`. */
function objectsIn(value: unknown, place = ''): Map<string, string> {
  const found = new Map<string, string>();
  if (typeof value !== 'object' || value === null) return found;
  const { id, object } = value as Record<string, unknown>;
  if (typeof id === 'string' && typeof object === 'string') found.set(place, object);
  for (const [name, member] of Object.entries(value)) {
    for (const [at, kind] of objectsIn(member, `${place}/${name}`)) found.set(at, kind);
  }
  return found;
}

describe('random expansions', () => {
  it('show a restricted key no object that it may not read by itself', async () => {
    const chance = new Chance(SEED);
    const sandbox = await startSandbox({ catalog });
    onTestFinished(() => sandbox.close());
    const secret = sandbox.secretKey.reveal();
    const ask = async (method: string, path: string, key: string, form?: Record<string, string>) => {
      const response = await fetch(`${sandbox.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${key}` },
        ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    const make = async (path: string, form: Record<string, string>) => {
      const { status, body } = await ask('POST', path, secret, form);
      expect(status, JSON.stringify(body)).toBe(200);
      return String(body.id);
    };
    const customer = await make('/v1/customers', { name: 'A' });
    const method = await make('/v1/payment_methods', { type: 'card' });
    const product = await make('/v1/products', { name: 'P' });
    const price = await make('/v1/prices', { currency: 'usd', unit_amount: '1', product });
    const intent = await make('/v1/payment_intents', {
      ...{ amount: '900', currency: 'usd', customer, payment_method: method },
      confirm: 'true',
    });
    const charges = await ask('GET', '/v1/charges', secret);
    const [{ id: charge } = { id: '' }] = charges.body.data as { id: string }[];
    const refund = await make('/v1/refunds', { charge, amount: '1' });
    const subscription = await make('/v1/subscriptions', {
      ...{ customer, 'items[0][price]': price, default_payment_method: method },
    });
    await make('/v1/charges', { amount: '9', currency: 'usd', source: 'tok_createDispute' });
    const starts: readonly (readonly [kind: string, path: string])[] = [
      ['charge', '/v1/charges'],
      ['charge', `/v1/charges/${charge}`],
      ['customer', `/v1/customers/${customer}`],
      ['dispute', '/v1/disputes'],
      ['payment_intent', '/v1/payment_intents'],
      ['payment_intent', `/v1/payment_intents/${intent}`],
      ['price', `/v1/prices/${price}`],
      ['refund', '/v1/refunds'],
      ['refund', `/v1/refunds/${refund}`],
      ['subscription', '/v1/subscriptions'],
      ['subscription', `/v1/subscriptions/${subscription}`],
    ];
    const { makeKey } = keyMaker(sandbox.url, secret);
    const keys: { readonly held: readonly string[]; readonly token: string }[] = [];
    for (let index = 0; index < 40; index++) {
      const held = PERMISSIONS.filter(() => chance.is(0.5));
      keys.push({ held, token: (await makeKey(held.length > 0 ? held : ['balance_read'])).token });
    }
    const complaints: string[] = [];
    const statuses = new Map<number, number>();
    let shown = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const { held, token } = chance.of(keys);
      const [kind, start] = chance.of(starts);
      const isList = start.split('/').length === 3;
      const paths = Array.from({ length: 1 + chance.upTo(2) }, () => pathOf(chance, kind, isList));
      const query = paths.map((path) => `expand[]=${path}`).join('&');
      const { status, body } = await ask('GET', `${start}?${query}`, token);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (![200, 400, 403].includes(status)) complaints.push(`${status} for ${start}?${query}`);
      if (status !== 200) continue;
      const before = objectsIn((await ask('GET', start, token)).body);
      for (const [place, shownKind] of objectsIn(body)) {
        // A subscription's items show their prices and plans whole, wherever they are shown.
        if (before.has(place) || /\/items\/data\/\d+\/(?:price|plan)$/.test(place)) continue;
        shown++;
        const row = model.row('GET', READ_AT[shownKind] ?? '');
        if (row === undefined || !model.holdsOne(held, row.permissions)) {
          complaints.push(`${start}?${query} shows ${shownKind} at ${place} to a key with ${held}`);
        }
      }
    }
    expect(complaints.slice(0, 10), `seed ${SEED}`).toEqual([]);
    // The paths must lead somewhere, and be refused.
    expect(shown).toBeGreaterThan(ROUNDS / 20);
    for (const status of [200, 400, 403]) expect(statuses.get(status) ?? 0).toBeGreaterThan(ROUNDS / 50);
  });
});
