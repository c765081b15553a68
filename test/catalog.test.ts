import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Stripe from 'stripe';
import { beforeAll, describe, expect, it } from 'vitest';
import { readBeyondSdk, renderBeyondSdk } from '../scripts/catalog/beyond-sdk.ts';
import { buildCatalog, type Catalog } from '../scripts/catalog/build.ts';
import { renderDocs } from '../scripts/catalog/docs.ts';
import { renderCatalog, renderExpansions, renderMoney, renderParameters } from '../scripts/catalog/render.ts';
import { readSdk, type Sdk } from '../scripts/catalog/sdk.ts';
import { readSourceTables, type SourceTables } from '../scripts/catalog/source-tables.ts';
import { readVersionTable, renderVersions } from '../scripts/versions/table.ts';
import type { Operation, Parameter } from '../src/core/catalog/catalog.ts';
import { catalogData } from '../src/core/catalog/data/catalog.ts';
import { parametersOf } from '../src/core/catalog/parameters.ts';

const root = join(import.meta.dirname, '..');
const source = join(root, 'src', 'core', 'catalog', 'data', 'source');
const operations = new Map(catalogData.operations.map((operation) => [operation.name, operation]));

let sdk: Sdk;
let tables: SourceTables;
let catalog: Catalog;
let beyondSdk: ReturnType<typeof readBeyondSdk>;

beforeAll(() => {
  sdk = readSdk(join(root, 'node_modules', 'stripe'));
  tables = readSourceTables(source);
  catalog = buildCatalog(sdk, tables);
  beyondSdk = readBeyondSdk(source, catalog.data);
});

describe('the committed files', () => {
  it.each([
    ['src/core/catalog/data/catalog.ts', renderCatalog],
    ['src/core/catalog/data/parameters.ts', renderParameters],
    ['src/core/catalog/data/expansions.ts', renderExpansions],
    ['src/core/catalog/data/money.ts', renderMoney],
    ['src/core/catalog/data/versions.ts', () => renderVersions(readVersionTable(source))],
    ['src/core/catalog/data/beyond-sdk.ts', () => renderBeyondSdk(beyondSdk)],
    ['docs/catalog.md', () => renderDocs(catalog, beyondSdk)],
  ])('%s is what "npm run catalog" writes', (file, render) => {
    expect(
      readFileSync(join(root, file), 'utf8') === render(catalog),
      `${file} is stale: run "npm run catalog"`,
    ).toBe(true);
  });

  it('keep every parameter through their encoding', () => {
    const decoded = catalogData.operations.map(({ name }) => [name, parametersOf(name)]);
    expect(Object.fromEntries(decoded)).toEqual(Object.fromEntries(catalog.parameters));
  });

  it('hold as many rows as the sources', () => {
    expect(countBy(catalogData.operations.map(({ provenance }) => provenance))).toEqual({
      documented: 238,
      observed: 32,
      inferred: 252,
      unknown: 128,
    });
    expect(catalogData.operations).toHaveLength(650);
    expect(catalogData.permissions).toHaveLength(189);
    expect(catalogData.permissions.filter(({ managedApi }) => managedApi)).toHaveLength(158);
    expect(catalogData.implications).toHaveLength(97);
  });
});

