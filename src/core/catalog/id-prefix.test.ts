import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { catalogData } from './data/catalog.ts';
import { COLLECTIONS, collectionOf, idCollectionsOf, objectKindOf, objectKindsInPath } from './id-prefix.ts';

describe('collectionOf', () => {
  it.each([
    ['/v1/charges', 'charges'],
    ['/v1/customers/{id}/tax_ids/{id}', 'customers/tax_ids'],
    ['/v1/test_helpers/issuing/cards/{id}', 'issuing/cards'],
    ['/v2/core/accounts/{id}/persons', 'v2/core/accounts/persons'],
    [
      '/v2/test_helpers/money_management/recipient_verifications',
      'v2/money_management/recipient_verifications',
    ],
  ])('%s is %s', (path, collection) => {
    expect(collectionOf(path)).toBe(collection);
  });
});

describe('objectKindsInPath', () => {
  it.each([
    ['/v1/refunds', []],
    ['/v1/charges/{id}/capture', ['ch']],
    ['/v1/accounts/{id}/persons/{id}', ['acct', 'person']],
    ['/v1/coupons/{id}', ['coupon']],
    ['/v1/test_helpers/test_clocks/{id}/advance', ['clock']],
  ])('%s has ids that start %j', (path, prefixes) => {
    expect(objectKindsInPath(path).map((kind) => kind.prefix)).toEqual(prefixes);
  });
});

describe('the table', () => {
  const rest = catalogData.operations.filter((operation) => !operation.path.startsWith('/oauth/'));

  it('knows every collection whose ids stand in a path', () => {
    const asked = rest.flatMap((operation) => idCollectionsOf(operation.path));
    expect([...new Set(asked)].filter((collection) => objectKindOf(collection) === undefined)).toEqual([]);
  });

  it('knows what every list, create, retrieve and delete answers', () => {
    const asked = rest
      .filter((operation) => ['list', 'create', 'retrieve', 'delete'].includes(operation.kind))
      .map((operation) => collectionOf(operation.path));
    expect([...new Set(asked)].filter((collection) => objectKindOf(collection) === undefined)).toEqual([]);
  });

  it('uses only object names that stripe-node declares', () => {
    const names = new Set<string>();
    const folder = fileURLToPath(new URL('../../../node_modules/stripe/esm/resources', import.meta.url));
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.d.ts')) continue;
      const text = readFileSync(`${folder}/${file}`, 'utf8');
      for (const [, name = ''] of text.matchAll(/^\s+object: '([a-z0-9_.]+)'/gm)) names.add(name);
    }
    expect(COLLECTIONS.filter((collection) => !names.has(objectKindOf(collection)?.object ?? ''))).toEqual(
      [],
    );
  });
});
