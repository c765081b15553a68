import { z } from 'zod';
import type { Entry, StoreNotes, StripeObject } from '../objects/object-store.ts';
import type { ObjectStores, OwnedStore } from './object-stores.ts';

/** Where one object holds another that is kept by itself, and would be written twice. */
const referenceSchema = z.tuple([z.array(z.union([z.string(), z.number()])), z.string(), z.string()]);

const placeSchema = {
  account: z.string(),
  livemode: z.boolean(),
  collection: z.string(),
  key: z.string(),
};

const changeSchema = z.union([
  z.strictObject({
    ...placeSchema,
    parents: z.array(z.string()).optional(),
    object: z.record(z.string(), z.unknown()),
    holds: z.array(referenceSchema).optional(),
  }),
  z.strictObject({ ...placeSchema, gone: z.literal(true) }),
]);

/** What one call changed; it is written as one line, so that it is there whole or not at all. */
export const changesSchema = z.strictObject({ changes: z.array(changeSchema) });

type Change = z.infer<typeof changeSchema>;
export type Changes = z.infer<typeof changesSchema>;
type Reference = z.infer<typeof referenceSchema>;

/** An object as it is written: what is kept by itself stands there as null and in `holds`. */
export function changeOf({ account, livemode, notes }: OwnedStore, entry: Entry): Change {
  const { collection, key, parents } = entry;
  const holds: Reference[] = [];
  const object = withoutKept(entry.object, [], { notes, holds }) as Record<string, unknown>;
  return {
    ...{ account, livemode, collection, key, object },
    ...(parents.length === 0 ? {} : { parents: [...parents] }),
    ...(holds.length === 0 ? {} : { holds }),
  };
}

function withoutKept(
  value: unknown,
  path: readonly (string | number)[],
  context: { readonly notes: StoreNotes | undefined; readonly holds: Reference[] },
): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const kept = path.length === 0 ? undefined : context.notes?.entryOf(value);
  if (kept !== undefined) {
    context.holds.push([[...path], kept.collection, kept.key]);
    return null;
  }
  return Array.isArray(value)
    ? value.map((one, index) => withoutKept(one, [...path, index], context))
    : Object.fromEntries(
        Object.entries(value).map(([name, one]) => [name, withoutKept(one, [...path, name], context)]),
      );
}

/** Brings the objects of all changes, oldest first, into empty stores. */
export function replay(all: Iterable<Changes>, stores: ObjectStores): void {
  // What was removed may still be held by another object.
  const every = new Map<string, { readonly change: Change; readonly object: StripeObject }>();
  const live = new Map<string, Change>();
  for (const { changes } of all) {
    for (const change of changes) {
      const name = nameOf(change, change.collection, change.key);
      if ('gone' in change) live.delete(name);
      else {
        live.set(name, change);
        every.set(name, { change, object: change.object as StripeObject });
      }
    }
  }
  for (const { change, object } of every.values()) {
    for (const [path, collection, key] of 'gone' in change ? [] : (change.holds ?? [])) {
      const held = every.get(nameOf(change, collection, key));
      if (held !== undefined) setAt(object, path, held.object);
    }
  }
  for (const [name, change] of live) {
    const object = every.get(name)?.object;
    if (object === undefined || 'gone' in change) continue;
    const { account, livemode, collection, key, parents = [] } = change;
    stores.of(livemode, account).put({ collection, key, object, parents });
  }
}

function nameOf({ account, livemode }: Change, collection: string, key: string): string {
  return JSON.stringify([account, livemode, collection, key]);
}

function setAt(object: StripeObject, path: readonly (string | number)[], value: unknown): void {
  let current: unknown = object;
  for (const step of path.slice(0, -1)) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, step)) return;
    current = (current as Record<string | number, unknown>)[step];
  }
  const last = path.at(-1);
  if (typeof current !== 'object' || current === null || last === undefined) return;
  if (Object.hasOwn(current, last)) (current as Record<string | number, unknown>)[last] = value;
}
