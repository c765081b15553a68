import type { Entry, StoreNotes, StripeObject } from './object-store.ts';

/** Objects in the order in which they came, each with its place: a number that no other has, greater the newer. */
export interface Listing {
  placeOf(id: string): number | undefined;
  /** Those newer than `above` and older than `below`, which themselves are left out. */
  walk(range: Range): Iterable<StripeObject>;
}

export interface Range {
  readonly above?: number | undefined;
  readonly below?: number | undefined;
  readonly newestFirst: boolean;
}

export interface Placed extends Entry {
  readonly place: number;
}

/** Fewer that are gone are stepped over. */
const FEW = 32;

/** The objects of one collection: found by key, and walked in order without a look at those that are not wanted. */
export class Shelf implements Listing {
  readonly #byKey = new Map<string, Placed>();
  readonly #notes: StoreNotes | undefined;
  /** By place; what is gone stands here until there is much of it. */
  #order: Placed[] = [];

  constructor(notes: StoreNotes | undefined) {
    this.#notes = notes;
  }

  get size(): number {
    return this.#byKey.size;
  }

  entries(): Iterable<Placed> {
    return this.#byKey.values();
  }

  get(key: string): Placed | undefined {
    return this.#byKey.get(key);
  }

  /** An entry of a key that is there already takes its place. */
  put(entry: Placed): Placed {
    const { size } = this.#byKey;
    this.#byKey.set(entry.key, entry);
    if (this.#byKey.size > size) {
      this.#order.push(entry);
      return entry;
    }
    // A look for what is hardly ever there would cost as much as all else.
    const index = this.#order.findLastIndex(({ key }) => key === entry.key);
    const placed = { ...entry, place: this.#order[index]?.place ?? entry.place };
    this.#order[index] = placed;
    this.#byKey.set(entry.key, placed);
    return placed;
  }

  remove(key: string): boolean {
    if (!this.#byKey.delete(key)) return false;
    if (this.#order.length > FEW + 2 * this.#byKey.size) {
      this.#order = this.#order.filter((entry) => this.#isHere(entry));
    }
    return true;
  }

  placeOf(id: string): number | undefined {
    return this.#byKey.get(id)?.place;
  }

  walk(range: Range): Iterable<StripeObject> {
    return this.#walk(range, () => true);
  }

  /** Those of which something is true. */
  only(isIn: (entry: Entry) => boolean): Listing {
    return {
      placeOf: (id) => {
        const entry = this.#byKey.get(id);
        return entry !== undefined && isIn(entry) ? entry.place : undefined;
      },
      walk: (range) => this.#walk(range, isIn),
    };
  }

  *#walk(
    { above = -1, below = Number.POSITIVE_INFINITY, newestFirst }: Range,
    isIn: (entry: Entry) => boolean,
  ): Iterable<StripeObject> {
    const order = this.#order;
    const step = newestFirst ? -1 : 1;
    for (
      let index = newestFirst ? this.#indexAfter(below) - 1 : this.#indexAfter(above);
      index >= 0 && index < order.length;
      index += step
    ) {
      const entry = order[index];
      if (entry === undefined) return;
      if (newestFirst ? entry.place <= above : entry.place >= below) return;
      if (entry.place === below || !this.#isHere(entry) || !isIn(entry)) continue;
      this.#notes?.touched.add(entry);
      yield entry.object;
    }
  }

  #isHere(entry: Placed): boolean {
    return this.#byKey.get(entry.key) === entry;
  }

  /** Where the first stands whose place is greater. */
  #indexAfter(place: number): number {
    let low = 0;
    let high = this.#order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#order[middle]?.place ?? 0) <= place) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
