import { KeyauditError } from '../../core/error.ts';
import { DEFAULT_STORE, envFileStore } from './env-file-store.ts';
import { execStore } from './exec-store.ts';
import type { SecretStore, StoreOptions } from './secret-store.ts';
import { stdoutStore } from './stdout-store.ts';

/** The kinds of stores; a further one is a file of its own and a line here. */
const STORE_KINDS = ['env-file', 'exec', 'stdout'] as const;
type StoreKind = (typeof STORE_KINDS)[number];

/** Opens a store of a kind by what stands behind the colon; undefined where that cannot be. */
type Open = (argument: string, options: StoreOptions) => SecretStore | undefined;

const stores = {
  'env-file': (path, options) => envFileStore(path === '' ? DEFAULT_STORE : path, options),
  exec: (command, options) => (command.trim() === '' ? undefined : execStore(command, options)),
  stdout: (_argument, options) => stdoutStore(options),
} satisfies Record<StoreKind, Open>;

/**
 * Opens a store by its specification: `env-file`, `env-file:PATH`, `stdout`, or `exec:COMMAND`, whose
 * command gets the secret on its standard input.
 * @throws KeyauditError `STORE_UNKNOWN`, `REVEAL_NEEDED`
 */
export function openStore(specification: string | undefined, options: StoreOptions): SecretStore {
  const [, name = '', argument = ''] = /^([^:]*):?(.*)$/s.exec(specification ?? 'env-file') ?? [];
  const kind = STORE_KINDS.find((known) => known === name);
  const store = kind === undefined ? undefined : stores[kind](argument, options);
  if (store !== undefined) return store;
  throw new KeyauditError('STORE_UNKNOWN', `"${specification}" is not a store.`, {
    hint: 'Valid: env-file, env-file:PATH, exec:COMMAND, stdout.',
  });
}

/** The store that a key's record names, where it can be read back. */
export function openPlace(place: string, options: StoreOptions): SecretStore | undefined {
  if (place === 'stdout' || place.startsWith('exec:')) return undefined;
  return envFileStore(place, options);
}
