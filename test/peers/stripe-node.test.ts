import Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/run-cli.ts';
import { type SandboxServer, startSandboxServer } from '../support/sandbox-server.ts';

const EXPIRES_AT_ONCE = ['--set', 'expiryDelayMs=0'];

function clientOf({ url }: SandboxServer, key: string): Stripe {
  const { hostname, port } = new URL(url);
  return new Stripe(key, { host: hostname, port, protocol: 'http', maxNetworkRetries: 0 });
}

async function thrownBy(call: () => Promise<unknown>): Promise<Stripe.errors.StripeError> {
  try {
    await call();
  } catch (error) {
    if (error instanceof Stripe.errors.StripeError) return error;
    throw error;
  }
  throw new Error('the call went through');
}

describe('stripe-node against keyaudit sandbox', () => {
  it('refunds with a key that may, and gets StripePermissionError where it may not', async () => {
    const server = await startSandboxServer(await temporaryFolder());
    const { token } = await server.makeKey(['charge_write']);
    const client = clientOf(server, token);
    const charge = await client.charges.create({
      amount: 700,
      currency: 'eur',
      source: 'tok_visa',
      metadata: { order: '17' },
    });
    expect(charge).toMatchObject({ object: 'charge', amount: 700, paid: true, metadata: { order: '17' } });
    expect(charge.lastResponse).toMatchObject({ statusCode: 200, apiVersion: Stripe.API_VERSION });
    expect(charge.lastResponse.requestId).toMatch(/^req_\w{14}$/);
    const refund = await client.refunds.create({ charge: charge.id, amount: 300 });
    expect(refund).toMatchObject({ object: 'refund', amount: 300, charge: charge.id, status: 'succeeded' });
    const expanded = await client.refunds.retrieve(refund.id, { expand: ['charge'] });
    expect((expanded.charge as Stripe.Charge).amount_refunded).toBe(300);

    const refused = await thrownBy(() => client.paymentIntents.create({ amount: 100, currency: 'eur' }));
    expect(refused).toBeInstanceOf(Stripe.errors.StripePermissionError);
    expect(refused).toMatchObject({ statusCode: 403, code: 'more_permissions_required' });
    expect(refused.requestId).toMatch(/^req_/);
    expect(refused.message).not.toContain(token);
    const missing = await thrownBy(() => client.charges.retrieve('ch_none'));
    expect(missing).toBeInstanceOf(Stripe.errors.StripeInvalidRequestError);
    expect(missing).toMatchObject({ statusCode: 404, code: 'resource_missing', param: 'id' });
  });

  it('is refused what it would expand without the permission', async () => {
    const server = await startSandboxServer(await temporaryFolder());
    const { token } = await server.makeKey(['charge_read']);
    const client = clientOf(server, token);
    expect((await client.charges.list({ limit: 1 })).data).toEqual([]);
    const refused = await thrownBy(() => client.charges.list({ limit: 1, expand: ['data.customer'] }));
    expect(refused).toBeInstanceOf(Stripe.errors.StripePermissionError);
    expect(refused.message).toContain('customer_read');
    const nonsense = await thrownBy(() => client.charges.list({ limit: 1, expand: ['customer'] }));
    expect(nonsense).toBeInstanceOf(Stripe.errors.StripeInvalidRequestError);
    expect(nonsense.message).toContain("try expanding 'data.customer'");
  });

  it('tells an expired key from a refusal', async () => {
    const server = await startSandboxServer(await temporaryFolder(), EXPIRES_AT_ONCE);
    const { id, token } = await server.makeKey(['charge_read']);
    await server.expireKey(id);
    const expired = await thrownBy(() => clientOf(server, token).charges.list({ limit: 1 }));
    expect(expired).toBeInstanceOf(Stripe.errors.StripeAuthenticationError);
    expect(expired).toMatchObject({ statusCode: 401, code: 'api_key_expired' });
  });

  it('walks a list of many pages, forth and back, and searches', async () => {
    const server = await startSandboxServer(await temporaryFolder());
    const { token } = await server.makeKey(['customer_write']);
    const client = clientOf(server, token);
    for (let index = 0; index < 23; index++) await client.customers.create({ name: `c${index}` });
    const names: (string | null | undefined)[] = [];
    for await (const customer of client.customers.list({ limit: 5 })) names.push(customer.name);
    expect(names).toEqual(Array.from({ length: 23 }, (_, index) => `c${22 - index}`));
    const all = await client.customers.list({ limit: 100 }).autoPagingToArray({ limit: 100 });
    expect(all).toHaveLength(23);
    const before = await client.customers.list({ limit: 3, ending_before: all[10]?.id ?? '' });
    expect(before.data.map(({ id }) => id)).toEqual(all.slice(7, 10).map(({ id }) => id));
    expect(before.has_more).toBe(true);
    const found = await client.customers.search({ query: 'name:"c7"' });
    expect(found.data.map(({ name }) => name)).toEqual(['c7']);
  });

  it('sends a request twice under one idempotency key and makes one object', async () => {
    const server = await startSandboxServer(await temporaryFolder());
    const { token } = await server.makeKey(['customer_write']);
    const client = clientOf(server, token);
    const create = (name: string) => client.customers.create({ name }, { idempotencyKey: 'once' });
    const first = await create('Ada');
    expect((await create('Ada')).id).toBe(first.id);
    const other = await thrownBy(() => create('Grace'));
    expect(other).toBeInstanceOf(Stripe.errors.StripeIdempotencyError);
    expect((await client.customers.list()).data).toHaveLength(1);
  });

  it('needs Connect permissions to act for another account', async () => {
    const server = await startSandboxServer(await temporaryFolder());
    const { token } = await server.makeKey(['charge_read']);
    const client = clientOf(server, token);
    const refused = await thrownBy(() => client.charges.list({ limit: 1 }, { stripeAccount: 'acct_1Other' }));
    expect(refused).toBeInstanceOf(Stripe.errors.StripePermissionError);
    expect(refused.message).toMatch(/Connect permissions/);
  });

  it('reads errors of the v2 API, and follows next_page_url', async () => {
    const server = await startSandboxServer(await temporaryFolder());
    const client = clientOf(server, server.secretKey);
    const made = new Set<string>();
    for (let index = 0; index < 12; index++) {
      const destination = await client.v2.core.eventDestinations.create({
        name: `d${index}`,
        type: 'webhook_endpoint',
        event_payload: 'thin',
        enabled_events: ['v1.billing.meter.no_meter_found'],
        webhook_endpoint: { url: 'https://example.com/hook' },
      });
      made.add(destination.id);
    }
    const seen = new Set<string>();
    for await (const one of client.v2.core.eventDestinations.list({ limit: 5 })) seen.add(one.id);
    expect(seen).toEqual(made);
    const missing = await thrownBy(() => client.v2.core.eventDestinations.retrieve('ed_none'));
    expect(missing).toMatchObject({ statusCode: 404, code: 'not_found' });
  });
});