describe('the operations', () => {
  it('are the requests that the real client makes under their names', async () => {
    const made = new Map<string, string>();
    for (const operation of catalogData.operations) {
      made.set(operation.name, await requestMadeBy(operation));
    }
    const listed = catalogData.operations.map(({ name, host, method, path }) => [
      name,
      `${host} ${method} ${path}`,
    ]);
    expect(Object.fromEntries(made)).toEqual(Object.fromEntries(listed));
  });

  it('have every endpoint once and every name once', () => {
    const endpoints = catalogData.operations.map(({ method, path }) => `${method} ${path}`);
    expect(new Set(endpoints).size).toBe(endpoints.length);
    expect(new Set(endpoints)).toEqual(new Set(sdk.requests.map(({ method, path }) => `${method} ${path}`)));
    expect(operations.size).toBe(catalogData.operations.length);
  });

  it('and the implications name only permissions that exist, each under one scope', () => {
    const known = new Set(catalogData.permissions.map(({ name }) => name));
    const named = [
      ...catalogData.operations.flatMap(({ permissions }) => permissions),
      ...catalogData.implications.flatMap(({ from, to }) => [from, ...to]),
    ];
    expect(named.filter((name) => !known.has(name))).toEqual([]);
    expect(new Set(catalogData.permissions.map(({ scope }) => scope)).size).toBe(known.size);
  });

  it('carry no permission exactly where none is known', () => {
    const odd = catalogData.operations.filter(
      ({ permissions, provenance }) => (permissions.length === 0) !== (provenance === 'unknown'),
    );
    expect(odd).toEqual([]);
  });

  it.each<[name: string, endpoint: string, resource: string, kind: string, permissions: string]>([
    ['charges.list', 'GET /v1/charges', 'charges', 'list', 'charge_read'],
    ['charges.search', 'GET /v1/charges/search', 'charges', 'search', 'charge_read'],
    ['charges.capture', 'POST /v1/charges/{id}/capture', 'charges', 'action', 'charge_write'],
    ['refunds.create', 'POST /v1/refunds', 'refunds', 'create', 'charge_write'],
    [
      'testHelpers.refunds.expire',
      'POST /v1/test_helpers/refunds/{id}/expire',
      'refunds',
      'action',
      'charge_write',
    ],
    ['customers.update', 'POST /v1/customers/{id}', 'customers', 'update', 'customer_write'],
    ['customers.del', 'DELETE /v1/customers/{id}', 'customers', 'delete', 'customer_write'],
    ['customers.createSource', 'POST /v1/customers/{id}/sources', 'customers', 'create', 'customer_write'],
    [
      'customers.listPaymentMethods',
      'GET /v1/customers/{id}/payment_methods',
      'payment_methods',
      'list',
      'payment_method_read',
    ],
    [
      'customers.updateCashBalance',
      'POST /v1/customers/{id}/cash_balance',
      'customers',
      'update',
      'customer_write',
    ],
    ['accounts.retrieve', 'GET /v1/accounts/{id}', 'accounts', 'retrieve', 'connected_account_read'],
    [
      'accounts.retrieveCurrent',
      'GET /v1/account',
      'accounts',
      'retrieve',
      'connected_account_read accounts_kyc_basic_read',
    ],
    [
      'accounts.createLoginLink',
      'POST /v1/accounts/{id}/login_links',
      'accounts/login_links',
      'create',
      'edit_link_write',
    ],
    [
      'checkout.sessions.list',
      'GET /v1/checkout/sessions',
      'checkout/sessions',
      'list',
      'checkout_session_read payment_intent_read',
    ],
    ['invoices.createPreview', 'POST /v1/invoices/create_preview', 'invoices', 'action', 'invoice_write'],
    [
      'creditNotes.listPreviewLineItems',
      'GET /v1/credit_notes/preview/lines',
      'credit_notes',
      'list',
      'credit_note_read',
    ],
    ['apps.secrets.find', 'GET /v1/apps/secrets/find', 'apps/secrets', 'retrieve', 'secret_read'],
    [
      'tax.transactions.createReversal',
      'POST /v1/tax/transactions/create_reversal',
      'tax/transactions',
      'action',
      'tax_calculations_and_transactions_write',
    ],
    [
      'tax.associations.find',
      'GET /v1/tax/associations/find',
      'tax/associations',
      'retrieve',
      'tax_calculations_and_transactions_read',
    ],
    ['tax.settings.update', 'POST /v1/tax/settings', 'tax/settings', 'update', 'tax_settings_write'],
    [
      'paymentRecords.reportPayment',
      'POST /v1/payment_records/report_payment',
      'payment_records',
      'action',
      'payment_records_write',
    ],
    ['issuing.cards.create', 'POST /v1/issuing/cards', 'issuing/cards', 'create', 'issuing_card_write'],
    [
      'reporting.reportRuns.create',
      'POST /v1/reporting/report_runs',
      'reporting/report_runs',
      'create',
      'report_runs_and_report_types_read',
    ],
    [
      'testHelpers.testClocks.advance',
      'POST /v1/test_helpers/test_clocks/{id}/advance',
      'test_helpers/test_clocks',
      'action',
      'billing_clock_write',
    ],
    [
      'v2.testHelpers.moneyManagements.recipientVerifications',
      'POST /v2/test_helpers/money_management/recipient_verifications',
      'v2/money_management/recipient_verifications',
      'create',
      '',
    ],
    [
      'v2.core.accounts.create',
      'POST /v2/core/accounts',
      'v2/core/accounts',
      'create',
      'v2_account_storer_write',
    ],
    [
      'v2.core.accounts.persons.list',
      'GET /v2/core/accounts/{id}/persons',
      'v2/core/accounts',
      'list',
      'v2_account_storer_read',
    ],
    ['balance.retrieve', 'GET /v1/balance', 'balance', 'retrieve', 'balance_read'],
    ['oauth.token', 'POST /oauth/token', 'oauth', 'action', ''],
  ])('%s is %s', (name, endpoint, resource, kind, permissions) => {
    const found = operations.get(name);
    expect({ ...found }).toMatchObject({
      resource,
      kind,
      permissions: permissions.split(' ').filter(Boolean),
    });
    expect(`${found?.method} ${found?.path}`).toBe(endpoint);
  });
});

