import type { SecretKey } from '../../core/secret-key.ts';

/** Where the secret of a key goes. */
export interface SecretStore {
  /** As shown to the user, and kept in the key's record. */
  readonly place: string;
  /** @param mayWrite asked right before the secret takes the place of another: whether it is still ours to write */
  put(variable: string, secret: SecretKey, profile: string, mayWrite?: () => boolean): Promise<void>;
  /** What is there now; absent where a store cannot be read back. */
  readonly get?: (variable: string, profile: string) => Promise<SecretKey | undefined>;
  /** Takes the secret out if it is still this one; absent where that cannot be done. */
  readonly remove?: (variable: string, secret: SecretKey) => Promise<void>;
}

export interface StoreOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Prints what an `exec:` store holds now; named by the command line or the environment alone. */
  readonly readBack?: string | undefined;
  /** Writes to standard output past the redactor; undefined unless the user said `--reveal`. */
  readonly reveal: ((text: string) => void) | undefined;
  /** How a secret that is printed is shown; `VARIABLE=secret` and a line end if left out. */
  readonly shown?: ((variable: string, secret: string) => string) | undefined;
  /** Takes what a store's command prints. */
  readonly log: (text: string) => void;
}
