import { type Collection, collectionsHolding } from '../../core/catalog/id-prefix.ts';

/** Events tell of objects and are none: they are listed, and neither counted among the objects nor kept on disk. */
const TOLD: Collection = 'events';

/** Before the name of a collection: what was deleted from it. */
export const DELETED = 'deleted ';

export type StripeObject = { id: string; object: string; [field: string]: unknown };

/** An object where it is kept. */
export interface Entry {
  readonly collection: Collection;
  /** Its id; what has no id, such as a link to a page, has a key of its own. */
  readonly key: string;
  readonly object: StripeObject;
  /** The ids before it in its path, such as the customer of a tax id. */
  readonly parents: readonly string[];
}

/**
 * Objects of one account and mode, in memory, by collection; oldest first. What a permitted call made is
 * here afterwards, so that a probe with a side effect shows.
 */
export class ObjectStore {
  readonly #byCollection = new Map<Collection, Map<string, Entry>>();
  readonly #notes: StoreNotes | undefined;

  /** @param notes what is handed out, and may so be changed, is noted there */
  constructor(notes?: StoreNotes) {
    this.#notes = notes;
  }

  /** How many there are; what is remembered as deleted is not. */
  get count(): number {
    let count = 0;
    for (const [name, entries] of this.#byCollection) {
      if (name !== TOLD && !name.startsWith(DELETED)) count += entries.size;
    }
    return count;
  }

  /** Every object, for comparing before and after. */
  all(): readonly StripeObject[] {
    return this.entries().map(({ object }) => object);
  }

  /** Every object with its place, by collection, oldest first. */
  entries(): readonly Entry[] {
    return [...this.#byCollection].flatMap(([name, entries]) => (name === TOLD ? [] : [...entries.values()]));
  }

  add(collection: Collection, object: StripeObject, parents: readonly string[] = []): StripeObject {
    const size = this.#byCollection.get(collection)?.size ?? 0;
    this.put({ collection, key: object.id ?? `no id ${size}`, object, parents });
    return object;
  }

  /** Takes an object in where it was kept before. */
  put(entry: Entry): void {
    const entries = this.#byCollection.get(entry.collection) ?? new Map<string, Entry>();
    this.#byCollection.set(entry.collection, entries);
    entries.set(entry.key, entry);
    if (entry.collection !== TOLD) this.#notes?.added(entry);
  }

  /** An object by id; with `parents`, only below them. */
  find(collection: Collection, id: string, parents: readonly string[] = []): StripeObject | undefined {
    const entry = this.#byCollection.get(collection)?.get(id);
    if (entry === undefined || !isBelow(entry, parents)) return undefined;
    this.#notes?.touched.add(entry);
    return entry.object;
  }

  /** The object of some kind by its id, wherever such objects live. */
  ofKind(kind: string, id: string): StripeObject | undefined {
    for (const collection of collectionsHolding(kind)) {
      const object = this.find(collection, id);
      if (object !== undefined) return object;
    }
    return undefined;
  }

  /** The objects of a collection, newest first, as Stripe lists them. */
  list(collection: Collection, parents: readonly string[] = []): readonly StripeObject[] {
    const entries = [...(this.#byCollection.get(collection)?.values() ?? [])].filter((entry) =>
      isBelow(entry, parents),
    );
    for (const entry of this.#notes === undefined ? [] : entries) this.#notes?.touched.add(entry);
    return entries.map((entry) => entry.object).reverse();
  }

  /** Forgets the oldest of a collection beyond so many. */
  keepNewest(collection: Collection, count: number): void {
    const entries = this.#byCollection.get(collection);
    for (const key of entries?.keys() ?? []) {
      if (entries === undefined || entries.size <= count) return;
      this.remove(collection, key);
    }
  }

  remove(collection: Collection, id: string): boolean {
    const entry = this.#byCollection.get(collection)?.get(id);
    if (entry === undefined) return false;
    if (collection !== TOLD) this.#notes?.removed(entry);
    return this.#byCollection.get(collection)?.delete(id) ?? false;
  }

  clear(): void {
    this.#byCollection.clear();
    this.#notes?.clear();
  }
}

/** What may have changed in a store since somebody looked: all that it handed out. */
export class StoreNotes {
  readonly touched = new Set<Entry>();
  readonly gone = new Set<Entry>();
  /** Whether anything came or went, which even a call that only reads may bring about. */
  hasMoved = false;
  #byObject = new WeakMap<object, Entry>();

  added(entry: Entry): void {
    this.hasMoved = true;
    this.touched.add(entry);
    this.#byObject.set(entry.object, entry);
  }

  removed(entry: Entry): void {
    this.hasMoved = true;
    this.touched.delete(entry);
    this.gone.add(entry);
    this.#byObject.delete(entry.object);
  }

  /** Where a value is kept by itself; undefined for one that is not. */
  entryOf(value: object): Entry | undefined {
    return this.#byObject.get(value);
  }

  /** Forgets what was noted; the objects stay known. */
  settle(): void {
    this.hasMoved = false;
    this.touched.clear();
    this.gone.clear();
  }

  clear(): void {
    this.settle();
    this.#byObject = new WeakMap();
  }
}

function isBelow({ parents }: Entry, wanted: readonly string[]): boolean {
  return wanted.every((id, index) => parents[index] === id);
}