describe('the parameters', () => {
  it.each<[name: string, required: string[]]>([
    ['charges.create', []],
    ['customers.create', []],
    ['setupIntents.create', []],
    ['v2.core.accounts.create', []],
    ['paymentIntents.create', ['amount', 'currency']],
    ['topups.create', ['amount', 'currency']],
    ['files.create', ['file', 'purpose']],
    ['subscriptionItems.list', ['subscription']],
    ['charges.search', ['query']],
    ['oauth.token', ['grant_type']],
    ['taxRates.create', ['display_name', 'inclusive', 'percentage']],
  ])('%s requires %j', (name, required) => {
    expect(requiredOf(parametersOf(name))).toEqual(required);
  });

  it.each<[operation: string, parameter: string, expected: Omit<Parameter, 'name'>]>([
    ['charges.list', 'limit', { required: false, type: 'number' }],
    ['charges.list', 'starting_after', { required: false, type: 'string' }],
    ['charges.list', 'created', { required: false, type: 'object' }],
    ['refunds.create', 'metadata', { required: false, type: 'object' }],
    ['refunds.create', 'expand', { required: false, type: 'array' }],
    ['files.create', 'file', { required: true, type: 'file' }],
    ['charges.create', 'capture', { required: false, type: 'boolean' }],
    ['plans.create', 'interval', { required: true, type: 'enum', values: ['day', 'month', 'week', 'year'] }],
    [
      'refunds.create',
      'reason',
      { required: false, type: 'enum', values: ['duplicate', 'fraudulent', 'requested_by_customer'] },
    ],
    // 'now' or a time: free enough that no list of values can be given
    ['subscriptions.update', 'trial_end', { required: false, type: 'number' }],
    // only ever unset, so the empty string is its one value
    ['invoiceItems.update', 'invoicing_rules', { required: false, type: 'enum', values: [''] }],
  ])('%s takes %s', (operation, name, expected) => {
    expect(parametersOf(operation).find((parameter) => parameter.name === name)).toEqual({
      name,
      ...expected,
    });
  });

  it('are asked for by a name that exists', () => {
    expect(() => parametersOf('charges.frobnicate')).toThrow(
      'The catalog has no operation charges.frobnicate',
    );
  });
});

