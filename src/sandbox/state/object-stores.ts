import { ObjectStore, StoreNotes, type StripeObject } from '../objects/object-store.ts';
import { OWN_ACCOUNT } from '../own-account.ts';

/** A store, and whose objects it has. */
export interface OwnedStore {
  readonly account: string;
  readonly livemode: boolean;
  readonly store: ObjectStore;
  readonly notes: StoreNotes | undefined;
}

/** The objects of every account and mode. */
export class ObjectStores {
  readonly #stores = new Map<string, OwnedStore>();
  readonly #areNoted: boolean;

  /** @param areNoted whether somebody wants to know what changes */
  constructor({ areNoted }: { readonly areNoted: boolean }) {
    this.#areNoted = areNoted;
  }

  of(livemode: boolean, account = OWN_ACCOUNT): ObjectStore {
    return this.owned(livemode, account).store;
  }

  owned(livemode: boolean, account: string): OwnedStore {
    const name = `${account} ${livemode}`;
    const known = this.#stores.get(name);
    if (known !== undefined) return known;
    const notes = this.#areNoted ? new StoreNotes() : undefined;
    const made = { account, livemode, store: new ObjectStore(notes), notes };
    this.#stores.set(name, made);
    return made;
  }

  each(): readonly OwnedStore[] {
    return [...this.#stores.values()];
  }

  get count(): number {
    return this.each().reduce((sum, { store }) => sum + store.count, 0);
  }

  all(): readonly StripeObject[] {
    return this.each().flatMap(({ store }) => store.all());
  }

  clear(): void {
    for (const { store } of this.#stores.values()) store.clear();
  }
}
