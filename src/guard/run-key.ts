import { createHash, randomBytes } from 'node:crypto';
import { type Mode, SecretKey } from '../core/secret-key.ts';

/** A run key as a request carries it. 32 random bytes stand behind the prefix. */
const RUN_KEY = /^rk_guard_(?:test|live)_[A-Za-z0-9_-]{43}$/;

/** A new key of a run, and the digest that alone is kept of it. */
export interface RunKey {
  readonly key: SecretKey;
  readonly digest: string;
}

/** Makes a run key. It has the form of a restricted key, and is worth nothing at Stripe. */
export function makeRunKey(mode: Mode): RunKey {
  const text = `rk_guard_${mode}_${randomBytes(32).toString('base64url')}`;
  return { key: SecretKey.of(text), digest: digestOf(text) };
}

/**
 * The digest of what a request carries as its key; undefined for what has not the form of a run key. Keys are looked
 * up by their digest: how long that takes says nothing of any key.
 */
export function runKeyDigest(token: string): string | undefined {
  return RUN_KEY.test(token) ? digestOf(token) : undefined;
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
