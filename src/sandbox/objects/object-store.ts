import { type Collection, collectionsHolding } from '../../core/catalog/id-prefix.ts';
import { EventLog } from './event-log.ts';
import { type Listing, type Placed, Shelf } from './shelf.ts';

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

/** Time changes these: the sandbox looks after those that may still change when somebody asks for them. */
const CHANGING: ReadonlySet<Collection> = new Set(['disputes', 'payouts', 'refunds', 'subscriptions']);

/**
 * Objects of one account and mode, in memory, by collection; oldest first. What a permitted call made is
 * here afterwards, so that a probe with a side effect shows.
 */
export class ObjectStore {
  readonly events = new EventLog();
  readonly #shelves = new Map<Collection, Shelf>();
  readonly #notes: StoreNotes | undefined;
  /** Of the kinds that time changes, those that came since {@link settle} or were left by it. */
  readonly #unsettled = new Map<Collection, Placed[]>();
  #places = 0;

  /** @param notes what is handed out, and may so be changed, is noted there */
  constructor(notes?: StoreNotes) {
    this.#notes = notes;
  }

  /** How many there are; what is remembered as deleted is not. */
  get count(): number {
    let count = 0;
    for (const [name, shelf] of this.#shelves) {
      if (!name.startsWith(DELETED)) count += shelf.size;
    }
    return count;
  }

  /** Every object, for comparing before and after. */
  all(): readonly StripeObject[] {
    return this.entries().map(({ object }) => object);
  }

  /** Every object with its place, by collection, oldest first. */
  entries(): readonly Entry[] {
    return [...this.#shelves.values()].flatMap((shelf) => [...shelf.entries()]);
  }

  add(collection: Collection, object: StripeObject, parents: readonly string[] = NO_PARENTS): StripeObject {
    const key = object.id ?? `no id ${this.#shelf(collection).size}`;
    this.put({ collection, key, object, parents });
    return object;
  }

  /** Takes an object in where it was kept before. */
  put({ collection, key, object, parents }: Entry): void {
    if (collection === TOLD) {
      this.events.add(object);
      return;
    }
    const shelf = this.#shelf(collection);
    // In the order in which they came, not in that in which somebody looked for what was not there yet.
    if (shelf.size === 0) this.#shelves.delete(collection);
    this.#shelves.set(collection, shelf);
    const placed = shelf.put({ collection, key, object, parents, place: this.#places++ });
    this.#notes?.added(placed);
    if (CHANGING.has(collection)) this.#unsettledOf(collection).push(placed);
  }

  /** An object by id; with `parents`, only below them. */
  find(
    collection: Collection,
    id: string,
    parents: readonly string[] = NO_PARENTS,
  ): StripeObject | undefined {
    if (collection === TOLD) return this.events.find(id);
    const entry = this.#shelves.get(collection)?.get(id);
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
  list(collection: Collection, parents: readonly string[] = NO_PARENTS): readonly StripeObject[] {
    if (collection !== TOLD && (this.#shelves.get(collection)?.size ?? 0) === 0) return NOTHING;
    return [...this.listing(collection, parents).walk({ newestFirst: true })];
  }

  /** The same, for who wants but some of them. Without `parents` one and the same until {@link clear}. */
  listing(
    collection: Collection,
    parents: readonly string[] = NO_PARENTS,
    isIn?: (object: StripeObject) => boolean,
  ): Listing {
    if (collection === TOLD) return this.events;
    const shelf = this.#shelf(collection);
    if (parents.length === 0 && isIn === undefined) return shelf;
    return shelf.only((entry) => isBelow(entry, parents) && (isIn?.(entry.object) ?? true));
  }

  /**
   * Looks after the objects of a collection that time may still change, newest first.
   * @param settles brings one up to date; true when time will change it no more
   */
  settle(collection: Collection, settles: (object: StripeObject) => boolean): void {
    const waiting = this.#unsettled.get(collection);
    if (waiting === undefined || waiting.length === 0) return;
    const shelf = this.#shelf(collection);
    const left: Placed[] = [];
    for (const entry of waiting.reverse()) {
      if (shelf.get(entry.key) !== entry) continue;
      this.#notes?.touched.add(entry);
      if (!settles(entry.object)) left.push(entry);
    }
    this.#unsettled.set(collection, left.reverse());
  }

  remove(collection: Collection, id: string): boolean {
    const entry = this.#shelves.get(collection)?.get(id);
    if (entry === undefined) return false;
    this.#notes?.removed(entry);
    return this.#shelf(collection).remove(id);
  }

  clear(): void {
    this.events.clear();
    this.#shelves.clear();
    this.#unsettled.clear();
    this.#notes?.clear();
  }

  #shelf(collection: Collection): Shelf {
    let shelf = this.#shelves.get(collection);
    if (shelf === undefined) {
      shelf = new Shelf(this.#notes);
      this.#shelves.set(collection, shelf);
    }
    return shelf;
  }

  #unsettledOf(collection: Collection): Placed[] {
    let waiting = this.#unsettled.get(collection);
    if (waiting === undefined) {
      waiting = [];
      this.#unsettled.set(collection, waiting);
    }
    return waiting;
  }
}

/** One for all, since most objects have none. */
const NO_PARENTS: readonly string[] = [];

const NOTHING: readonly StripeObject[] = [];

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
