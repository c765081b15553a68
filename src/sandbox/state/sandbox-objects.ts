import { createHash } from 'node:crypto';
import { KeyauditError } from '../../core/error.ts';
import { type Answer, errorAnswer } from '../../http/answer.ts';
import type { Entry, StripeObject } from '../objects/object-store.ts';
import { type Changes, changeOf, replay } from './object-changes.ts';
import { ObjectFile } from './object-file.ts';
import { ObjectStores, type OwnedStore } from './object-stores.ts';

/** Puts the objects of a seed into empty stores. @throws KeyauditError `SEED_INVALID` */
export type Plant = (stores: ObjectStores) => void;

/** The file is written anew when so many bytes of it are of the past. */
const MOST_PAST_BYTES = 4_000_000;

/** All objects of a sandbox: what it began with, what calls made of it, and, if asked, a file that keeps it. */
export class SandboxObjects {
  readonly stores: ObjectStores;
  /** What whoever started the sandbox should know. */
  readonly notes: string[] = [];
  readonly #plant: Plant | undefined;
  #file: ObjectFile | undefined;
  /** How large the file would be if it were written anew, at the last time that it was. */
  #liveBytes = 0;
  /** What of each object is in the file. */
  #kept = new WeakMap<Entry, string>();
  /** Whether the file is behind, and a line more would not mend it. */
  #isBehind = false;

  private constructor(plant: Plant | undefined, isKept: boolean) {
    this.stores = new ObjectStores({ areNoted: isKept });
    this.#plant = plant;
  }

  /**
   * @param data the folder that keeps them; without it they live in memory
   * @param plant a seed, for a sandbox that has nothing yet
   * @throws KeyauditError `STORE_UNWRITABLE`, `STORE_LOCKED`, `SANDBOX_OBJECTS_BROKEN`, `SEED_INVALID`
   */
  static async open({
    data,
    plant,
  }: {
    readonly data?: string;
    readonly plant?: Plant;
  }): Promise<SandboxObjects> {
    const objects = new SandboxObjects(plant, data !== undefined);
    if (data === undefined) {
      plant?.(objects.stores);
      return objects;
    }
    const { file, read } = await ObjectFile.open(data);
    try {
      objects.#file = file;
      replay(read.changes, objects.stores);
      if (read.isTorn) objects.notes.push(`${file.file}: the last line was never finished; it is left out.`);
      if (objects.stores.count === 0) plant?.(objects.stores);
      else if (plant !== undefined) {
        // A seed with a mistake is told of all the same.
        plant(new ObjectStores({ areNoted: false }));
        objects.notes.push(`${data} has objects already: nothing is seeded.`);
      }
      objects.#rewrite();
      return objects;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  all(): readonly StripeObject[] {
    return this.stores.all();
  }

  /**
   * Keeps what a call changed, before it is answered.
   * @returns HTTP 500 in the place of the answer where that cannot be done
   */
  keep(answer: Answer, { isRead }: { readonly isRead: boolean }): Answer {
    if (this.#file === undefined) return answer;
    const owned = this.stores.each();
    if (isRead && !owned.some(({ notes }) => notes?.hasMoved === true)) {
      for (const { notes } of owned) notes?.settle();
      return answer;
    }
    try {
      this.#append(owned, this.#file);
      return answer;
    } catch (error) {
      if (error instanceof KeyauditError) return notKept(error);
      throw error;
    }
  }

  /** Removes every object, and plants the seed again. @returns how many went, and how many there are */
  reset(): Answer {
    const removed = this.stores.count;
    this.stores.clear();
    this.#isBehind = true;
    try {
      this.#plant?.(this.stores);
      this.#rewrite();
    } catch (error) {
      if (error instanceof KeyauditError) return notKept(error);
      throw error;
    }
    return { status: 200, body: { removed, seeded: this.stores.count } };
  }

  /** What changed outside of calls is written as well. */
  async close(): Promise<void> {
    try {
      this.#rewrite();
    } catch (error) {
      // All that was answered is in the file.
      if (!(error instanceof KeyauditError)) throw error;
    }
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  #append(owned: readonly OwnedStore[], file: ObjectFile): void {
    if (this.#isBehind || file.size > 2 * this.#liveBytes + MOST_PAST_BYTES) {
      this.#rewrite();
      return;
    }
    const kept: (readonly [Entry, string])[] = [];
    const changes = owned.flatMap((store): Changes['changes'] => {
      const { account, livemode } = store;
      const gone = [...(store.notes?.gone ?? [])].map(({ collection, key }) => ({
        ...{ account, livemode, collection, key },
        gone: true as const,
      }));
      const changed = [...(store.notes?.touched ?? [])].flatMap((entry) => {
        const change = changeOf(store, entry);
        const digest = digestOf(change);
        if (this.#kept.get(entry) === digest) return [];
        kept.push([entry, digest]);
        return [change];
      });
      return [...gone, ...changed];
    });
    if (changes.length > 0) file.append({ changes });
    for (const [entry, digest] of kept) this.#kept.set(entry, digest);
    for (const { notes } of owned) notes?.settle();
  }

  /** Writes all that is there; an object a line, for whoever looks at the file. */
  #rewrite(): void {
    const file = this.#file;
    if (file === undefined) return;
    const owned = this.stores.each();
    const kept = new WeakMap<Entry, string>();
    file.rewrite(
      (function* lines() {
        for (const store of owned) {
          for (const entry of store.store.entries()) {
            const change = changeOf(store, entry);
            kept.set(entry, digestOf(change));
            yield { changes: [change] };
          }
        }
      })(),
    );
    this.#kept = kept;
    this.#liveBytes = file.size;
    this.#isBehind = false;
    for (const { notes } of owned) notes?.settle();
  }
}

function digestOf(value: unknown): string {
  return createHash('sha1').update(JSON.stringify(value)).digest('base64');
}

/** The change is made all the same, and is tried for again with the next one. */
function notKept({ message }: KeyauditError): Answer {
  return errorAnswer(500, { type: 'api_error', message: `The sandbox could not keep this: ${message}` });
}
