import { z } from 'zod';

/** A restricted key of the sandbox. Its token is derived from the state's seed and its id, never written down. */
const keySchema = z.object({
  id: z.string(),
  name: z.string(),
  note: z.string().nullable(),
  permissions: z.array(z.string()),
  connectPermissions: z.array(z.string()),
  livemode: z.boolean(),
  /** By which key API it was made. */
  madeBy: z.enum(['managed', 'restricted_keys']),
  /** Times are in ms since 1970. */
  createdAt: z.number(),
  expiresAt: z.number().nullable(),
  /** When `expire` was called; the key goes on working until `deadAt`, as Stripe's do. */
  expiredAt: z.number().nullable(),
  deadAt: z.number().nullable(),
  /** What the key could do before its last update, in force until then. */
  before: z
    .object({ permissions: z.array(z.string()), connectPermissions: z.array(z.string()), until: z.number() })
    .nullable(),
});

export const stateSchema = z.object({
  version: z.literal(1),
  /** Base64; all tokens are derived from it. */
  seed: z.string(),
  keys: z.array(keySchema),
});

export type RestrictedKey = z.infer<typeof keySchema>;
export type KeyState = z.infer<typeof stateSchema>;

/** What a key may do at a time (ms since 1970): an update takes a moment to be in force. */
export function permissionsInForce(
  key: RestrictedKey,
  now: number,
): { readonly permissions: readonly string[]; readonly connectPermissions: readonly string[] } {
  return key.before !== null && now < key.before.until ? key.before : key;
}

/** Whether the key answers 401 at a time. */
export function isDead(key: RestrictedKey, now: number): boolean {
  return (key.deadAt !== null && now >= key.deadAt) || (key.expiresAt !== null && now >= key.expiresAt);
}

/** What the key API says of it, which runs ahead of what the key can still do. */
export function statusOf(key: RestrictedKey, now: number): 'active' | 'expired' {
  return key.expiredAt !== null || isDead(key, now) ? 'expired' : 'active';
}
