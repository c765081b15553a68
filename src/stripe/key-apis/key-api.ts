import type { Level, PermissionName, ResourceName } from '../../core/catalog/catalog.ts';
import type { CallableKeyApi } from '../../core/key-api.ts';
import type { Mode, SecretKey } from '../../core/secret-key.ts';

/** How keys are made; `auto` is managed, else the Dashboard. */

/** What a key is to be. */
export interface KeyRequest {
  /** Unique, so that a stray can be found: {@link keyName}. */
  readonly name: string;
  /** Shown beside the key at Stripe. */
  readonly note: string;
  readonly permissions: readonly PermissionName[];
  readonly connectPermissions: readonly PermissionName[];
  /** The same by resource, for `POST /v1/restricted_keys`. */
  readonly restrictions: ReadonlyMap<ResourceName, Level>;
  readonly mode: Mode;
  readonly expiresAt?: Date;
  readonly idempotencyKey: string;
}

/** A key just made: the only place where its secret is ever given out. */
export interface MadeKey {
  readonly id: string;
  readonly secret: SecretKey;
  readonly mode: Mode;
  readonly permissions: readonly PermissionName[];
  readonly createdAt: Date;
  readonly expiresAt?: Date;
}

/** A key as a list tells of it; a secret in the answer is dropped at the border. */
export interface KeySummary {
  readonly id: string;
  readonly name: string;
  readonly note: string | undefined;
  readonly permissions: readonly PermissionName[];
  readonly connectPermissions: readonly PermissionName[];
  /** Of the secret, where the answer shows it, as in test mode. */
  readonly fingerprint?: string;
  readonly status: 'active' | 'expired';
  readonly mode: Mode;
  readonly createdAt: Date;
  readonly expiresAt?: Date;
}

/** One way to make keys at Stripe. */
export interface KeyApi {
  readonly kind: CallableKeyApi;
  create(request: KeyRequest): Promise<MadeKey>;
  /** Every key, page after page. */
  list(): AsyncIterable<KeySummary>;
  /** Undefined when there is no such key (any more). */
  retrieve(id: string): Promise<KeySummary | undefined>;
  /** Takes permissions away until only these are left, at least one; of the Connect side too where any are named. */
  narrow(
    id: string,
    permissions: readonly PermissionName[],
    connectPermissions?: readonly PermissionName[],
  ): Promise<void>;
  expire(id: string): Promise<'expired' | 'already-gone'>;
}

/** `keyaudit/refund-agent/20261123T081530Z-3f9c2a`: says what made it, for which profile, and when. */
export function keyName(profile: string, now: Date, nonce: string): string {
  const stamp = now.toISOString().replace(/[-:]|\.\d+/g, '');
  return `keyaudit/${profile}/${stamp}-${nonce}`;
}
