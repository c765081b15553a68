import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Catalog } from '../core/catalog/catalog.ts';
import { catalogData } from '../core/catalog/data/catalog.ts';
import { type Sandbox, startSandbox } from './sandbox.ts';

const catalog = new Catalog(catalogData);
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({ catalog });
});
afterAll(() => sandbox.close());

interface Answered {
  readonly status: number;
  readonly text: string;
  readonly body: {
    readonly id?: string;
    readonly secret_key?: { token: string };
    readonly error?: { message: string };
  };
}

async function ask(key: string, method: string, path: string, fields?: object): Promise<Answered> {
  const isV2 = path.startsWith('/v2/');
  const form = isV2
    ? JSON.stringify(fields ?? {})
    : new URLSearchParams(Object.entries(fields ?? {})).toString();
  const response = await fetch(`${sandbox.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': isV2 ? 'application/json' : 'application/x-www-form-urlencoded',
      ...(path.startsWith('/v2/iam') ? { 'stripe-version': '2026-08-26.preview' } : {}),
    },
    ...(method === 'POST' ? { body: form } : {}),
  });
  const text = await response.text();
  return { status: response.status, text, body: JSON.parse(text) as Answered['body'] };
}

async function keyWith(permissions: readonly string[]): Promise<string> {
  const fields = { type: 'secret_key', name: 'k', permissions };
  const made = await ask(sandbox.shownSecretKey, 'POST', '/v2/iam/api_keys', fields);
  return made.body.secret_key?.token ?? '';
}

/** What all of them have in common, so that the list shows what differs. */
const COMMON =
  /^\{"error":\{"code":"more_permissions_required","doc_url":"https:\/\/stripe\.com\/docs\/error-codes\/more-permissions-required","message":"Permission denied\. The provided key '[^']*' does not have the required permissions for this endpoint on account 'acct_1SandboxOfKeyaudit'\.(.*) You can edit permissions at https:\/\/dashboard\.stripe\.com\/apikeys","type":"invalid_request_error"\}\}$/;

describe('a key that may do nothing', () => {
  // What is recorded changes only with a row of the catalog: then `npx vitest -u` writes it anew.
  it('is refused each operation in the words that are recorded', async () => {
    const nothing = await keyWith(['stripecli_session_write']);
    const lines: string[] = [];
    for (const { name, method, path } of catalog.operations) {
      const { status, text } = await ask(nothing, method, path.replaceAll('{id}', 'x_1'));
      lines.push(`${name} ${status} ${COMMON.exec(text)?.[1]?.trim() ?? text.replace(nothing, '…')}`);
    }
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('../../test/fixtures/refusals.txt');
  });
});

/** Flows of agents; `$0` in a path is what the first step made. */
const FLOWS: Readonly<
  Record<string, readonly (readonly [call: string, permission: string, fields: object])[]>
> = {
  'a refund': [
    ['POST /v1/customers', 'customer_write', { email: 'a@example.com' }],
    [
      'POST /v1/payment_intents',
      'payment_intent_write',
      { amount: '500', currency: 'usd', payment_method: 'pm_card_visa', confirm: 'true' },
    ],
    ['GET /v1/payment_intents/$1', 'payment_intent_read', {}],
    ['POST /v1/refunds', 'charge_write', { payment_intent: '$1', amount: '200' }],
    ['GET /v1/balance', 'balance_read', {}],
    ['GET /v1/events', 'event_read', {}],
  ],
  'a subscription': [
    ['POST /v1/products', 'product_write', { name: 'Gold' }],
    [
      'POST /v1/prices',
      'plan_write',
      { product: '$0', currency: 'usd', unit_amount: '500', 'recurring[interval]': 'month' },
    ],
    [
      'POST /v1/customers',
      'customer_write',
      { payment_method: 'pm_card_visa', 'invoice_settings[default_payment_method]': 'pm_card_visa' },
    ],
    ['POST /v1/subscriptions', 'subscription_write', { customer: '$2', 'items[0][price]': '$1' }],
    ['POST /v1/coupons', 'coupon_write', { percent_off: '10' }],
    ['DELETE /v1/subscriptions/$3', 'subscription_write', {}],
  ],
  'a payout': [
    ['POST /v1/charges', 'charge_write', { amount: '900', currency: 'usd', source: 'tok_bypassPending' }],
    ['GET /v1/balance', 'balance_read', {}],
    ['POST /v1/payouts', 'payout_write', { amount: '900', currency: 'usd' }],
    ['POST /v1/payouts/$2/cancel', 'payout_write', {}],
  ],
};

const rows = Object.entries(FLOWS).flatMap(([flow, steps]) =>
  [undefined, ...new Set(steps.map(([, permission]) => permission))].map(
    (lacking) => [flow, lacking] as const,
  ),
);

describe('the flow of', () => {
  it.each(rows)(
    '%s without %s stops at the first call that needs it, and not before',
    async (flow, lacking) => {
      const steps = FLOWS[flow] ?? [];
      const all = [...new Set(steps.map(([, permission]) => permission))];
      const key = await keyWith(all.filter((one) => one !== lacking));
      // What another permission brings along is not lacking.
      const held = catalog.closure(all.filter((one) => one !== lacking));
      const expected =
        lacking === undefined || held.has(lacking) ? -1 : steps.findIndex(([, one]) => one === lacking);
      const ids: string[] = [];
      const filled = (text: string) =>
        text.replace(/\$(\d)/g, (_, index: string) => ids[Number(index)] ?? '');
      let stopped = -1;
      for (const [index, [call, , fields]] of steps.entries()) {
        const [method = '', path = ''] = filled(call).split(' ');
        const sent = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, filled(value)]));
        const before = sandbox.objects().length;
        const { status, body } = await ask(key, method, path, sent);
        ids.push(body.id ?? '');
        if (status === 200) continue;
        expect([status, body.error?.message], call).toEqual([403, expect.stringContaining(`('${lacking}')`)]);
        expect(sandbox.objects().length).toBe(before);
        stopped = index;
        break;
      }
      expect(stopped).toBe(expected);
    },
  );
});
