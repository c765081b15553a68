import { createServer } from 'node:http';
import Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Catalog } from '../core/catalog/catalog.ts';
import { catalogData } from '../core/catalog/data/catalog.ts';
import { type Sandbox, startSandbox } from './sandbox.ts';

const catalog = new Catalog(catalogData);
const PREVIEW = '2026-08-26.preview';
let sandbox: Sandbox;
let clock = Date.parse('2026-11-23T12:00:00Z');

beforeAll(async () => {
  sandbox = await startSandbox({ catalog, now: () => clock });
});
afterAll(() => sandbox.close());

interface Result {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown> & { error?: Record<string, string> };
}

interface Ask {
  readonly key?: string;
  readonly form?: Record<string, string>;
  readonly json?: unknown;
  readonly headers?: Record<string, string>;
}

async function ask(
  method: string,
  path: string,
  { key, form, json, headers = {} }: Ask = {},
): Promise<Result> {
  const response = await fetch(`${sandbox.url}${path}`, {
    method,
    headers: {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      ...(json === undefined ? {} : { 'content-type': 'application/json', 'stripe-version': PREVIEW }),
      ...headers,
    },
    ...(form === undefined ? {} : { body: new URLSearchParams(form).toString() }),
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    redirect: 'manual',
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Result['body'],
  };
}

const secret = () => sandbox.secretKey.reveal();

async function makeKey(
  permissions: readonly string[],
  more: object = {},
): Promise<{ id: string; token: string }> {
  const made = await ask('POST', '/v2/iam/api_keys', {
    key: secret(),
    json: { type: 'secret_key', name: 'test', permissions, ...more },
  });
  expect(made.status).toBe(200);
  return { id: String(made.body.id), token: (made.body.secret_key as { token: string }).token };
}

describe('authentication', () => {
  it('takes the key by Bearer and by Basic', async () => {
    expect((await ask('GET', '/v1/balance', { key: secret() })).status).toBe(200);
    const basic = Buffer.from(`${secret()}:`).toString('base64');
    const answer = await ask('GET', '/v1/balance', { headers: { authorization: `Basic ${basic}` } });
    expect(answer.status).toBe(200);
  });

  const rows: readonly [string, string | undefined, RegExp][] = [
    ['no key', undefined, /did not provide an API key/],
    ['a key never made here', 'rk_test_neverMadeHere00', /^Invalid API Key provided: rk_test_\*+/],
    ['a publishable key', 'pk_test_plainlyFake00', /publishable API key/],
    ['a webhook secret', 'whsec_plainlyFake00', /^Invalid API Key provided/],
  ];
  it.each(rows)('answers 401 to %s, and does not repeat it', async (_name, key, message) => {
    const answer = await ask('GET', '/v1/charges', key === undefined ? {} : { key });
    expect(answer.status).toBe(401);
    expect(answer.body.error?.message).toMatch(message);
    if (key !== undefined) expect(JSON.stringify(answer.body)).not.toContain(key);
    expect(answer.headers.get('request-id')).toMatch(/^req_\w{14}$/);
  });

  it('answers 401 before it says whether a URL exists', async () => {
    expect((await ask('GET', '/v1/nothing')).status).toBe(401);
  });
});

describe('permissions', () => {
  it('refuses every operation of unknown permission to a key that holds all permissions', async () => {
    const all = await makeKey(catalog.permissions.map((permission) => permission.name));
    const unknown = catalog.operations.filter((operation) => operation.permissions.length === 0);
    expect(unknown).toHaveLength(128);
    for (const operation of unknown.slice(0, 30)) {
      const answer = await ask(operation.method, operation.path.replaceAll('{id}', 'x_1'), {
        key: all.token,
      });
      expect([operation.name, answer.status]).toEqual([operation.name, 403]);
    }
  });

  const dialects: readonly [string, RegExp, string | undefined][] = [
    [
      'a',
      /^The provided key 'rk_test_\*+\w+' does not have .* Having the 'rak_charge_read' permission would allow/,
      undefined,
    ],
    ['b', /Having the 'rak_charge_read' permission would allow/, undefined],
    ['c', /Having more permissions would allow/, undefined],
    ['d', /not available for use by restricted keys/, undefined],
    [
      'e',
      /^Permission denied\. .* Enabling "Charges and refunds Read" \('charge_read'\)/,
      'more_permissions_required',
    ],
    ['f', /does not have any Connect permissions/, undefined],
    ['g', /does not have access to account/, 'account_invalid'],
    ['h', /Only Stripe Connect platforms/, undefined],
    ['i', /Having the 'read_only' scope/, undefined],
    ['guide', /permission/, 'insufficient_permissions'],
  ];
  it.each(dialects)('refuses in dialect %s', async (dialect, message, code) => {
    const { token } = await makeKey(['customer_read']);
    sandbox.behaviour.dialect = dialect as typeof sandbox.behaviour.dialect;
    const answer = await ask('GET', '/v1/charges', { key: token });
    sandbox.behaviour.dialect = 'e';
    expect(answer.status).toBe(403);
    expect(answer.body.error?.message).toMatch(message);
    expect(answer.body.error?.code).toBe(code);
  });

  it('asks for the permission of what is expanded', async () => {
    const customer = await ask('POST', '/v1/customers', { key: secret(), form: { name: 'A' } });
    const charge = await ask('POST', '/v1/charges', {
      key: secret(),
      form: { amount: '100', currency: 'usd', customer: String(customer.body.id) },
    });
    const path = `/v1/charges/${charge.body.id}?expand[]=customer`;
    const both = await makeKey(['charge_read', 'customer_read']);
    const expanded = await ask('GET', path, { key: both.token });
    expect(expanded.body.customer).toMatchObject({ id: customer.body.id, object: 'customer' });
    const one = await makeKey(['charge_read']);
    expect((await ask('GET', path, { key: one.token })).status).toBe(403);
    expect((await ask('GET', `/v1/charges/${charge.body.id}`, { key: one.token })).body.customer).toBe(
      customer.body.id,
    );
    const listed = await ask('GET', '/v1/charges?limit=1&expand[]=data.customer', { key: both.token });
    expect(listed.body.data).toMatchObject([{ customer: { id: customer.body.id } }]);
  });

  it('expands through several objects, and the lists that are there on request', async () => {
    const { token } = await makeKey(['payment_intent_write', 'charge_write', 'customer_write']);
    const customer = await ask('POST', '/v1/customers', { key: token, form: { name: 'A' } });
    const intent = await ask('POST', '/v1/payment_intents', {
      key: token,
      form: {
        amount: '100',
        currency: 'usd',
        customer: String(customer.body.id),
        payment_method: 'pm_card_visa',
        confirm: 'true',
        'expand[]': 'latest_charge.customer',
      },
    });
    expect(intent.body.latest_charge).toMatchObject({ object: 'charge', customer: { name: 'A' } });
    const { id } = intent.body.latest_charge as { id: string };
    const refund = await ask('POST', '/v1/refunds', { key: token, form: { charge: id, amount: '10' } });
    const charge = await ask('GET', `/v1/charges/${id}?expand[]=refunds.data.payment_intent`, { key: token });
    expect(charge.body.refunds).toMatchObject({
      object: 'list',
      has_more: false,
      data: [{ id: refund.body.id, charge: id }],
      url: `/v1/charges/${id}/refunds`,
    });
    const plain = await ask('GET', `/v1/charges/${id}`, { key: token });
    expect(plain.body).not.toHaveProperty('refunds');
  });

  const cannotBeExpanded: readonly [path: string, message: string][] = [
    ['/v1/charges?expand[]=nonsense', 'This property cannot be expanded (nonsense).'],
    ['/v1/charges?expand[]=data.constructor', 'This property cannot be expanded (constructor).'],
    ['/v1/charges?expand[]=data.metadata', 'This property cannot be expanded (metadata).'],
    [
      '/v1/charges?expand[]=customer',
      "This property cannot be expanded (customer). You may want to try expanding 'data.customer' instead.",
    ],
    ['/v1/charges?expand[]=data.customer.refunds', 'This property cannot be expanded (refunds).'],
    ['/v1/refunds/re_1?expand[]=data', 'This property cannot be expanded (data).'],
    [
      '/v1/invoices?expand[]=data.payments.data.payment.charge',
      'You cannot expand more than 4 levels of a property.',
    ],
  ];
  it.each(cannotBeExpanded)('refuses %s', async (path, message) => {
    const { token } = await makeKey(['charge_read', 'customer_read', 'invoice_read']);
    for (const key of [token, secret()]) {
      const answer = await ask('GET', path, { key });
      expect(answer).toMatchObject({ status: 400, body: { error: { message } } });
    }
  });

  it('makes nothing where it cannot expand', async () => {
    const before = sandbox.objects().length;
    const form = { name: 'A', 'expand[]': 'nonsense' };
    expect((await ask('POST', '/v1/customers', { key: secret(), form })).status).toBe(400);
    expect(sandbox.objects()).toHaveLength(before);
  });

  it('asks for Connect permissions with Stripe-Account', async () => {
    const headers = { 'stripe-account': 'acct_1Other' };
    const plain = await makeKey(['charge_read']);
    const refused = await ask('GET', '/v1/charges', { key: plain.token, headers });
    expect(refused.body.error?.message).toMatch(/does not have any Connect permissions/);
    const connect = await makeKey(['customer_read'], { connect_permissions: ['charge_read'] });
    expect((await ask('GET', '/v1/charges', { key: connect.token, headers })).status).toBe(200);
    expect((await ask('GET', '/v1/charges', { key: connect.token })).status).toBe(403);
    const wrong = await ask('GET', '/v1/charges', { key: secret(), headers: { 'stripe-account': 'nobody' } });
    expect(wrong.body.error?.message).toMatch(/does not have access to account/);
  });
});

describe('parameters and objects', () => {
  const rows: readonly [
    string,
    string,
    string,
    Record<string, string> | undefined,
    number,
    string | undefined,
  ][] = [
    ['an unknown URL', 'GET', '/v1/nothing', undefined, 404, undefined],
    ['an unknown method', 'PUT', '/v1/charges', undefined, 404, undefined],
    ['an unknown parameter', 'POST', '/v1/customers', { keyaudit_probe: 'x' }, 400, 'parameter_unknown'],
    ['an unknown query parameter', 'GET', '/v1/charges?nonsense=1', undefined, 400, 'parameter_unknown'],
    ['a missing parameter', 'POST', '/v1/charges', { currency: 'usd' }, 400, 'parameter_missing'],
    [
      'a number that is none',
      'POST',
      '/v1/charges',
      { amount: 'much', currency: 'usd' },
      400,
      'parameter_invalid_integer',
    ],
    ['a limit out of bounds', 'GET', '/v1/charges?limit=101', undefined, 400, 'parameter_invalid_integer'],
    ['an id that is not there', 'GET', '/v1/charges/ch_none', undefined, 404, 'resource_missing'],
    [
      'a child of what is not there',
      'GET',
      '/v1/customers/cus_none/tax_ids',
      undefined,
      404,
      'resource_missing',
    ],
    [
      'a reference to what is not there',
      'POST',
      '/v1/charges',
      { amount: '1', currency: 'usd', customer: 'cus_none' },
      400,
      'resource_missing',
    ],
    ['a refund of what is not there', 'POST', '/v1/refunds', { charge: 'ch_none' }, 404, 'resource_missing'],
    [
      'an enum value that is none',
      'POST',
      '/v1/refunds',
      { charge: 'ch_none', reason: 'whim' },
      400,
      undefined,
    ],
    ['a v2 object that is not there', 'GET', '/v2/core/accounts/acct_none', undefined, 404, 'not_found'],
    ['a bad search', 'GET', '/v1/charges/search?query=nonsense', undefined, 400, undefined],
  ];
  it.each(rows)('answers %s', async (_name, method, path, form, status, code) => {
    const answer = await ask(method, path, { key: secret(), ...(form === undefined ? {} : { form }) });
    expect([answer.status, answer.body.error?.code]).toEqual([status, code]);
    expect(answer.body.error?.type).toBe('invalid_request_error');
  });

  it('says which URL it does not recognise', async () => {
    const answer = await ask('GET', '/v1/nothing', { key: secret() });
    expect(answer.body.error?.message).toMatch(/^Unrecognized request URL \(GET: \/v1\/nothing\)/);
  });

  it('keeps what was created, changes it and deletes it', async () => {
    const key = secret();
    const made = await ask('POST', '/v1/customers', { key, form: { name: 'Ada', 'metadata[a]': '1' } });
    expect(made.body).toMatchObject({
      object: 'customer',
      name: 'Ada',
      metadata: { a: '1' },
      livemode: false,
    });
    const path = `/v1/customers/${made.body.id}`;
    const changed = await ask('POST', path, { key, form: { 'metadata[b]': '2', 'metadata[a]': '' } });
    expect(changed.body.metadata).toEqual({ b: '2' });
    expect(sandbox.objects()).toContainEqual(expect.objectContaining({ id: made.body.id }));
    expect((await ask('DELETE', path, { key })).body).toEqual({
      id: made.body.id,
      object: 'customer',
      deleted: true,
    });
    const gone = await ask('GET', path, { key });
    expect([gone.status, gone.body]).toEqual([200, { id: made.body.id, object: 'customer', deleted: true }]);
    expect((await ask('POST', path, { key, form: { name: 'x' } })).status).toBe(404);
  });

  it('refunds up to the amount of the charge', async () => {
    const key = secret();
    const charge = await ask('POST', '/v1/charges', {
      key,
      form: { amount: '500', currency: 'usd', source: 'tok_visa' },
    });
    const refund = (amount: string) =>
      ask('POST', '/v1/refunds', { key, form: { charge: String(charge.body.id), amount } });
    expect((await refund('200')).body).toMatchObject({ amount: 200, status: 'succeeded' });
    expect((await refund('400')).status).toBe(400);
    expect((await refund('300')).status).toBe(200);
    expect((await refund('1')).body.error?.code).toBe('charge_already_refunded');
  });

  it('keeps the objects of another account and of live mode apart', async () => {
    const made = await ask('POST', '/v1/customers', { key: secret(), form: { name: 'B' } });
    const path = `/v1/customers/${made.body.id}`;
    expect((await ask('GET', path, { key: sandbox.liveSecretKey.reveal() })).status).toBe(404);
    expect(
      (await ask('GET', path, { key: secret(), headers: { 'stripe-account': 'acct_1Other' } })).status,
    ).toBe(404);
  });

  it('takes uploads', async () => {
    const client = new Stripe(secret(), {
      host: '127.0.0.1',
      port: new URL(sandbox.url).port,
      protocol: 'http',
    });
    const file = await client.files.create({
      purpose: 'dispute_evidence',
      file: { data: Buffer.from('receipt'), name: 'receipt.txt', type: 'text/plain' },
    });
    expect(file).toMatchObject({
      object: 'file',
      filename: 'receipt.txt',
      size: 7,
      purpose: 'dispute_evidence',
    });
  });
});

describe('lists', () => {
  it('page by cursor, newest first, so that the SDK finds each object once', async () => {
    const client = new Stripe(secret(), {
      host: '127.0.0.1',
      port: new URL(sandbox.url).port,
      protocol: 'http',
    });
    for (let index = 0; index < 25; index++) await client.products.create({ name: `p${index}` });
    const names: string[] = [];
    for await (const product of client.products.list({ limit: 10 })) names.push(product.name);
    expect(names).toEqual(Array.from({ length: 25 }, (_, index) => `p${24 - index}`));
    const first = await client.products.list({ limit: 10 });
    const last = first.data.at(-1)?.id ?? '';
    const back = await client.products.list({ limit: 5, ending_before: last });
    expect(back.data.map((one) => one.id)).toEqual(first.data.slice(4, 9).map((one) => one.id));
    expect(back.has_more).toBe(true);
    const found = await client.products.search({ query: 'name:"p7" OR name:"p9"' });
    expect(found.data.map((one) => one.name).sort()).toEqual(['p7', 'p9']);
  });
});

describe('idempotency', () => {
  const headers = { 'idempotency-key': 'one-and-the-same' };
  it('replays the answer, refuses other parameters, and makes nothing twice', async () => {
    const form = { name: 'once' };
    const first = await ask('POST', '/v1/customers', { key: secret(), form, headers });
    const again = await ask('POST', '/v1/customers', { key: secret(), form, headers });
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.headers.get('original-request')).toBe(first.headers.get('request-id'));
    const other = await ask('POST', '/v1/customers', { key: secret(), form: { name: 'twice' }, headers });
    expect([other.status, other.body.error?.type]).toEqual([400, 'idempotency_error']);
    expect(sandbox.objects().filter((object) => object.name === 'once')).toHaveLength(1);
  });
});