describe('a raised SDK', () => {
  it('names every endpoint that has no row', () => {
    const added = ['mandates.list', 'mandates.cancel'].map((name) => ({
      ...request(),
      name,
      path: `/v1/${name}`,
    }));
    expect(() => buildCatalog({ ...sdk, requests: [...sdk.requests, ...added] }, tables)).toThrow(
      /no row for GET \/v1\/mandates\.list \(mandates\.list\)\n.*no row for GET \/v1\/mandates\.cancel \(mandates\.cancel\)/,
    );
  });

  it('names every row that has no endpoint any more', () => {
    const requests = sdk.requests.filter(({ name }) => name !== 'charges.capture');
    expect(() => buildCatalog({ ...sdk, requests }, tables)).toThrow(
      'endpoints.tsv has a row for POST /v1/charges/{id}/capture, which stripe-node 23.1.0 cannot call',
    );
  });

  it.each<[what: string, change: (sdk: Sdk) => Partial<Sdk>, message: string]>([
    [
      'two methods for one endpoint',
      ({ requests }) => ({ requests: [...requests, { ...request(), name: 'charges.all' }] }),
      'two methods name GET /v1/charges, and neither is better',
    ],
    [
      'one name for two endpoints',
      ({ requests }) => ({
        requests: requests.map((r) => (r.name === 'refunds.list' ? { ...r, name: 'charges.list' } : r)),
      }),
      'two endpoints are called charges.list',
    ],
    ['a computed path', () => ({ dynamic: ['charges.follow'] }), 'charges.follow computes its path'],
    ['a class that nothing leads to', () => ({ unwired: ['Orders.js'] }), 'Orders.js makes requests'],
  ])('with %s is refused', (_what, change, message) => {
    expect(() => buildCatalog({ ...sdk, ...change(sdk) }, tables)).toThrow(message);
  });
});

describe('a wrong source row', () => {
  it('with a permission that is not in the vocabulary is refused', () => {
    const permissions = tables.permissions.filter(({ name }) => name !== 'charge_read');
    expect(() => buildCatalog(sdk, { ...tables, permissions })).toThrow(
      'endpoints.tsv, GET /v1/charges, names "charge_read", which permissions.tsv lacks',
    );
  });

  it('given twice is refused', () => {
    const [first] = tables.endpoints;
    const endpoints = first ? [...tables.endpoints, first] : [];
    expect(() => buildCatalog(sdk, { ...tables, endpoints })).toThrow(
      'endpoints.tsv has two rows for DELETE /v1/accounts/{id}',
    );
  });
});

function request(): Sdk['requests'][number] {
  const found = sdk.requests.find(({ name }) => name === 'charges.list');
  if (!found) throw new Error('the SDK has no charges.list');
  return found;
}

/** Calls the operation on a real client whose network is a stub, and says which request came out. */
async function requestMadeBy({ name, path }: Operation): Promise<string> {
  const sent: string[] = [];
  const stub = async (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const { host, pathname } = new URL(String(url));
    sent.push(`${HOST_NAMES[host] ?? host} ${init?.method} ${pathname.replaceAll(ID, '{id}')}`);
    return new Response('{"data":[]}', { status: 200, headers: { 'content-type': 'application/json' } });
  };
  const client = new Stripe('sk_test_catalog', {
    httpClient: Stripe.createFetchHttpClient(stub as typeof fetch),
    maxNetworkRetries: 0,
    telemetry: false,
  });
  const parts = name.split('.');
  const verb = parts.pop() ?? '';
  let resource: unknown = client;
  for (const part of parts) resource = (resource as Record<string, unknown>)[part];
  const ids = path
    .split('{id}')
    .slice(1)
    .map(() => ID);
  const method = (resource as Record<string, (...args: unknown[]) => Promise<unknown>>)[verb];
  await method?.call(resource, ...ids, ...(NEEDED_ARGUMENTS[name] ?? []));
  return sent.join(', then ');
}

const ID = 'id_of_something';
/** What the SDK itself insists on before it sends. */
const NEEDED_ARGUMENTS: Readonly<Record<string, readonly object[]>> = {
  'oauth.deauthorize': [{ client_id: 'ca_x' }],
  'files.create': [{ file: { data: 'x', name: 'x.txt', type: 'text/plain' }, purpose: 'dispute_evidence' }],
  'ephemeralKeys.create': [{}, { apiVersion: catalogData.apiVersion }],
};
const HOST_NAMES: Readonly<Record<string, Operation['host']>> = {
  'api.stripe.com': 'api',
  'files.stripe.com': 'files',
  'connect.stripe.com': 'connect',
  'meter-events.stripe.com': 'meter-events',
};

function requiredOf(parameters: readonly Parameter[]): string[] {
  return parameters.filter(({ required }) => required).map(({ name }) => name);
}

function countBy(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}
