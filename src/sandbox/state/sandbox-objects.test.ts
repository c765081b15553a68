import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { Catalog } from '../../core/catalog/catalog.ts';
import { catalogData } from '../../core/catalog/data/catalog.ts';
import type { KeyauditError } from '../../core/error.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../sandbox.ts';

const catalog = new Catalog(catalogData);
const root = mkdtempSync(join(tmpdir(), 'keyaudit-objects-'));
const running: Sandbox[] = [];
let folders = 0;

afterEach(async () => {
  for (const sandbox of running.splice(0)) await sandbox.close();
});
afterAll(() => rmSync(root, { recursive: true }));

const folder = () => join(root, `data${folders++}`);
const fileIn = (data: string) => join(data, 'objects.jsonl');

async function start(options: Partial<SandboxOptions>): Promise<Sandbox> {
  const sandbox = await startSandbox({ catalog, ...options });
  running.push(sandbox);
  return sandbox;
}

/** As a process that dies leaves it: what was answered, and no more. */
function afterCrash(data: string): string {
  const copy = folder();
  cpSync(data, copy, { recursive: true });
  rmSync(`${fileIn(copy)}.lock`, { recursive: true, force: true });
  return copy;
}

async function ask(
  sandbox: Sandbox,
  method: string,
  path: string,
  { form = {}, key = sandbox.secretKey.reveal() }: { form?: Record<string, string>; key?: string } = {},
): Promise<{ status: number; body: Record<string, unknown> & { error?: { message: string } } }> {
  const isRead = method === 'GET';
  const query = isRead ? `?${new URLSearchParams(form)}` : '';
  const response = await fetch(`${sandbox.url}${path}${query}`, {
    method,
    headers: { authorization: `Bearer ${key}` },
    ...(isRead ? {} : { body: new URLSearchParams(form) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const CHARGE = { amount: '900', currency: 'usd', source: 'tok_visa' };

async function thrownBy(work: () => Promise<unknown>): Promise<KeyauditError> {
  try {
    await work();
  } catch (error) {
    return error as KeyauditError;
  }
  throw new Error('it went through');
}

describe('--data', () => {
  it('has after a crash what was answered before it, as it was', async () => {
    const data = folder();
    const first = await start({ data });
    const charge = (await ask(first, 'POST', '/v1/charges', { form: CHARGE })).body;
    await ask(first, 'POST', '/v1/refunds', { form: { charge: String(charge.id), amount: '300' } });
    const product = (await ask(first, 'POST', '/v1/products', { form: { name: 'Pro' } })).body;
    const price = await ask(first, 'POST', '/v1/prices', {
      form: {
        product: String(product.id),
        currency: 'usd',
        unit_amount: '5',
        'recurring[interval]': 'month',
      },
    });
    const customer = (
      await ask(first, 'POST', '/v1/customers', {
        form: { name: 'Ada', 'metadata[__proto__]': 'x', source: 'tok_visa' },
      })
    ).body;
    const subscription = await ask(first, 'POST', '/v1/subscriptions', {
      form: { customer: String(customer.id), 'items[0][price]': String(price.body.id) },
    });
    const gone = (await ask(first, 'POST', '/v1/coupons', { form: { percent_off: '5', duration: 'once' } }))
      .body;
    await ask(first, 'DELETE', `/v1/coupons/${gone.id}`);
    const second = await start({ data: afterCrash(data) });
    const sorted = (sandbox: Sandbox) => JSON.stringify(sandbox.objects());
    expect(sorted(second)).toBe(sorted(first));
    // What two objects share they share again.
    const items = subscription.body.items as { data: [{ id: string }] };
    await ask(second, 'POST', `/v1/subscription_items/${items.data[0].id}`, { form: { quantity: '7' } });
    const read = (await ask(second, 'GET', `/v1/subscriptions/${subscription.body.id}`)).body;
    expect(read.items).toMatchObject({ data: [{ quantity: 7 }] });
    const refused = await ask(second, 'POST', '/v1/refunds', {
      form: { charge: String(charge.id), amount: '700' },
    });
    expect(refused.body.error?.message).toContain('unrefunded amount on charge (600)');
  });

  it('has nothing of a call whose line was not finished, and all before it, wherever the line ends', async () => {
    const data = folder();
    const first = await start({ data });
    await ask(first, 'POST', '/v1/customers', { form: { name: 'kept' } });
    const before = statSync(fileIn(data)).size;
    await ask(first, 'POST', '/v1/charges', { form: CHARGE });
    const whole = readFileSync(fileIn(data));
    for (const end of [before + 1, Math.floor((before + whole.length) / 2), whole.length - 1]) {
      const torn = afterCrash(data);
      writeFileSync(fileIn(torn), whole.subarray(0, end));
      const second = await start({ data: torn });
      expect(second.objects().map(({ object }) => object)).toEqual(['customer']);
      expect(second.notes).toEqual([expect.stringContaining('never finished')]);
    }
    for (const end of [0, 5, 31]) {
      const torn = afterCrash(data);
      writeFileSync(fileIn(torn), whole.subarray(0, end));
      expect((await start({ data: torn })).objects()).toEqual([]);
    }
  });

  it.each<[string, (lines: string[]) => void, number]>([
    ['a line cut short', (lines) => lines.splice(2, 1, '{"changes":[{"acc'), 3],
    ['an unknown field', (lines) => lines.splice(1, 1, '{"changes":[{"gone":true,"x":1}]}'), 2],
    ['another version', (lines) => lines.splice(0, 1, '{"schema":"keyaudit.objects/2"}'), 1],
    ['another file', (lines) => lines.splice(0, lines.length, 'a: 1', ''), 1],
  ])('says where the file is damaged and leaves it alone: %s', async (_what, damage, line) => {
    const data = folder();
    const first = await start({ data });
    for (const name of ['a', 'b', 'c']) await ask(first, 'POST', '/v1/customers', { form: { name } });
    await first.close();
    running.pop();
    const lines = readFileSync(fileIn(data), 'utf8').split('\n');
    damage(lines);
    writeFileSync(fileIn(data), lines.join('\n'));
    const error = await thrownBy(() => start({ data }));
    expect(error.code).toBe('SANDBOX_OBJECTS_BROKEN');
    expect(error.problems[0]?.location).toMatchObject({ file: fileIn(data), line });
    expect(readFileSync(fileIn(data), 'utf8')).toBe(lines.join('\n'));
  });

  it('is written by one process, with no secret of a key, for its owner alone', async () => {
    const data = folder();
    const first = await start({ data });
    await ask(first, 'POST', '/v1/charges', { form: CHARGE });
    expect((await thrownBy(() => start({ data }))).code).toBe('STORE_LOCKED');
    const text = readFileSync(fileIn(data), 'utf8');
    expect(text).not.toContain(first.secretKey.reveal());
    expect(text).not.toMatch(/(?:sk|rk)_(?:test|live)_/);
    expect(statSync(fileIn(data)).mode & 0o777).toBe(0o600);
    expect(statSync(data).mode & 0o777).toBe(0o700);
  });

  it('answers 500 where it cannot keep, and keeps it with the next', async () => {
    const data = folder();
    const first = await start({ data });
    await ask(first, 'POST', '/v1/customers', { form: { name: 'a' } });
    const whole = readFileSync(fileIn(data));
    writeFileSync(fileIn(data), Buffer.concat([whole, Buffer.from('x')]));
    const refused = await ask(first, 'POST', '/v1/customers', { form: { name: 'b' } });
    expect(refused.status).toBe(500);
    expect(refused.body.error?.message).toContain('could not keep this');
    writeFileSync(fileIn(data), whole);
    expect((await ask(first, 'POST', '/v1/customers', { form: { name: 'c' } })).status).toBe(200);
    expect((await start({ data: afterCrash(data) })).objects()).toHaveLength(3);
  });

  it.each(['folder', 'file'])('follows no link in the place of the %s', async (what) => {
    const [data, elsewhere] = [folder(), folder()];
    await (await start({ data: elsewhere })).close();
    running.pop();
    if (what === 'folder') symlinkSync(elsewhere, data);
    else {
      await (await start({ data })).close();
      running.pop();
      rmSync(fileIn(data));
      symlinkSync(fileIn(elsewhere), fileIn(data));
    }
    expect((await thrownBy(() => start({ data }))).code).toBe('STORE_UNWRITABLE');
  });

  it('does not grow with what is of the past', async () => {
    const data = folder();
    const first = await start({ data });
    const { id } = (await ask(first, 'POST', '/v1/customers')).body;
    const description = 'x'.repeat(200_000);
    for (let count = 0; count < 50; count++) {
      await ask(first, 'POST', `/v1/customers/${id}`, { form: { description, name: `n${count}` } });
    }
    expect(statSync(fileIn(data)).size).toBeLessThan(5_000_000);
    const [customer] = (await start({ data: afterCrash(data) })).objects();
    expect(customer?.name).toBe('n49');
  });
});

const SEED = `
customers:
  - { id: cus_alice, name: Alice, email: alice@example.com, created: 1700000000 }
products:
  - { id: prod_pro, name: Pro }
prices:
  - { id: price_pro, product: prod_pro, currency: usd, unit_amount: 2500, recurring: { interval: month } }
charges:
  - { id: ch_old, object: charge, amount: 2500, currency: usd, customer: cus_alice, livemode: false }
  - { id: ch_live, amount: 1, currency: usd, livemode: true }
subscriptions:
  - { id: sub_alice, customer: cus_alice, items: [{ price: price_pro }] }
disputes:
  - { id: du_1, amount: 2500, currency: usd, charge: ch_old, reason: general }
customers/tax_ids:
  - { customer: cus_alice, type: eu_vat, value: DE123456789 }
payment_methods:
  - { id: pm_alice, type: card, card: { last4: '4242', brand: visa }, customer: cus_alice }
`;
const seeded = (text: string) => ({ seed: { text, file: 'seed.yaml' } });

describe('--seed', () => {
  it('starts with its objects, made as their creates make them, and its own fields over them', async () => {
    const sandbox = await start(seeded(SEED));
    expect(sandbox.objects().find(({ id }) => id === 'cus_alice')).toMatchObject({ created: 1_700_000_000 });
    const { body } = await ask(sandbox, 'GET', '/v1/subscriptions/sub_alice');
    expect(body).toMatchObject({ status: 'active', items: { data: [{ price: { unit_amount: 2500 } }] } });
    expect((await ask(sandbox, 'GET', '/v1/disputes/du_1')).body).toMatchObject({ reason: 'general' });
    const taxIds = await ask(sandbox, 'GET', '/v1/customers/cus_alice/tax_ids');
    expect(taxIds.body.data).toMatchObject([{ value: 'DE123456789' }]);
    const methods = await ask(sandbox, 'GET', '/v1/customers/cus_alice/payment_methods');
    expect(methods.body.data).toMatchObject([{ id: 'pm_alice', card: { last4: '4242' } }]);
    const refund = await ask(sandbox, 'POST', '/v1/refunds', { form: { charge: 'ch_old' } });
    expect(refund).toMatchObject({ status: 200, body: { amount: 2500, status: 'succeeded' } });
    expect((await ask(sandbox, 'GET', '/v1/charges/ch_live')).status).toBe(404);
  });

  it('is all that is there after DELETE /_sandbox/objects, and what was made is gone', async () => {
    const data = folder();
    const sandbox = await start({ data, ...seeded(SEED) });
    const there = sandbox.objects().length;
    const made = await ask(sandbox, 'POST', '/v1/customers', { form: { name: 'Bob' } });
    await ask(sandbox, 'DELETE', '/v1/customers/cus_alice');
    const reset = await ask(sandbox, 'DELETE', '/_sandbox/objects');
    expect(reset).toEqual({ status: 200, body: { removed: there, seeded: there } });
    expect((await ask(sandbox, 'GET', `/v1/customers/${made.body.id}`)).status).toBe(404);
    expect((await ask(sandbox, 'GET', '/v1/customers/cus_alice')).status).toBe(200);
    const again = await start({ data: afterCrash(data), ...seeded(SEED) });
    expect(again.objects()).toHaveLength(there);
    expect(again.notes).toEqual([expect.stringContaining('nothing is seeded')]);
  });

  it.each<[string, string, string, number, string?]>([
    ['a collection', '\ncustomer: []', 'Unknown collection "customer".', 2, 'Did you mean "customers"?'],
    [
      'a field',
      'customers:\n  - { emial: a }',
      'Unknown field "emial" of customers.',
      2,
      'Did you mean "email"?',
    ],
    [
      'a field within',
      'customers:\n  - id: cus_1\n    address:\n      citty: Rome',
      'Received unknown parameter: address[citty]',
      4,
    ],
    ['a type', 'charges:\n  - amount: much\n    currency: usd', 'Invalid integer: much', 2],
    [
      'the type of a field of the object',
      'customers:\n  - created: soon',
      'customers[0].created must be integer.',
      2,
    ],
    [
      'a value of a field',
      'disputes:\n  - status: open',
      'disputes[0].status must be one of appeal_needs_response, ',
      2,
    ],
    ['what is missing', 'prices:\n  - { id: price_1 }', 'Missing required param: currency.', 2],
    [
      'an order',
      'charges:\n  - { amount: 1, currency: usd, customer: cus_1 }',
      "No such customer: 'cus_1'",
      2,
      'Write what others refer to before them.',
    ],
    ['an id', 'customers:\n  - id: a/b', 'An id must be a text of letters', 2],
    ['an id twice', 'customers:\n  - id: cus_1\n  - id: cus_1', 'The id "cus_1" is there already.', 3],
    ['whose it is', 'customers/tax_ids:\n  - { type: eu_vat, value: x }', '"customer" is missing', 2],
    ['a list', 'customers: { id: cus_1 }', '"customers" must be a list', 1],
    ['YAML', 'customers: [', 'The YAML is broken', 1],
    ['a kind', 'customers:\n  - object: charge', '"object" must be "customer".', 2],
  ])('refuses with file and line what is wrong with %s', async (_what, text, message, line, hint) => {
    const error = await thrownBy(() => start(seeded(text)));
    expect(error.code).toBe('SEED_INVALID');
    const [problem] = error.problems;
    expect(problem?.message).toContain(message);
    expect(problem?.location).toMatchObject({ file: 'seed.yaml', line });
    if (hint !== undefined) expect(problem?.hint).toBe(hint);
  });

  it('tells every mistake at once', async () => {
    const error = await thrownBy(() => start(seeded('customers:\n  - { a: 1 }\n  - { b: 1 }\nthings: []')));
    expect(error.problems.map(({ location }) => location?.line)).toEqual([2, 3, 4]);
  });
});

describe('DELETE /_sandbox/objects', () => {
  it('is for the secret key, and nothing else is there', async () => {
    const sandbox = await start({});
    await ask(sandbox, 'POST', '/v1/customers');
    const made = await fetch(`${sandbox.url}/v2/iam/api_keys`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${sandbox.secretKey.reveal()}`,
        'content-type': 'application/json',
        'stripe-version': '2026-08-26.preview',
      },
      body: JSON.stringify({ type: 'secret_key', name: 'a', permissions: ['customer_write'] }),
    });
    const { secret_key: restricted } = (await made.json()) as { secret_key: { token: string } };
    const refused = await ask(sandbox, 'DELETE', '/_sandbox/objects', { key: restricted.token });
    expect(refused.status).toBe(403);
    expect((await ask(sandbox, 'DELETE', '/_sandbox/objects', { key: 'sk_test_none' })).status).toBe(401);
    expect((await ask(sandbox, 'GET', '/_sandbox/objects')).status).toBe(404);
    expect((await ask(sandbox, 'DELETE', '/_sandbox/keys')).status).toBe(404);
    expect(sandbox.objects()).toHaveLength(1);
    expect((await ask(sandbox, 'DELETE', '/_sandbox/objects')).body).toEqual({ removed: 1, seeded: 0 });
    // The restricted key is still one.
    expect((await ask(sandbox, 'GET', '/v1/customers', { key: restricted.token })).body.data).toEqual([]);
  });

  it('forgets the answers that are replayed', async () => {
    const sandbox = await start({});
    const create = () =>
      fetch(`${sandbox.url}/v1/customers`, {
        method: 'POST',
        headers: { authorization: `Bearer ${sandbox.secretKey.reveal()}`, 'idempotency-key': 'once' },
      });
    await create();
    await ask(sandbox, 'DELETE', '/_sandbox/objects');
    await create();
    expect(sandbox.objects()).toHaveLength(1);
  });
});