describe('the protocol', () => {
  it('echoes the version that was asked for, else its own, and refuses a malformed one', async () => {
    const versions: readonly [string | undefined, number, string | null][] = [
      [undefined, 200, catalog.apiVersion],
      ['2024-06-20', 200, '2024-06-20'],
      ['newest', 400, 'newest'],
    ];
    for (const [version, status, echoed] of versions) {
      const headers: Record<string, string> = version === undefined ? {} : { 'stripe-version': version };
      const answer = await ask('GET', '/v1/balance', { key: secret(), headers });
      expect([answer.status, answer.headers.get('stripe-version')]).toEqual([status, echoed]);
    }
  });

  it('runs one request of an idempotency key at a time', async () => {
    const headers = { 'idempotency-key': 'at-once' };
    const form = { name: 'at once' };
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => ask('POST', '/v1/customers', { key: secret(), form, headers })),
    );
    expect(new Set(answers.filter(({ status }) => status === 200).map(({ body }) => body.id)).size).toBe(1);
    expect(sandbox.objects().filter(({ name }) => name === 'at once')).toHaveLength(1);
  });

  it('reads a body of any type that is not JSON or multipart as a form', async () => {
    for (const type of ['text/plain', 'nonsense', ';', 'application/x-www-form-urlencoded; charset=utf-8']) {
      const response = await fetch(`${sandbox.url}/v1/customers`, {
        method: 'POST',
        headers: { authorization: `Bearer ${secret()}`, 'content-type': type },
        body: 'name=Ada&preferred_locales[]=en&metadata[a]=1',
      });
      expect(await response.json(), type).toMatchObject({ name: 'Ada' });
    }
  });

  it("answers OAuth's calls in OAuth's form", async () => {
    const answer = await ask('POST', '/oauth/token', {
      key: secret(),
      form: { grant_type: 'authorization_code', code: 'ac_x' },
    });
    expect(answer.status).toBe(400);
    expect(typeof answer.body.error).toBe('string');
  });

  it('takes no more requests a second than its bucket holds, and says why', async () => {
    sandbox.behaviour.rateLimit = 3;
    try {
      const statuses: number[] = [];
      for (let turn = 0; turn < 5; turn++) {
        const { status, headers } = await ask('GET', '/v1/balance', { key: secret() });
        statuses.push(status);
        expect(headers.has('stripe-rate-limited-reason')).toBe(status === 429);
      }
      expect(statuses).toEqual([200, 200, 200, 429, 429]);
      clock += 1_000;
      expect((await ask('GET', '/v1/balance', { key: secret() })).status).toBe(200);
    } finally {
      delete sandbox.behaviour.rateLimit;
    }
  });

  it('lets a blind endpoint look at what was sent before it looks at the key', async () => {
    const { token } = await makeKey(['customer_read']);
    const form = { amount: 'much' };
    expect((await ask('POST', '/v1/charges', { key: token, form })).status).toBe(403);
    sandbox.behaviour.blind = ['charges.create'];
    try {
      expect((await ask('POST', '/v1/charges', { key: token, form })).status).toBe(400);
      const good = { amount: '100', currency: 'usd', source: 'tok_visa' };
      expect((await ask('POST', '/v1/charges', { key: token, form: good })).status).toBe(403);
    } finally {
      sandbox.behaviour.blind = [];
    }
  });
});

