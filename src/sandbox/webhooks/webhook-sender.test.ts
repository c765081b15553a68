import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import Stripe from 'stripe';
import { afterEach, describe, expect, it } from 'vitest';
import { Catalog } from '../../core/catalog/catalog.ts';
import { catalogData } from '../../core/catalog/data/catalog.ts';
import { ObjectStore, type StripeObject } from '../objects/object-store.ts';
import { startSandbox } from '../sandbox.ts';
import { webhookSecret } from './webhook-secret.ts';
import { isLoopbackUrl, WebhookSender } from './webhook-sender.ts';

const stripe = new Stripe('sk_test_x');
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

interface Received {
  readonly body: string;
  readonly signature: string;
}

/** A server on this machine; `answers` are the statuses of the first requests, then 200. */
async function endpoint(
  answers: readonly number[] = [],
): Promise<{ url: string; received: Received[]; next: () => Promise<Received> }> {
  const received: Received[] = [];
  const waiting: ((one: Received) => void)[] = [];
  const server = createServer(async (request: IncomingMessage, response) => {
    const one = { body: await text(request), signature: String(request.headers['stripe-signature']) };
    received.push(one);
    const status = answers[received.length - 1] ?? 200;
    response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end();
    waiting.shift()?.(one);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    next: () => new Promise((resolve) => waiting.push(resolve)),
  };
}

function sender(delaysMs: readonly number[]): WebhookSender {
  const made = new WebhookSender({ now: Date.now, delaysMs });
  closing.push(() => made.close());
  return made;
}

function storeWith(
  url: string,
  enabled: readonly string[],
): { store: ObjectStore; registered: StripeObject } {
  const store = new ObjectStore();
  const registered = {
    id: 'we_1x',
    object: 'webhook_endpoint',
    url,
    enabled_events: enabled,
    status: 'enabled',
  };
  store.add('webhook_endpoints', registered);
  return { store, registered };
}

const event = (type: string): StripeObject => ({
  id: `evt_${type}`,
  object: 'event',
  type,
  pending_webhooks: 0,
});

describe('webhooks', () => {
  it("arrive with a signature that Stripe's SDK verifies, and not with another's", async () => {
    const { url, next } = await endpoint();
    const { store } = storeWith(url, ['charge.refunded']);
    const arrived = next();
    sender([]).tell(store, () => [event('customer.created'), event('charge.refunded')]);
    const { body, signature } = await arrived;
    expect(stripe.webhooks.constructEvent(body, signature, webhookSecret('we_1x')).type).toBe(
      'charge.refunded',
    );
    expect(() => stripe.webhooks.constructEvent(body, signature, webhookSecret('we_1y'))).toThrow(
      /signature/,
    );
  });

  it('are sent again until they are taken, and no redirect takes them', async () => {
    const { url, received, next } = await endpoint([500, 302]);
    const { store } = storeWith(url, ['*']);
    const [first, second, third] = [next(), next(), next()];
    const told = event('charge.refunded');
    sender([1, 1, 1]).tell(store, () => [told]);
    expect(told.pending_webhooks).toBe(1);
    await Promise.all([first, second, third]);
    await expect.poll(() => told.pending_webhooks).toBe(0);
    expect(received).toHaveLength(3);
  });

  it('go to nobody who is disabled, or deleted while they wait', async () => {
    const { url, received, next } = await endpoint([500]);
    const { store, registered } = storeWith(url, ['*']);
    const arrived = next();
    const webhooks = sender([20]);
    webhooks.tell(store, () => [event('charge.refunded')]);
    await arrived;
    registered.status = 'disabled';
    webhooks.tell(store, () => [event('charge.refunded')]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(received).toHaveLength(1);
  });

  const hosts: readonly [url: unknown, isOwn: boolean][] = [
    ['http://localhost:1/x', true],
    ['http://127.0.0.1/x', true],
    ['https://127.8.9.1:8/x', true],
    ['http://[::1]:3/x', true],
    ['http://2130706433/', true],
    ['http://localhost.example.com/', false],
    ['http://127.0.0.1.example.com/', false],
    ['http://example.com/127.0.0.1', false],
    ['http://localhost@example.com/', false],
    ['http://169.254.169.254/', false],
    ['http://0.0.0.0/', false],
    ['http://[::ffff:10.0.0.1]/', false],
    ['ftp://localhost/', false],
    ['file:///etc/passwd', false],
    [undefined, false],
  ];
  it.each(hosts)('%s is of this machine: %s', (url, isOwn) => {
    expect(isLoopbackUrl(url)).toBe(isOwn);
  });

  it('reach an endpoint that the API registered, whose secret is shown once', async () => {
    const sandbox = await startSandbox({ catalog: new Catalog(catalogData) });
    closing.push(() => sandbox.close());
    const { hostname: host, port } = new URL(sandbox.url);
    const client = new Stripe(sandbox.shownSecretKey, { host, port, protocol: 'http' });
    const { url, next } = await endpoint();
    const registered = await client.webhookEndpoints.create({ url, enabled_events: ['customer.created'] });
    expect((await client.webhookEndpoints.retrieve(registered.id)).secret).toBeUndefined();
    const arrived = next();
    const customer = await client.customers.create({ name: 'Ada' });
    const { body, signature } = await arrived;
    const told = client.webhooks.constructEvent(body, signature, registered.secret ?? '');
    expect(told.data.object).toMatchObject({ id: customer.id, name: 'Ada' });
    expect((await client.events.list({ type: 'customer.*' })).data).toMatchObject([{ id: told.id }]);
    const foreign = await client.webhookEndpoints.create({
      url: 'https://example.com/x',
      enabled_events: ['*'],
    });
    expect(foreign.lastResponse.headers['x-keyaudit-not-modelled']).toBe('webhooks to other machines');
  });
});
