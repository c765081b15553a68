import { describe, expect, it } from 'vitest';
import { Catalog, endpointOf } from '../catalog/catalog.ts';
import { catalogData } from '../catalog/data/catalog.ts';
import { checkRows, type ResolverAnswer } from './check-rows.ts';

const catalog = new Catalog(catalogData);

/** A resolver that knows the catalog, but for these rows; null: unresolved. */
function resolver(changes: Readonly<Record<string, readonly string[] | null>> = {}) {
  const batches: number[] = [];
  const ask = async (endpoints: readonly string[]): Promise<ResolverAnswer> => {
    batches.push(endpoints.length);
    const permissions = new Set<string>();
    const unresolved: { endpoint: string; reason: string }[] = [];
    for (const endpoint of endpoints) {
      const operation = catalog.find(endpoint);
      const changed = changes[operation?.name ?? ''];
      const known = changed === undefined ? operation?.permissions.slice(0, 1) : changed;
      if (known === null || known === undefined || known.length === 0)
        unresolved.push({ endpoint, reason: 'unknown' });
      else for (const name of known) permissions.add(name);
    }
    return { permissions: [...permissions], unresolved };
  };
  return { ask, batches };
}

describe('checkRows', () => {
  it('agrees with a resolver that knows the catalog, in far fewer requests than rows', async () => {
    const { ask, batches } = resolver();
    const checks = await checkRows(catalog.operations, ask, endpointOf);
    expect(checks.map(({ operation }) => operation)).toEqual(catalog.operations.map(({ name }) => name));
    expect(checks.filter(({ agrees }) => !agrees)).toEqual([]);
    expect(batches.length).toBeLessThan(catalog.operations.length / 3);
    expect(Math.max(...batches)).toBeLessThanOrEqual(20);
  });

  it.each<[what: string, changes: Record<string, readonly string[] | null>]>([
    ['one other permission', { 'refunds.create': ['refund_write'] }],
    ['a write that is a read', { 'charges.capture': ['charge_read'] }],
    ['a read that is a write', { 'customers.list': ['customer_write'] }],
    ['two permissions at once', { 'customers.list': ['customer_read', 'charge_read'] }],
    ['a row that the catalog does not know', { 'oauth.token': ['oauth_write'] }],
    ['one unknown to the resolver', { 'charges.list': null }],
    [
      'several in one group',
      { 'charges.list': ['a_read'], 'charges.retrieve': ['b_read'], 'refunds.list': ['a_read'] },
    ],
  ])('finds exactly %s', async (_what, changes) => {
    const checks = await checkRows(catalog.operations, resolver(changes).ask, endpointOf);
    const found = checks
      .filter(({ agrees }) => !agrees)
      .map(({ operation, resolver: named }) => [operation, named]);
    expect(Object.fromEntries(found)).toEqual(changes);
  });
});
