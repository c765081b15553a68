import { createServer, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Catalog } from '../../core/catalog/catalog.ts';
import { catalogData } from '../../core/catalog/data/catalog.ts';
import { SecretKey } from '../../core/secret-key.ts';
import { type Sandbox, startSandbox } from '../../sandbox/sandbox.ts';
import type { KeyRequest } from './key-api.ts';
import { createManagedKeyApi, KEY_API_VERSION } from './managed-key-api.ts';

const catalog = new Catalog(catalogData);
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({ catalog });
});
afterAll(() => sandbox.close());

const wanted = (name: string, more: Partial<KeyRequest> = {}): KeyRequest => ({
  name,
  note: 'a note',
  permissions: ['charge_read'],
  connectPermissions: [],
  restrictions: new Map(),
  mode: 'test',
  idempotencyKey: `test-${name}`,
  ...more,
});

const api = () => createManagedKeyApi({ secretKey: sandbox.secretKey, apiBase: sandbox.url });

describe('the managed key API', () => {
  it('makes a key, whose secret is a SecretKey and nothing else', async () => {
    const key = await api().create(wanted('one', { connectPermissions: ['customer_read'] }));
    expect(key).toMatchObject({ mode: 'test', permissions: ['charge_read'] });
    expect(key.secret.kind).toBe('restricted');
    expect(JSON.stringify(key)).not.toContain(key.secret.reveal());
    expect(await api().retrieve(key.id)).toMatchObject({ name: 'one', note: 'a note', status: 'active' });
  });

  it('makes one key for one idempotency key', async () => {
    const [first, again] = [await api().create(wanted('same')), await api().create(wanted('same'))];
    expect(again.id).toBe(first.id);
  });

  it('lists 250 keys by pages of 100, each once, and drops their secrets at the border', async () => {
    const many = await startSandbox({ catalog });
    try {
      const here = createManagedKeyApi({ secretKey: many.secretKey, apiBase: many.url });
      const secrets: string[] = [];
      for (let index = 0; index < 250; index++) {
        secrets.push((await here.create(wanted(`k${index}`))).secret.reveal());
      }
      const listed = [];
      for await (const key of here.list()) listed.push(key);
      expect(new Set(listed.map((key) => key.name)).size).toBe(250);
      const text = JSON.stringify(listed);
      expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
      expect(text).not.toContain('secret');
    } finally {
      await many.close();
    }
  });

  it('never relies on an empty list of permissions, which Stripe ignores', async () => {
    const key = await api().create(wanted('narrow'));
    await expect(api().narrow(key.id, [])).rejects.toThrow(RangeError);
    await api().narrow(key.id, ['shipping_rate_read']);
    expect((await api().retrieve(key.id))?.permissions).toEqual(['shipping_rate_read']);
  });

  it('says of a key that is gone that it is gone', async () => {
    expect(await api().retrieve('mk_none')).toBeUndefined();
    expect(await api().expire('mk_none')).toBe('already-gone');
  });

  it('opens the sealed secret of a live key with a one-time key pair, by each algorithm that Stripe uses', async () => {
    const live = createManagedKeyApi({ secretKey: sandbox.liveSecretKey, apiBase: sandbox.url });
    for (const algorithm of ['RSA-OAEP', 'RSA-OAEP-256'] as const) {
      sandbox.behaviour.jweAlgorithm = algorithm;
      const key = await live.create(wanted(algorithm, { mode: 'live' }));
      expect(key.secret.reveal()).toMatch(/^rk_live_/);
    }
    sandbox.behaviour.jweAlgorithm = 'RSA-OAEP-512';
    await expect(live.create(wanted('third', { mode: 'live' }))).rejects.toMatchObject({
      code: 'JWE_ALGORITHM',
      message: expect.stringContaining('RSA-OAEP-512'),
    });
    sandbox.behaviour.jweAlgorithm = 'RSA-OAEP-256';
  });
});

describe('what goes over the wire', () => {
  it('the preview version in one place, the account of a platform, an idempotency key, the expiry', async () => {
    const seen: { headers: IncomingMessage['headers']; body: string }[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += String(chunk);
      });
      request.on('end', () => {
        seen.push({ headers: request.headers, body });
        response.setHeader('content-type', 'application/json');
        response.end(
          JSON.stringify({
            id: 'mk_1',
            created: '2026-11-23T00:00:00.000Z',
            livemode: false,
            status: 'active',
            permissions: ['charge_read'],
            secret_key: { token: `rk_test_${'x'.repeat(20)}` },
          }),
        );
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const platform = createManagedKeyApi({
      secretKey: SecretKey.of('sk_test_plainlyFake00'),
      apiBase: `http://127.0.0.1:${port}`,
      context: 'acct_1Platform',
    });
    await platform.create(wanted('wire', { expiresAt: new Date('2027-01-01T00:00:00Z') }));
    await new Promise((resolve) => server.close(resolve));
    const [{ headers, body }] = seen as [(typeof seen)[0]];
    expect(headers).toMatchObject({
      'stripe-version': KEY_API_VERSION,
      'stripe-context': 'acct_1Platform',
      'idempotency-key': 'test-wire',
      authorization: 'Bearer sk_test_plainlyFake00',
    });
    expect(JSON.parse(body)).toEqual({
      type: 'secret_key',
      name: 'wire',
      note: 'a note',
      permissions: ['charge_read'],
      expires_at: '2027-01-01T00:00:00.000Z',
    });
  });
});