describe('the managed key API, with its measured quirks', () => {
  it('goes on taking an expired key for a while, though it says expired', async () => {
    const { id, token } = await makeKey(['charge_read']);
    const expired = await ask('POST', `/v2/iam/api_keys/${id}/expire`, { key: secret(), json: {} });
    expect(expired.body.status).toBe('expired');
    expect((await ask('GET', '/v1/charges', { key: token })).status).toBe(200);
    clock += 9_000;
    const dead = await ask('GET', '/v1/charges', { key: token });
    expect([dead.status, dead.body.error?.code]).toEqual([401, 'api_key_expired']);
  });

  it('narrows within a second, and ignores an empty list', async () => {
    const { id, token } = await makeKey(['charge_read', 'customer_read']);
    const path = `/v2/iam/api_keys/${id}`;
    const ignored = await ask('POST', path, { key: secret(), json: { permissions: [] } });
    expect([ignored.status, ignored.body.permissions]).toEqual([200, ['charge_read', 'customer_read']]);
    clock += 2_000;
    await ask('POST', path, { key: secret(), json: { permissions: ['customer_read'] } });
    expect((await ask('GET', '/v1/charges', { key: token })).status).toBe(200);
    clock += 1_000;
    expect((await ask('GET', '/v1/charges', { key: token })).status).toBe(403);
    expect((await ask('GET', '/v1/customers', { key: token })).status).toBe(200);
  });

  it('rotates at once: the old token is dead and the old id gone', async () => {
    const { id, token } = await makeKey(['charge_read']);
    const made = await ask('POST', `/v2/iam/api_keys/${id}/rotate`, {
      key: secret(),
      json: { expire_current_key_in_minutes: 60 },
    });
    expect(made.body.id).not.toBe(id);
    expect((await ask('GET', '/v1/charges', { key: token })).status).toBe(401);
    expect(
      (await ask('GET', `/v2/iam/api_keys/${id}`, { key: secret(), headers: { 'stripe-version': PREVIEW } }))
        .status,
    ).toBe(404);
  });

  const rows: readonly [string, string, unknown, RegExp][] = [
    [
      'an unknown field',
      '/v2/iam/api_keys/ID',
      { status: 'x' },
      /^status: Unknown field, did you mean name, note\?$/,
    ],
    [
      'an unknown permission',
      '/v2/iam/api_keys',
      { type: 'secret_key', permissions: ['refund_write'] },
      /Unknown permission 'refund_write'/,
    ],
    ['no permission', '/v2/iam/api_keys', { type: 'secret_key', permissions: [] }, /At least one/],
    [
      'too long an overlap',
      '/v2/iam/api_keys/ID/rotate',
      { expire_current_key_in_minutes: 10_081 },
      /expire_current_key_in_minutes/,
    ],
  ];
  it.each(rows)('answers 400 to %s', async (_name, path, json, message) => {
    const { id } = await makeKey(['charge_read']);
    const answer = await ask('POST', path.replace('ID', id), { key: secret(), json });
    expect(answer.status).toBe(400);
    expect(answer.body.error?.message).toMatch(message);
  });

  it('lists by pages of at most 100, secrets in plaintext', async () => {
    const other = await startSandbox({ catalog });
    try {
      const key = other.secretKey.reveal();
      const headers = { authorization: `Bearer ${key}`, 'stripe-version': PREVIEW };
      for (let index = 0; index < 250; index++) {
        const body = JSON.stringify({ type: 'secret_key', name: `k${index}`, permissions: ['charge_read'] });
        await fetch(`${other.url}/v2/iam/api_keys`, {
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json' },
          body,
        });
      }
      const names = new Set<string>();
      const pages: number[] = [];
      let path: string | null = '/v2/iam/api_keys?limit=100';
      while (path !== null) {
        const response = await fetch(`${other.url}${path}`, { headers });
        const page = (await response.json()) as {
          data: { name: string; secret_key: { token: string } }[];
          next_page_url: string | null;
        };
        pages.push(page.data.length);
        for (const one of page.data) names.add(one.name);
        expect(page.data[0]?.secret_key.token).toMatch(/^rk_test_/);
        path = page.next_page_url;
      }
      expect(pages).toEqual([100, 100, 50]);
      expect(names.size).toBe(250);
      const tooMany = await fetch(`${other.url}/v2/iam/api_keys?limit=200`, { headers });
      expect(((await tooMany.json()) as Result['body']).error?.message).toBe(
        'limit: The maximum page limit is 100',
      );
    } finally {
      await other.close();
    }
  });

  it('serves nobody without api_key_write, and needs a preview version', async () => {
    const json = { type: 'secret_key', name: 'x', permissions: ['charge_read'] };
    const reader = await makeKey(['charge_read']);
    expect((await ask('POST', '/v2/iam/api_keys', { key: reader.token, json })).status).toBe(403);
    const writer = await makeKey(['api_key_write']);
    expect((await ask('POST', '/v2/iam/api_keys', { key: writer.token, json })).status).toBe(200);
    const old = await ask('POST', '/v2/iam/api_keys', {
      key: secret(),
      json,
      headers: { 'stripe-version': '2026-10-28.endive' },
    });
    expect(old.status).toBe(400);
  });
});

