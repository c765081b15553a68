import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readVersionTable, type VersionRow } from '../../../scripts/versions/table.ts';
import { BeyondSdk } from '../../core/catalog/beyond-sdk.ts';
import { Catalog, type Operation } from '../../core/catalog/catalog.ts';
import { beyondSdkRows } from '../../core/catalog/data/beyond-sdk.ts';
import { catalogData } from '../../core/catalog/data/catalog.ts';
import { type DeclaredFields, type DeclaredType, DeclaredTypes } from '../../core/catalog/declared-types.ts';
import { VersionViews } from '../../gate/version-view.ts';
import { emptyFields, type Fields } from '../../http/form-body.ts';
import { readParameters } from '../read-parameters.ts';
import { type Sandbox, startSandbox } from '../sandbox.ts';
import { alsoTaken } from './also-taken.ts';

const catalog = new Catalog(catalogData);
const types = new DeclaredTypes();
const views = new VersionViews(catalog, new BeyondSdk(beyondSdkRows, catalog), { hasBeyondCalls: true });
const rows = readVersionTable(join(import.meta.dirname, '../../core/catalog/data/source'));

/** The last day on which something was taken. */
function dayBefore(date: string): string {
  return new Date(Date.parse(date) - 86_400_000).toISOString().slice(0, 10);
}

