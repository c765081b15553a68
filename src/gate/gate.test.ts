import { describe, expect, it } from 'vitest';
import { allows, Catalog } from '../core/catalog/catalog.ts';
import { catalogData } from '../core/catalog/data/catalog.ts';
import { Expansions } from '../core/catalog/expansion.ts';
import { credentialsIn } from './credentials.ts';
import { Gate, type Holder } from './gate.ts';

const catalog = new Catalog(catalogData);
const gate = new Gate(catalog, new Expansions(catalog));
const holding = (own: readonly string[], connect: readonly string[] = []): Holder => ({
  permissions: own,
  connectPermissions: connect,
});

describe('the gate', () => {
  it.each<[string, string, Holder, { expand?: string[]; connect?: boolean }, object]>([
    [
      'a read that is granted',
      'GET /v1/charges/ch_1',
      holding(['charge_read']),
      {},
      { kind: 'allowed', ids: ['ch_1'] },
    ],
    ['what a write implies', 'GET /v1/charges', holding(['charge_write']), {}, { kind: 'allowed' }],
    [
      'what is lacking',
      'POST /v1/charges',
      holding(['charge_read']),
      {},
      { kind: 'forbidden', lacking: ['charge_write'], because: 'permission' },
    ],
    [
      'what an expansion lacks',
      'GET /v1/charges',
      holding(['charge_read']),
      { expand: ['data.customer'] },
      {
        kind: 'forbidden',
        lacking: ['customer_read', 'customer_limited_read'],
        because: 'permission',
        expansion: 'data.customer',
      },
    ],
    [
      'an expansion that is granted',
      'GET /v1/charges',
      holding(['charge_read', 'customer_read']),
      { expand: ['data.customer'] },
      { kind: 'allowed' },
    ],
    [
      'an expansion that nobody knows',
      'GET /v1/charges',
      holding(['charge_read']),
      { expand: ['data.pony'] },
      { kind: 'unknown', expansion: 'data.pony' },
    ],
    [
      'a refusal, before an expansion that nobody knows',
      'POST /v1/charges',
      holding(['charge_read']),
      { expand: ['pony'] },
      { kind: 'forbidden', lacking: ['charge_write'] },
    ],
    ['a path that nobody knows', 'GET /v1/ponies', 'everything', {}, { kind: 'unknown' }],
    [
      'a slash in disguise',
      'GET /v1/charges/ch_1%2Frefunds',
      holding(['charge_read']),
      {},
      { kind: 'unknown' },
    ],
    ['dots for an id', 'GET /v1/charges/%2e%2e', holding(['charge_read']), {}, { kind: 'unknown' }],
    ['everything', 'POST /v1/payouts', 'everything', { connect: true }, { kind: 'allowed' }],
    [
      'a connected account, without any Connect permission',
      'POST /v1/payouts',
      holding(['payout_write']),
      { connect: true },
      { kind: 'forbidden', because: 'no-connect-permissions' },
    ],
    [
      'a connected account, with another permission',
      'POST /v1/payouts',
      holding(['payout_write'], ['charge_read']),
      { connect: true },
      { kind: 'forbidden', because: 'permission', lacking: ['payout_write'] },
    ],
    [
      'a connected account',
      'POST /v1/payouts',
      holding([], ['payout_write']),
      { connect: true },
      { kind: 'allowed' },
    ],
    [
      'the own account, with Connect permissions alone',
      'POST /v1/payouts',
      holding([], ['payout_write']),
      {},
      { kind: 'forbidden' },
    ],
  ])('%s', (_name, line, holder, { expand = [], connect = false }, decision) => {
    const [method = '', path = ''] = line.split(' ');
    expect(gate.decide({ method, path, expand, connect }, holder)).toMatchObject(decision);
  });

  it('says of every operation and every permission what the core says', () => {
    for (const { name } of catalog.permissions) {
      const effective = catalog.closure([name]);
      for (const operation of catalog.operations) {
        const path = operation.path.replaceAll('{id}', 'id_1');
        const { kind } = gate.decide(
          { method: operation.method, path, expand: [], connect: false },
          holding([name]),
        );
        expect(kind === 'allowed', `${name} ${operation.name}`).toBe(allows(effective, operation));
      }
    }
  });
});

describe('credentials', () => {
  it.each<[string | undefined, ReturnType<typeof credentialsIn>]>([
    [undefined, 'missing'],
    ['', 'missing'],
    ['Bearer', 'missing'],
    ['Bearer  ', 'missing'],
    ['Digest x', 'missing'],
    ['Bearer rk_test_1', { token: 'rk_test_1' }],
    ['bearer rk_test_1 ', { token: 'rk_test_1' }],
    [`Basic ${Buffer.from('rk_test_1:').toString('base64')}`, { token: 'rk_test_1' }],
    [`Basic ${Buffer.from(':x').toString('base64')}`, 'missing'],
    ['Bearer pk_test_1', 'publishable'],
  ])('%s', (header, found) => {
    expect(credentialsIn(header)).toEqual(found);
  });
});