describe('the other endpoints about keys', () => {
  it('makes a restricted key by resources, and says what comes along', async () => {
    const made = await ask('POST', '/v1/restricted_keys', {
      key: secret(),
      form: { name: 'refunds', 'restrictions[refunds]': 'write' },
    });
    expect(made.status).toBe(200);
    expect(made.body.widened).toMatchObject({ charges: 'write' });
    expect((await ask('GET', '/v1/refunds', { key: String(made.body.secret) })).status).toBe(200);
    const wrong = await ask('POST', '/v1/restricted_keys', {
      key: secret(),
      form: { name: 'x', 'restrictions[refnds]': 'write' },
    });
    expect(wrong.body.error?.message).toBe('Unknown resource: refnds. Did you mean "refunds"?');
  });

  it("answers the command line's question from the catalog", async () => {
    const answer = await ask('POST', '/v1/stripecli/key_permissions', {
      key: secret(),
      form: {
        'endpoints[0]': 'GET /v1/charges/:id',
        'endpoints[1]': 'POST /v1/refunds',
        'endpoints[2]': 'GET /v1/chrges',
      },
    });
    expect(answer.body.permissions).toEqual(['charge_write']);
    expect(answer.body.unresolved_endpoints).toEqual([
      { endpoint: 'GET /v1/chrges', reason: expect.stringContaining('Did you mean') },
    ]);
  });
});

describe('starting', () => {
  it('says in one sentence that a port is taken', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    await expect(startSandbox({ catalog, port })).rejects.toMatchObject({ code: 'PORT_TAKEN', exitCode: 2 });
    await new Promise((resolve) => taken.close(resolve));
  });
});
