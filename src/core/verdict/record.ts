import type { PermissionName } from '../catalog/catalog.ts';

/**
 * Why Stripe's record of a key was not read. `not-asked`: by `--witness probes`. `no-secret-key`: none is at hand.
 * `other-server`: the server was named by `--api-base`, and nobody said that the secret key may go there.
 * `other-mode`: the secret key is of the other mode. `no-key-api`: the account has none. `refused`: it refused.
 * `not-found`: no key of that id, or of that fingerprint. `id-unknown`: a live key that was not made here, whose list
 * shows no secret to tell it by. `another-key`: the record of that id is another key's. `unreadable`: any other answer.
 */
export type RecordUnread =
  | 'not-asked'
  | 'no-secret-key'
  | 'other-server'
  | 'other-mode'
  | 'no-key-api'
  | 'refused'
  | 'not-found'
  | 'id-unknown'
  | 'another-key'
  | 'unreadable';

/** Stripe's own record of a key, as its key API shows it. */
export interface ReadRecord {
  readonly read: true;
  readonly id: string;
  readonly permissions: readonly PermissionName[];
  readonly connectPermissions: readonly PermissionName[];
  readonly status: 'active' | 'expired';
  readonly expiresAt?: string;
}

export type KeyRecordWitness =
  | ReadRecord
  | {
      readonly read: false;
      readonly reason: RecordUnread;
      /** One sentence. */
      readonly message: string;
    };

/** Each reason in one sentence. */
export const UNREAD_TEXT: Readonly<Record<RecordUnread, string>> = {
  'not-asked': "Stripe's record of the key was not asked for.",
  'no-secret-key': "Stripe's record of the key was not read, since no secret key is at hand.",
  'other-server':
    "The key's record was not read: the secret key goes to a server named by --api-base only with --witness both or record.",
  'other-mode': "The key's record was not read: the secret key is of the other mode.",
  'no-key-api': "The key's record was not read: this account has no key API.",
  refused: "The key's record was not read: the key API refused the secret key.",
  'not-found': 'The key API does not list this key.',
  'id-unknown':
    "The key's record was not read: its id is not known here, and lists of live keys show no secrets.",
  'another-key': "The record under this key's id is another key's.",
  unreadable: "The key's record could not be read.",
};
