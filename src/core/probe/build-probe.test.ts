import { describe, expect, it } from 'vitest';
import { Catalog, type Operation } from '../catalog/catalog.ts';
import { catalogData } from '../catalog/data/catalog.ts';
import { objectKindsInPath } from '../catalog/id-prefix.ts';
import { parametersOf } from '../catalog/parameters.ts';
import { buildProbe, impossibleId, impossiblePath, UNKNOWN_PARAMETER } from './build-probe.ts';
import type { Probe } from './probe.ts';

const catalog = new Catalog(catalogData);
const NONCE = '0f1e2d3c4b5a';

const probes: readonly Probe[] = catalog.operations.map((operation) => probeOf(operation));

function probeOf(operation: Operation, calibrated = false): Probe {
  return buildProbe(operation, { parameters: parametersOf(operation.name), nonce: NONCE, calibrated });
}

function probeNamed(name: string): Probe {
  const probe = probes.find(({ operation }) => operation.name === name);
  if (probe === undefined) throw new Error(`no operation ${name}`);
  return probe;
}

/** The names of the operations whose probe breaks a rule. */
function breaking(rule: (probe: Probe) => boolean, among: readonly Probe[] = probes): string[] {
  return among.filter((probe) => !rule(probe)).map((probe) => probe.operation.name);
}

/** Every text that a probe sends as a value: path segments that are ids, query, body at any depth. */
function valuesOf({ operation, path, body }: Probe): string[] {
  const [pathname = '', query = ''] = path.split('?');
  const template = operation.path.split('/');
  const ids = pathname.split('/').filter((_, index) => template[index] === '{id}');
  return [...ids, ...new URLSearchParams(query).values(), ...leaves(body)];
}

function leaves(value: unknown): string[] {
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(leaves);
  return value === undefined ? [] : [String(value)];
}

function keysOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...keysOf(inner)]);
}

const posts = probes.filter(({ operation }) => operation.method === 'POST');
const creates = posts.filter(({ operation }) => !operation.path.includes('{id}'));
const onObjects = probes.filter(({ operation }) => operation.path.includes('{id}'));
const reads = probes.filter(({ operation }) => operation.method === 'GET');

