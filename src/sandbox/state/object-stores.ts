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
  /** By account: the one in test mode and the one in live mode. */
  readonly #stores = new Map<string, { test?: OwnedStore; live?: OwnedStore }>();
  /** In the order in which somebody asked for them. */
  readonly #all: OwnedStore[] = [];
  readonly #areNoted: boolean;

  /** @param areNoted whether somebody wants to know what changes */
  constructor({ areNoted }: { readonly areNoted: boolean }) {
    this.#areNoted = areNoted;
  }

  of(livemode: boolean, account = OWN_ACCOUNT): ObjectStore {
    return this.owned(livemode, account).store;
  }

  owned(livemode: boolean, account: string): OwnedStore {
    const mode = livemode ? 'live' : 'test';
    const ofAccount = this.#stores.get(account) ?? {};
    const known = ofAccount[mode];
    if (known !== undefined) return known;
    const notes = this.#areNoted ? new StoreNotes() : undefined;
    const made = { account, livemode, store: new ObjectStore(notes), notes };
    ofAccount[mode] = made;
    this.#stores.set(account, ofAccount);
    this.#all.push(made);
    return made;
  }

  each(): readonly OwnedStore[] {
    return this.#all;
  }

  get count(): number {
    return this.each().reduce((sum, { store }) => sum + store.count, 0);
  }

  all(): readonly StripeObject[] {
    return this.each().flatMap(({ store }) => store.all());
  }

  clear(): void {
    for (const { store } of this.#all) store.clear();
  }
}
