import type { SecretKey } from '../../core/secret-key.ts';
import { openPlace } from './open-store.ts';
import type { SecretStore } from './secret-store.ts';

/** What a place holds now, and the store that it is. */
export interface StoredSecret {
  /** `unreadable`: the place cannot be read back, so nobody knows; undefined: nothing is there. */
  readonly secret: SecretKey | 'unreadable' | undefined;
  readonly store: SecretStore | undefined;
}

/** Reads back what a key's record says was published: the variable in its place. */
export async function storedSecret(
  {
    place,
    variable,
    profile,
  }: { readonly place: string; readonly variable: string; readonly profile: string },
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>> },
): Promise<StoredSecret> {
  const store = place === '' ? undefined : openPlace(place, { cwd, env, reveal: undefined, log: () => {} });
  const secret = store?.get === undefined ? 'unreadable' : await store.get(variable, profile);
  return { secret, store };
}