describe('the table of versions', () => {
  const parameters = rows.filter(({ what }) => what !== 'call' && what !== 'expansion');

  it('has a source for every row, and every change that the clients in use ran into', () => {
    expect(
      rows.every(({ source }) =>
        /^stripe-(?:(?:node|go|java|python) [\d.]+ \(20\d\d-|cli [\d.]+ \(trigger )/.test(source),
      ),
    ).toBe(true);
    const named = rows.map(({ subject, path }) => `${subject} ${path}`);
    for (const one of [
      'paymentIntents.create payment_method_types',
      'subscriptions.create coupon',
      'customers.update promotion_code',
      'invoiceItems.create price',
      'invoice payment_intent>payment_intent',
      'payment_intent charges=[charge]',
      'POST /v1/subscription_items/{id}/usage_records -',
      // Named by the SDKs of other languages alone.
      'subscriptions.create plan',
      'paymentIntents.confirm payment_method_data[card]',
      'POST /v1/3d_secure -',
    ])
      expect(named).toContain(one);
  });

  it.each(parameters.map((row) => [`${row.subject} ${row.what} ${row.path} ${row.value}`, row] as const))(
    '%s is taken before its date, and refused from then on',
    (_name, row) => {
      const before = refusalAt(row, dayBefore(row.before));
      expect(before?.param, JSON.stringify(before)).not.toBe(placeOf(row));
      const after = refusalAt(row, row.before);
      // Where a later row takes the same.
      const again = parameters.some((one) => one.before > row.before && sameThing(one, row));
      // Any other type: no one value shows it.
      if (!again && row.what !== 'any') expect(after?.param).toBe(placeOf(row));
      else expect(again || row.what === 'any').toBe(true);
    },
  );

  const reached = rows.filter(
    ({ what, subject }) => what === 'expansion' && callAnswering(subject) !== undefined,
  );
  it.each(reached.map((row) => [`${row.subject} ${row.path}`, row] as const))(
    '%s is expanded before its date',
    (_name, { subject, path, before }) => {
      const operation = callAnswering(subject);
      if (operation === undefined) throw new Error('no such call');
      const field = path.replace(/[>=].*$/, '');
      const { expansions } = views.of(dayBefore(before));
      const found = [field, `data.${field}`].find((one) => expansions.find(operation, one) !== undefined);
      expect(found).toBeDefined();
    },
  );
  it('has expansions of kinds that are answered, and only old ones beside', () => {
    const unreached = rows.filter(({ what }) => what === 'expansion').filter((row) => !reached.includes(row));
    expect(reached.length).toBeGreaterThan(25);
    expect([...new Set(unreached.map(({ subject }) => subject))].sort()).toEqual([
      'alipay_account',
      'bitcoin_receiver',
      'discount',
      'issuer_fraud_record',
      'issuing.card_details',
      'order',
      'order_item',
      'order_return',
      'recipient',
      'sku',
    ]);
  });
});

function sameThing(a: VersionRow, b: VersionRow): boolean {
  return a.subject === b.subject && a.what === b.what && a.path === b.path && a.value === b.value;
}

function callAnswering(kind: string): Operation | undefined {
  const { expansions } = views.of(undefined);
  return expansions.readersOf(kind)[0];
}

/** How `param` names the place of a row. */
function placeOf({ path }: VersionRow): string {
  return path.replaceAll('[]', '[0]');
}

function refusalAt(row: VersionRow, version: string): { param?: string; message: string } | undefined {
  const operation = catalog.operation(row.subject);
  if (operation === undefined) throw new Error(`no operation ${row.subject}`);
  const fields = sample(types.parametersOf(row.subject));
  put(fields, types.parametersOf(row.subject), row);
  const read = readParameters(operation, fields, {
    types,
    alsoTaken: alsoTaken(views.of(version), row.subject),
  });
  return 'refusal' in read ? (read.refusal.body as { error: { message: string } }).error : undefined;
}

/** Puts the row's value in its place, with what the parts on the way require. */
function put(fields: Fields, declared: DeclaredFields, { path, what, value }: VersionRow): void {
  const names = path.replaceAll(']', '').split('[');
  let part: Record<string, unknown> = fields;
  let here: DeclaredFields = declared;
  for (const [index, name] of names.entries()) {
    if (name === '') continue;
    const isItem = names[index + 1] === '';
    if (index === names.length - 1 - (isItem && index + 2 === names.length ? 1 : 0)) {
      const leaf = what === 'empty' ? '' : what === 'value' ? value : 'x';
      if (what === 'optional') delete part[name];
      else part[name] = isItem ? [leaf] : leaf;
      return;
    }
    const inner = partIn(here.get(name)?.type);
    here = inner === undefined ? new Map() : types.fieldsOf(inner);
    const known = part[name];
    const made = (Array.isArray(known) ? known[0] : known) ?? sample(here);
    part[name] = isItem ? [made] : made;
    part = made as Record<string, unknown>;
  }
}

function partIn(type: DeclaredType | undefined): Extract<DeclaredType, { kind: 'part' }> | undefined {
  if (type?.kind === 'part') return type;
  if (type?.kind === 'array') return partIn(type.of);
  return type?.kind === 'union' ? type.members.map(partIn).find((one) => one !== undefined) : undefined;
}

/** What is required, filled in. */
function sample(declared: DeclaredFields): Fields {
  const fields = emptyFields();
  for (const { name, optional, type } of declared.values()) if (!optional) fields[name] = aValueOf(type);
  return fields;
}

function aValueOf(type: DeclaredType): unknown {
  switch (type.kind) {
    case 'enum':
      return type.values[0];
    case 'array':
      return [aValueOf(type.of)];
    case 'part':
      return sample(types.fieldsOf(type));
    case 'union':
      return type.members[0] === undefined ? 'x' : aValueOf(type.members[0]);
    case 'boolean':
    case 'true':
      return true;
    case 'map':
      return {};
    case 'file':
      return { name: 'x' };
    default:
      return type.kind === 'string' || type.kind === 'any' ? 'x' : '1';
  }
}

describe('an older version', () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox({ catalog });
  });
  afterAll(() => sandbox.close());

  async function ask(version: string, call: string, form = '', key = sandbox.shownSecretKey) {
    const [method = '', path = ''] = call.split(' ');
    const isGet = method === 'GET';
    const response = await fetch(`${sandbox.url}${path}${isGet && form !== '' ? `?${form}` : ''}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        'stripe-version': version,
        'content-type': 'application/x-www-form-urlencoded',
      },
      ...(isGet ? {} : { body: form }),
    });
    const body = (await response.json()) as Fields & { id: string; error?: { message: string } };
    return { status: response.status, body, notModelled: response.headers.get('x-keyaudit-not-modelled') };
  }

  it('is taken at its word, and its answers say whose shape they have', async () => {
    const old = await ask(
      '2022-11-15',
      'POST /v1/payment_intents',
      'amount=5&currency=usd&payment_method_types[]=card',
    );
    expect([old.status, old.notModelled]).toEqual([
      200,
      'answers of 2022-11-15: they have the shape of 2026-10-28.endive',
    ]);
    const now = await ask(
      '2026-10-28.endive',
      'POST /v1/payment_intents',
      'amount=5&currency=usd&payment_method_types[]=card',
    );
    expect([now.status, now.notModelled, now.body.error?.message]).toEqual([
      400,
      null,
      'Received unknown parameter: payment_method_types',
    ]);
    const ancient = await ask('2015-10-16', 'GET /v1/balance');
    expect([ancient.status, ancient.notModelled]).toEqual([
      200,
      'answers of 2015-10-16: they have the shape of 2026-10-28.endive; requests are read as 2020-08-27',
    ]);
  });

  it('needs the same permissions for what it expands', async () => {
    const key = async (permissions: string) => {
      const made = await ask('2026-10-28.endive', 'POST /v1/restricted_keys', `name=x&${permissions}`);
      return String(made.body.secret);
    };
    const invoices = await key('restrictions[invoices]=read');
    const both = await key('restrictions[invoices]=read&restrictions[payment_intents]=read');
    const call = (version: string, secret: string) =>
      ask(version, 'GET /v1/invoices', 'expand[]=data.payment_intent', secret);
    expect((await call('2024-06-20', invoices)).status).toBe(403);
    expect((await call('2024-06-20', both)).status).toBe(200);
    expect((await call('2026-10-28.endive', both)).body.error?.message).toBe(
      'This property cannot be expanded (payment_intent).',
    );
  });
});
