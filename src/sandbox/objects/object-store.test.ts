import { describe, expect, it } from 'vitest';
import { listPage } from './list-page.ts';
import { ObjectStore, type StripeObject } from './object-store.ts';

function storeOf(count: number): ObjectStore {
  const store = new ObjectStore();
  for (let index = 0; index < count; index++) {
    store.add('charges', { id: `ch_${index}`, object: 'charge', isOdd: index % 2 === 1 });
  }
  return store;
}

function page(store: ObjectStore, query: Record<string, unknown>, filter = (_object: StripeObject) => true) {
  const { status, body } = listPage(store.listing('charges'), { url: '/v1/charges', query, filter });
  const { data, has_more: hasMore } = body as { data?: readonly StripeObject[]; has_more: boolean };
  return status === 200 ? { ids: data?.map(({ id }) => id), hasMore } : status;
}

describe('a page of a list', () => {
  const odd = ({ isOdd }: StripeObject) => isOdd === true;
  const rows: readonly [query: Record<string, unknown>, ids: readonly string[], hasMore: boolean][] = [
    [{ limit: 2 }, ['ch_9', 'ch_8'], true],
    [{ limit: 2, starting_after: 'ch_8' }, ['ch_7', 'ch_6'], true],
    [{ limit: 2, starting_after: 'ch_2' }, ['ch_1', 'ch_0'], false],
    [{ limit: 2, starting_after: 'ch_0' }, [], false],
    [{ limit: 2, ending_before: 'ch_5' }, ['ch_7', 'ch_6'], true],
    [{ limit: 2, ending_before: 'ch_7' }, ['ch_9', 'ch_8'], false],
    [{ limit: 2, ending_before: 'ch_9' }, [], false],
    [{ limit: 3, starting_after: 'ch_8', ending_before: 'ch_5' }, ['ch_7', 'ch_6'], false],
    [{ limit: 1, starting_after: 'ch_8', ending_before: 'ch_5' }, ['ch_6'], true],
    [{ limit: 3, starting_after: 'ch_5', ending_before: 'ch_8' }, [], false],
  ];

  it.each(rows)('of %j', (query, ids, hasMore) => {
    expect(page(storeOf(10), query)).toEqual({ ids, hasMore });
  });

  it.each(rows)('of %j, where as many others are gone', (query, ids, hasMore) => {
    const store = storeOf(10);
    for (let index = 0; index < 200; index++) {
      store.add('charges', { id: `gone_${index}`, object: 'charge' });
      store.remove('charges', `gone_${index}`);
    }
    expect(page(store, query)).toEqual({ ids, hasMore });
  });

  it('has those alone that are asked for', () => {
    expect(page(storeOf(10), { limit: 2, starting_after: 'ch_8' }, odd)).toEqual({
      ids: ['ch_7', 'ch_5'],
      hasMore: true,
    });
  });

  it('begins at no object that was removed', () => {
    const store = storeOf(10);
    store.remove('charges', 'ch_5');
    expect(page(store, { starting_after: 'ch_5' })).toBe(400);
    store.add('charges', { id: 'ch_5', object: 'charge' });
    expect(page(store, { limit: 2 })).toEqual({ ids: ['ch_5', 'ch_9'], hasMore: true });
  });

  it('looks at no more objects than it shows, and one', () => {
    let seen = 0;
    page(storeOf(1_000), { limit: 10, starting_after: 'ch_500' }, () => ++seen > 0);
    expect(seen).toBe(11);
  });
});

describe('what time may still change', () => {
  it('is looked after until it is done with', () => {
    const store = new ObjectStore();
    for (const id of ['re_1', 're_2', 're_3']) store.add('refunds', { id, object: 'refund' });
    const seen: string[][] = [];
    const settle = (isOver: (id: string) => boolean) => {
      const ids: string[] = [];
      store.settle('refunds', ({ id }) => {
        ids.push(id);
        return isOver(id);
      });
      seen.push(ids);
    };
    settle((id) => id !== 're_2');
    store.add('refunds', { id: 're_4', object: 'refund' });
    settle((id) => id === 're_4');
    store.remove('refunds', 're_2');
    settle(() => true);
    expect(seen).toEqual([['re_3', 're_2', 're_1'], ['re_4', 're_2'], []]);
  });
});

describe('the events of a store', () => {
  const call = { livemode: false, now: 0, apiVersion: '2026-01-01', request: undefined };
  const happen = (store: ObjectStore, count: number) =>
    Array.from({ length: count }, (_, index) =>
      store.events.note([{ type: `t.${index}`, object: { id: `x_${index}`, object: 'x' } }], call),
    );

  it('are the newest 2,000, each the same whenever it is asked for', () => {
    const store = new ObjectStore();
    const [, second] = happen(store, 2_003);
    const types = store.list('events').map(({ type }) => type);
    expect([types.length, types[0], types.at(-1)]).toEqual([2_000, 't.2002', 't.3']);
    const [event] = store.list('events');
    expect(store.find('events', event?.id ?? '')).toBe(event);
    expect(second?.()).toMatchObject([{ type: 't.1' }]);
    expect(store.count).toBe(0);
  });

  it('are listed by the page', () => {
    const store = new ObjectStore();
    happen(store, 5);
    const [newest, next] = store.list('events');
    const query = { limit: 1, starting_after: newest?.id };
    const all = { url: '/v1/events', query, filter: () => true };
    expect(listPage(store.listing('events'), all).body).toMatchObject({
      data: [{ id: next?.id }],
      has_more: true,
    });
    const before = { ...all, query: { ending_before: next?.id } };
    expect(listPage(store.listing('events'), before).body).toMatchObject({ data: [{ id: newest?.id }] });
  });
});
