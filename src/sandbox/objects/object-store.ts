import { type Collection, collectionsHolding } from '../../core/catalog/id-prefix.ts';

export type StripeObject = { id: string; object: string; [field: string]: unknown };

interface Entry {
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

  get count(): number {
    let count = 0;
    for (const entries of this.#byCollection.values()) count += entries.size;
    return count;
  }

  /** Every object, for comparing before and after. */
  all(): readonly StripeObject[] {
    return [...this.#byCollection.values()].flatMap((entries) =>
      [...entries.values()].map((one) => one.object),
    );
  }

  add(collection: Collection, object: StripeObject, parents: readonly string[] = []): StripeObject {
    const entries = this.#byCollection.get(collection) ?? new Map<string, Entry>();
    this.#byCollection.set(collection, entries);
    // What has no id, such as a link to a page, is kept as well.
    entries.set(object.id ?? `no id ${entries.size}`, { object, parents });
    return object;
  }

  /** An object by id; with `parents`, only below them. */
  find(collection: Collection, id: string, parents: readonly string[] = []): StripeObject | undefined {
    const entry = this.#byCollection.get(collection)?.get(id);
    return entry !== undefined && isBelow(entry, parents) ? entry.object : undefined;
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
    const entries = [...(this.#byCollection.get(collection)?.values() ?? [])];
    return entries
      .filter((entry) => isBelow(entry, parents))
      .map((entry) => entry.object)
      .reverse();
  }

  remove(collection: Collection, id: string): boolean {
    return this.#byCollection.get(collection)?.delete(id) ?? false;
  }
}

function isBelow({ parents }: Entry, wanted: readonly string[]): boolean {
  return wanted.every((id, index) => parents[index] === id);
}
