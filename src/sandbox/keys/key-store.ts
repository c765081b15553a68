import { randomBytes } from 'node:crypto';
import { readFileSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { SecretKey } from '../../core/secret-key.ts';
import { JsonFile } from '../../store/json-file.ts';
import { openWorkspace, WORKSPACE } from '../../store/workspace.ts';
import { derivedText, randomText } from '../random-text.ts';
import { isDead, type KeyState, type RestrictedKey, stateSchema } from './key-state.ts';

/** Who a request comes from. */
export type Caller =
  | { readonly kind: 'secret'; readonly livemode: boolean }
  | { readonly kind: 'restricted'; readonly livemode: boolean; readonly key: RestrictedKey };

export type NewKey = Pick<
  RestrictedKey,
  'name' | 'note' | 'permissions' | 'connectPermissions' | 'livemode' | 'madeBy' | 'expiresAt'
>;

/** How long a known key is taken for unchanged by other processes, in ms; Stripe takes a thousand. */
const FRESH_MS = 10;

/**
 * The sandbox's keys: in memory, or in `.keyaudit/sandbox.json` of a working folder, where several
 * processes may share them. The file holds a seed and no token.
 */
export class KeyStore {
  readonly #file: JsonFile<KeyState> | undefined;
  readonly #now: () => number;
  #stamp = '';
  /** When the file was last looked at, by the clock of `performance`. */
  #readAt = Number.NEGATIVE_INFINITY;
  #seed: Buffer = Buffer.alloc(0);
  #keys = new Map<string, RestrictedKey>();
  #byToken = new Map<string, RestrictedKey>();
  /** Keys whose token is not derived yet, newest last; deriving all of many keys would delay the start. */
  #underived: RestrictedKey[] = [];
  #secrets: { readonly test: string; readonly live: string } = { test: '', live: '' };

  private constructor(file: JsonFile<KeyState> | undefined, now: () => number) {
    this.#file = file;
    this.#now = now;
  }

  /** @throws KeyauditError `STORE_UNWRITABLE`, `SANDBOX_STATE_BROKEN` */
  static async open(cwd: string | undefined, now: () => number): Promise<KeyStore> {
    const file = cwd === undefined ? undefined : stateFile(cwd);
    const store = new KeyStore(file, now);
    if (file === undefined) store.#load(freshState());
    // Another process may have made it just now.
    else if (!store.#reread())
      store.#load(await file.update((state) => (state.seed === '' ? freshState() : state)));
    return store;
  }

  /** The secret key that makes keys; all that it opens is this sandbox. */
  secretKey(mode: 'test' | 'live'): SecretKey {
    return SecretKey.of(this.#secrets[mode]);
  }

  get size(): number {
    return this.#keys.size;
  }

  /** The caller behind a token; `expired` for a key that is dead, undefined for one never made here. */
  authenticate(token: string): Caller | 'expired' | undefined {
    if (performance.now() - this.#readAt > FRESH_MS) this.#reread();
    const known = this.#callerOf(token);
    if (known !== undefined) return known;
    // Another process may have made it just now.
    this.#reread();
    return this.#callerOf(token);
  }

  #callerOf(token: string): Caller | 'expired' | undefined {
    if (token === this.#secrets.test) return { kind: 'secret', livemode: false };
    if (token === this.#secrets.live) return { kind: 'secret', livemode: true };
    const key = this.#byToken.get(token) ?? this.#derive(token);
    if (key === undefined) return undefined;
    return isDead(key, this.#now()) ? 'expired' : { kind: 'restricted', livemode: key.livemode, key };
  }

  /** Derives tokens, those of the newest keys first, until the one is found. */
  #derive(token: string): RestrictedKey | undefined {
    for (let key = this.#underived.pop(); key !== undefined; key = this.#underived.pop()) {
      const own = this.tokenOf(key);
      this.#byToken.set(own, key);
      if (own === token) return key;
    }
    return undefined;
  }

  /** The secret of a key made here. */
  tokenOf({ id, livemode }: RestrictedKey): string {
    return `rk_${livemode ? 'live' : 'test'}_${derivedText(this.#seed, id)}`;
  }

  find(id: string): RestrictedKey | undefined {
    this.#reread();
    return this.#keys.get(id);
  }

  /** Newest first. */
  all(): readonly RestrictedKey[] {
    this.#reread();
    return [...this.#keys.values()].reverse();
  }

  create(fields: NewKey): Promise<RestrictedKey> {
    return this.#change((keys) => add(keys, fields, this.#now()));
  }

  /** Replaces a key; undefined when it is gone. */
  update(id: string, change: (key: RestrictedKey) => RestrictedKey): Promise<RestrictedKey | undefined> {
    return this.#change((keys) => {
      const key = keys.get(id);
      if (key === undefined) return undefined;
      const changed = change(key);
      keys.set(id, changed);
      return changed;
    });
  }

  /** A new key in the place of an old one, which is gone at once, as Stripe's `rotate` was measured to do. */
  rotate(id: string): Promise<RestrictedKey | undefined> {
    return this.#change((keys) => {
      const old = keys.get(id);
      if (old === undefined) return undefined;
      keys.delete(id);
      return add(keys, old, this.#now());
    });
  }

  async #change<T>(work: (keys: Map<string, RestrictedKey>) => T): Promise<T> {
    const file = this.#file;
    if (file === undefined) {
      const keys = new Map(this.#keys);
      const result = work(keys);
      this.#load({ version: 1, seed: this.#seed.toString('base64'), keys: [...keys.values()] });
      return result;
    }
    let result: { readonly value: T } | undefined;
    const state = await file.update(({ version, seed, keys: known }) => {
      const keys = new Map(known.map((key) => [key.id, key]));
      result = { value: work(keys) };
      return { version, seed, keys: [...keys.values()] };
    });
    this.#load(state);
    if (result === undefined) throw new RangeError('the change was not made');
    return result.value;
  }

  /** Takes in what another process wrote; false when there is no file yet. */
  #reread(): boolean {
    this.#readAt = performance.now();
    if (this.#file === undefined) return true;
    const stats = statSync(this.#file.file, { throwIfNoEntry: false });
    if (stats === undefined) return false;
    if (!stats.isFile()) this.#file.parse('');
    const stamp = stampOf(stats);
    if (stamp === this.#stamp) return true;
    this.#load(this.#file.parse(readFileSync(this.#file.file, 'utf8')));
    this.#stamp = stamp;
    return true;
  }

  #load(state: KeyState): void {
    const seed = Buffer.from(state.seed, 'base64');
    const known = seed.equals(this.#seed)
      ? new Map([...this.#byToken].map(([token, { id }]) => [id, token]))
      : undefined;
    this.#seed = seed;
    this.#secrets = {
      test: `sk_test_${derivedText(seed, 'secret test')}`,
      live: `sk_live_${derivedText(seed, 'secret live')}`,
    };
    this.#keys = new Map(state.keys.map((key) => [key.id, key]));
    this.#byToken = new Map();
    this.#underived = [];
    for (const key of state.keys) {
      const token = known?.get(key.id);
      if (token === undefined) this.#underived.push(key);
      else this.#byToken.set(token, key);
    }
  }
}

function add(keys: Map<string, RestrictedKey>, fields: NewKey, now: number): RestrictedKey {
  const { name, note, permissions, connectPermissions, livemode, madeBy, expiresAt } = fields;
  const key: RestrictedKey = {
    id: `mk_1${randomText(23)}`,
    ...{ name, note, permissions, connectPermissions, livemode, madeBy },
    createdAt: now,
    expiresAt,
    expiredAt: null,
    deadAt: null,
    before: null,
  };
  keys.set(key.id, key);
  return key;
}

function freshState(): KeyState {
  return { version: 1, seed: randomBytes(32).toString('base64'), keys: [] };
}

/** A file replaced by rename has another inode, even within the clock's grain. */
function stampOf({ ino, mtimeMs, size }: Stats): string {
  return `${ino} ${mtimeMs} ${size}`;
}

function stateFile(cwd: string): JsonFile<KeyState> {
  return new JsonFile({
    file: join(cwd, WORKSPACE, 'sandbox.json'),
    schema: stateSchema,
    empty: { version: 1, seed: '', keys: [] },
    prepare: () => openWorkspace(cwd),
    broken: {
      code: 'SANDBOX_STATE_BROKEN',
      hint: 'Remove it: the sandbox starts anew, and its keys are void.',
    },
  });
}