describe('the probes of all operations', () => {
  it('are there for each, with the path of its template', () => {
    expect(probes).toHaveLength(650);
    expect(
      breaking(
        ({ operation, path }) =>
          catalog.match(operation.method, path.split('?')[0] ?? '')?.operation === operation,
      ),
    ).toEqual([]);
  });

  it('never send an empty create: each has a parameter to refuse, or an object that cannot exist', () => {
    const impossible = ({ body }: Probe) =>
      UNKNOWN_PARAMETER in (body ?? {}) || leaves(body).some((text) => /^[a-z]+_keyaudit/.test(text));
    expect(creates).toHaveLength(112);
    expect(breaking(impossible, creates)).toEqual([]);
  });

  it('create by an impossible reference alone only where the create needs the object', () => {
    expect(breaking(({ body }) => UNKNOWN_PARAMETER in (body ?? {}), creates)).toEqual([
      'billingPortal.sessions.create',
      'creditNotes.create',
      'refunds.create',
    ]);
  });

  it('meet a second obstacle in nearly every create that needs no parameter', () => {
    const needless = creates.filter(({ shape }) => shape === 'unknown-parameter');
    expect(breaking(({ body }) => Object.keys(body ?? {}).length > 1, needless)).toEqual([
      'balanceSettings.update',
      'paymentMethodConfigurations.create',
      'tax.settings.update',
      'terminal.configurations.create',
      'terminal.connectionTokens.create',
      'terminal.locations.create',
      'v2.billing.meterEventSession.create',
      'v2.core.accountTokens.create',
    ]);
  });

  it('never leave out what makes them harmless where parameters are required', () => {
    const complete = ({ operation, body }: Probe) =>
      parametersOf(operation.name)
        .filter(({ required }) => required)
        .every(({ name }) => name in (body ?? {}));
    const filled = creates.filter(({ shape }) => shape === 'missing-parameter').filter(complete);
    expect(filled.map(({ operation }) => operation.name)).toEqual(['oauth.token']);
  });

  it('hold only values of our own making', () => {
    const ours = (text: string) =>
      text.includes('keyaudit') || text === NONCE || text === 'probe' || harmlessValues.has(text);
    expect(breaking((probe) => valuesOf(probe).every(ours))).toEqual([]);
    expect(
      new Set(
        probes
          .flatMap(valuesOf)
          .filter((text) => !text.includes('keyaudit') && text !== NONCE && text !== 'probe'),
      ),
    ).toEqual(harmlessValues);
  });

  it('never hold an amount, a quantity, a URL or an address for mail', () => {
    expect(
      breaking(({ body }) => !keysOf(body).some((key) => /amount|quantity|url|email|currency/i.test(key))),
    ).toEqual([]);
  });

  it('have ids of the right prefix that say whose they are', () => {
    const right = ({ operation, path }: Probe) => {
      const kinds = objectKindsInPath(operation.path);
      const template = operation.path.split('/');
      const ids = (path.split('?')[0] ?? '').split('/').filter((_, index) => template[index] === '{id}');
      return (
        ids.length === kinds.length &&
        ids.every((id, index) => id.startsWith(`${kinds[index]?.prefix}_keyaudit`))
      );
    };
    expect(onObjects.length).toBeGreaterThan(350);
    expect(breaking(right, onObjects)).toEqual([]);
    expect(breaking(({ path }) => !path.includes('{'))).toEqual([]);
  });

  it('write on an object only where it cannot exist', () => {
    const writes = onObjects.filter(({ operation }) => operation.method !== 'GET');
    expect(
      breaking(({ shape, path }) => shape === 'missing-object' && path.includes('_keyaudit'), writes),
    ).toEqual([]);
  });

  it('read one object at most', () => {
    const limited = reads.filter(({ operation }) =>
      parametersOf(operation.name).some(({ name }) => name === 'limit'),
    );
    expect(limited.length).toBeGreaterThan(120);
    expect(
      breaking(({ path }) => new URLSearchParams(path.split('?')[1]).get('limit') === '1', limited),
    ).toEqual([]);
  });

  it('give every read what it requires', () => {
    expect(
      breaking(({ shape, strength }) => shape !== 'missing-parameter' && strength === 'strong', reads),
    ).toEqual([]);
  });

  it('send no body with a read or a delete', () => {
    expect(breaking(({ operation, body }) => operation.method === 'POST' || body === undefined)).toEqual([]);
  });

  it('send a file as multipart, to the host of files', () => {
    expect(
      probes.filter(({ multipart }) => multipart === true).map(({ operation }) => operation.name),
    ).toEqual(['files.create']);
    expect(
      probes.filter(({ operation }) => operation.host === 'files').map(({ operation }) => operation.name),
    ).toEqual(['files.create', 'quotes.pdf']);
    expect(probeNamed('files.create')).toMatchObject({
      path: '/v1/files',
      shape: 'impossible-value',
      body: { purpose: UNKNOWN_PARAMETER },
    });
  });

  it('send a JSON object with every POST of v2', () => {
    const v2 = posts.filter(({ operation }) => operation.path.startsWith('/v2/'));
    expect(v2.length).toBeGreaterThan(40);
    expect(breaking(({ body }) => body !== undefined && !Array.isArray(body), v2)).toEqual([]);
  });

  it('update nothing with an empty body, which has been answered before authorisation', () => {
    const updates = posts.filter(({ operation }) => operation.kind === 'update');
    expect(breaking(({ body }) => Object.keys(body ?? {}).length > 0, updates)).toEqual([]);
  });

  it('promise strong evidence only where the object is looked for: nothing lacks, nothing is unknown', () => {
    const promised = ({ operation, path, body }: Probe) => {
      const query = [...new URLSearchParams(path.split('?')[1]).keys()].map((name) =>
        name.replace(/\[.*/, ''),
      );
      const given = new Set([...query, ...Object.keys(body ?? {})]);
      const lacks = parametersOf(operation.name).some(({ name, required }) => required && !given.has(name));
      const asksForObject = operation.method === 'GET' || operation.path.includes('{id}');
      return asksForObject && !lacks && !given.has(UNKNOWN_PARAMETER) ? 'strong' : 'weak';
    };
    const byReference = new Set(['billingPortal.sessions.create', 'creditNotes.create', 'refunds.create']);
    expect(
      breaking(
        (probe) => probe.strength === (byReference.has(probe.operation.name) ? 'strong' : promised(probe)),
      ),
    ).toEqual([]);
    expect(probes.filter(({ strength }) => strength === 'weak')).toHaveLength(154);
  });

  it('promise strong evidence everywhere once calibrated', () => {
    expect(
      breaking(
        ({ strength, calibrated }) => strength === 'strong' && calibrated,
        catalog.operations.map((operation) => probeOf(operation, true)),
      ),
    ).toEqual([]);
  });
});

/** Values that are not ours by their text: none names an object, and none is sent where an object can exist. */
const harmlessValues: ReadonlySet<string> = new Set([
  '1', // limit
  '0', // start_time of event summaries
  '60', // end_time of event summaries
  'user', // scope[type] of secrets, for a user who cannot exist
  'applicability_scope', // filter[type] of credit balances
  'metered', // filter[applicability_scope][price_type]
  'performance', // type of the tax locations to list
  'active', // status of an Issuing token that cannot exist
]);

describe('buildProbe', () => {
  const rows: readonly (readonly [name: string, path: string, body: unknown, shape: Probe['shape']])[] = [
    ['charges.list', '/v1/charges?limit=1', undefined, 'list'],
    ['balance.retrieve', '/v1/balance', undefined, 'singleton'],
    ['charges.retrieve', `/v1/charges/${impossibleId('ch', NONCE)}`, undefined, 'retrieve'],
    [
      'customers.listTaxIds',
      `/v1/customers/${impossibleId('cus', NONCE)}/tax_ids?limit=1`,
      undefined,
      'retrieve',
    ],
    [
      'subscriptionItems.list',
      `/v1/subscription_items?limit=1&subscription=${impossibleId('sub', NONCE)}`,
      undefined,
      'list',
    ],
    [
      'charges.search',
      `/v1/charges/search?limit=1&query=${encodeURIComponent(`metadata["keyaudit"]:"${NONCE}"`)}`,
      undefined,
      'list',
    ],
    ['refunds.create', '/v1/refunds', { charge: impossibleId('ch', NONCE) }, 'missing-object'],
    ['payouts.create', '/v1/payouts', { [UNKNOWN_PARAMETER]: NONCE }, 'missing-parameter'],
    [
      'customers.create',
      '/v1/customers',
      { [UNKNOWN_PARAMETER]: NONCE, payment_method: impossibleId('pm', NONCE) },
      'unknown-parameter',
    ],
    ['balanceSettings.update', '/v1/balance_settings', { [UNKNOWN_PARAMETER]: NONCE }, 'unknown-parameter'],
    [
      'customers.update',
      `/v1/customers/${impossibleId('cus', NONCE)}`,
      { metadata: { keyaudit: 'probe' } },
      'missing-object',
    ],
    ['customers.del', `/v1/customers/${impossibleId('cus', NONCE)}`, undefined, 'missing-object'],
    [
      'paymentIntents.cancel',
      `/v1/payment_intents/${impossibleId('pi', NONCE)}/cancel`,
      undefined,
      'missing-object',
    ],
    [
      'v2.core.accounts.close',
      `/v2/core/accounts/${impossibleId('acct', NONCE)}/close`,
      {},
      'missing-object',
    ],
  ];
  it.each(rows)('%s', (name, path, body, shape) => {
    const probe = probeNamed(name);
    expect(decodeURIComponent(probe.path)).toBe(decodeURIComponent(path));
    expect(probe.body).toEqual(body);
    expect(probe.shape).toBe(shape);
  });
});

describe('impossibleId', () => {
  it.each([
    ['ch', 'abc', 'ch_keyauditabc0000000000000'],
    ['cus', '0123456789abcdef0123', 'cus_keyaudit0123456789abcdef'],
  ])('of %s and %s is %s', (prefix, nonce, id) => {
    expect(impossibleId(prefix, nonce)).toBe(id);
  });

  it('differs from run to run', () => {
    expect(impossiblePath('/v1/charges/{id}', 'a1')).not.toBe(impossiblePath('/v1/charges/{id}', 'b2'));
  });
});
