import { describe, expect, it } from 'vitest';
import { DeclaredTypes } from '../../../core/catalog/declared-types.ts';
import { COLLECTIONS } from '../../../core/catalog/id-prefix.ts';
import { ObjectMaker } from './make-object.ts';
import { STARTING_VALUES } from './starting-values.ts';

const types = new DeclaredTypes();
const traits = { livemode: false, now: 1_790_000_000_000, find: () => undefined };

function partsOf(value: unknown, found = new Set<object>()): ReadonlySet<object> {
  if (typeof value !== 'object' || value === null) return found;
  found.add(value);
  for (const one of Object.values(value)) partsOf(one, found);
  return found;
}

describe('objects that are made', () => {
  const maker = new ObjectMaker(types);
  const shared = new Set(Object.values(STARTING_VALUES));

  it.each(COLLECTIONS)('of %s share nothing that a call could change', (collection) => {
    const parts = partsOf(maker.make(collection, {}, traits));
    const others = partsOf(maker.make(collection, {}, traits));
    const both = [...parts].filter((one) => others.has(one) && !Object.isFrozen(one) && !shared.has(one));
    expect(both).toEqual([]);
  });

  it.each(COLLECTIONS)(
    'of %s have their fields in the order of the declaration, whatever was sent',
    (collection) => {
      const { object: kind } = maker.make(collection, {}, traits);
      const declared = [...(types.kind(kind)?.keys() ?? [])];
      const names = ['id', 'object', ...declared.filter((name) => name !== 'id' && name !== 'object')];
      // Last to first, and twice: what is known of the first must not show in the second.
      const sent = declared.filter((name) => name !== 'id').reverse();
      for (const given of [sent, [], sent.slice(1), sent]) {
        const made = maker.make(collection, Object.fromEntries(given.map((name) => [name, '1'])), traits);
        const own = Object.keys(made);
        expect(own).toEqual(names.filter((name) => own.includes(name)));
        const required = names.filter((name) => types.kind(kind)?.get(name)?.optional === false);
        expect(own).toEqual(expect.arrayContaining(required));
      }
    },
  );

  it('have what was sent for them and not for the one before', () => {
    const [first, second, third] = [{ amount: 5, status: 'failed' }, {}, { amount: 7, description: 'x' }].map(
      (given) => maker.make('charges', { currency: 'eur', ...given }, traits),
    );
    expect(first).toMatchObject({ amount: 5, status: 'failed', currency: 'eur' });
    expect(second).toMatchObject({ amount: 0, status: 'succeeded', currency: 'eur' });
    expect(third).toMatchObject({ amount: 7, status: 'succeeded', description: 'x' });
    expect(new Set([first?.id, second?.id, third?.id]).size).toBe(3);
  });
});
