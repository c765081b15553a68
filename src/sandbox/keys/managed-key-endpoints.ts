import { createPublicKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import type { Catalog } from '../../core/catalog/catalog.ts';
import { type Answer, errorAnswer } from '../../http/answer.ts';
import type { Fields } from '../../http/form-body.ts';
import { maskedKey } from '../authenticate.ts';
import type { Behaviour } from '../faults/behaviour.ts';
import { v2ListPage } from '../objects/list-page.ts';
import { permissionsInForce, type RestrictedKey, statusOf } from './key-state.ts';
import type { Caller, KeyStore } from './key-store.ts';

/** Where Stripe's Managed API Keys API lies; the SDK has no methods for it, so the catalog does not either. */
export const KEYS_PATH = '/v2/iam/api_keys';

export interface ManagedKeyCall {
  readonly method: string;
  readonly path: string;
  readonly query: Fields;
  readonly body: Fields;
  readonly caller: Caller;
  readonly version: string;
  readonly now: number;
}

export interface ManagedKeyServer {
  readonly catalog: Catalog;
  readonly keys: KeyStore;
  readonly behaviour: Behaviour;
}

/** Longest overlap that `rotate` takes. @see docs/observed.md */
const LONGEST_OVERLAP_MINUTES = 10_080;
const SMALLEST_RSA_BITS = 2_048;

const publicKeySchema = z.strictObject({
  pem_key: z.strictObject({ algorithm: z.literal('RSA'), data: z.string() }),
});
const names = z.array(z.string());
const updateShape = {
  name: z.string().optional(),
  note: z.string().nullish(),
  permissions: names.optional(),
  connect_permissions: names.optional(),
};
const createSchema = z.strictObject({
  ...updateShape,
  type: z.literal('secret_key'),
  expires_at: z.iso.datetime({ offset: true }).nullish(),
  public_key: publicKeySchema.optional(),
});
const updateSchema = z.strictObject(updateShape);
const rotateSchema = z.strictObject({
  expire_current_key_in_minutes: z.int().nonnegative().max(LONGEST_OVERLAP_MINUTES).optional(),
  public_key: publicKeySchema.optional(),
});

/** Serves the managed key API with its measured quirks; undefined for a path that it does not have. */
export async function serveManagedKeys(
  call: ManagedKeyCall,
  server: ManagedKeyServer,
): Promise<Answer | undefined> {
  const route = routeOf(call.path);
  if (route === undefined) return undefined;
  if (server.behaviour.keyApi === 'missing') return undefined;
  if (server.behaviour.recordRefused && call.method === 'GET') return undefined;
  if (!/\.preview$/.test(call.version)) {
    return v2Error(400, 'This endpoint needs a preview API version, such as 2026-08-26.preview.');
  }
  const { id, action } = route;
  switch (`${call.method} ${id === undefined ? 'keys' : 'key'}${action === undefined ? '' : ` ${action}`}`) {
    case 'POST keys':
      return createKey(call, server);
    case 'GET keys':
      return listKeys(call, server);
    case 'GET key':
      return withKey(id, call, server, async (key) => recordOf(key, call.now, server));
    case 'POST key':
      return updateKey(id ?? '', call, server);
    case 'POST key expire':
      return expireKey(id ?? '', call, server);
    case 'POST key rotate':
      return rotateKey(id ?? '', call, server);
    default:
      return undefined;
  }
}

/** `/v2/iam/api_keys[/{id}[/{action}]]` */
function routeOf(path: string): { readonly id?: string; readonly action?: string } | undefined {
  const match = /^\/v2\/iam\/api_keys(?:\/([^/]+)(?:\/(expire|rotate))?)?$/.exec(path);
  if (match === null) return undefined;
  const [, id, action] = match;
  return { id, action };
}

async function createKey(call: ManagedKeyCall, server: ManagedKeyServer): Promise<Answer> {
  const { livemode } = call.caller;
  const fields = createSchema.safeParse(call.body);
  if (!fields.success) return invalid(fields.error, Object.keys(createSchema.shape));
  const {
    name,
    note,
    permissions = [],
    connect_permissions: connect = [],
    expires_at,
    public_key,
  } = fields.data;
  const unknown = [...permissions, ...connect].find((one) => server.catalog.permission(one) === undefined);
  if (unknown !== undefined) return v2Error(400, `permissions: Unknown permission '${unknown}'`);
  if (permissions.length === 0) return v2Error(400, 'permissions: At least one permission is required');
  const seal = await sealFor(public_key, livemode, server.behaviour);
  if ('refusal' in seal) return seal.refusal;
  const key = await server.keys.create({
    name: name ?? '',
    note: note ?? null,
    permissions: [...new Set([...permissions, ...server.behaviour.grantsMore])],
    connectPermissions: [...new Set([...connect, ...server.behaviour.grantsMoreConnect])],
    livemode,
    madeBy: 'managed',
    expiresAt: expires_at == null ? null : Date.parse(expires_at),
  });
  return {
    status: 200,
    body: { ...keyJson(key, call.now, server.keys), secret_key: await seal.secret(server.keys.tokenOf(key)) },
  };
}

function listKeys({ query, path, caller, now }: ManagedKeyCall, server: ManagedKeyServer): Answer {
  const { keys } = server;
  const unknown = Object.keys(query).find((name) => !['limit', 'page', 'include_expired'].includes(name));
  if (unknown !== undefined)
    return v2Error(400, `${unknown}: Unknown field, did you mean limit, include_expired?`);
  const all = keys
    .all()
    .filter((key) => key.livemode === caller.livemode)
    .filter((key) => query.include_expired === 'true' || statusOf(key, now) === 'active');
  const answer = v2ListPage(all, path, query);
  if (answer.status !== 200) return answer;
  const page = answer.body as { data: RestrictedKey[] };
  return { status: 200, body: { ...page, data: page.data.map((key) => recordOf(key, now, server)) } };
}

async function updateKey(id: string, call: ManagedKeyCall, server: ManagedKeyServer): Promise<Answer> {
  const fields = updateSchema.safeParse(call.body);
  if (!fields.success) return invalid(fields.error, Object.keys(updateSchema.shape));
  const { name, note, permissions, connect_permissions: connect } = fields.data;
  const unknown = [...(permissions ?? []), ...(connect ?? [])].find(
    (one) => server.catalog.permission(one) === undefined,
  );
  if (unknown !== undefined) return v2Error(400, `permissions: Unknown permission '${unknown}'`);
  return withKey(id, call, server, async () => {
    const changed = await server.keys.update(id, (key) => ({
      ...key,
      name: name ?? key.name,
      note: note === undefined ? key.note : note,
      // Measured: an empty list is answered with 200 and changes nothing.
      permissions: permissions === undefined || permissions.length === 0 ? key.permissions : permissions,
      connectPermissions: connect ?? key.connectPermissions,
      before: inForceUntil(call.now + server.behaviour.narrowingDelayMs, permissionsInForce(key, call.now)),
    }));
    return changed === undefined ? undefined : keyJson(changed, call.now, server.keys);
  });
}

function inForceUntil(
  until: number,
  { permissions, connectPermissions }: ReturnType<typeof permissionsInForce>,
): RestrictedKey['before'] {
  return { permissions: [...permissions], connectPermissions: [...connectPermissions], until };
}

/** Measured: the key goes on working for seconds, while the API says that it is expired. */
function expireKey(id: string, call: ManagedKeyCall, server: ManagedKeyServer): Promise<Answer> {
  return withKey(id, call, server, async () => {
    const changed = await server.keys.update(id, (key) =>
      key.expiredAt === null
        ? { ...key, expiredAt: call.now, deadAt: call.now + server.behaviour.expiryDelayMs }
        : key,
    );
    return changed === undefined ? undefined : keyJson(changed, call.now, server.keys);
  });
}

/** Measured: the old token is dead at once, whatever overlap was asked for, and the old id answers 404. */
async function rotateKey(id: string, call: ManagedKeyCall, server: ManagedKeyServer): Promise<Answer> {
  const fields = rotateSchema.safeParse(call.body);
  if (!fields.success) return invalid(fields.error, Object.keys(rotateSchema.shape));
  const seal = await sealFor(fields.data.public_key, call.caller.livemode, server.behaviour);
  if ('refusal' in seal) return seal.refusal;
  return withKey(id, call, server, async () => {
    const made = await server.keys.rotate(id);
    return made === undefined
      ? undefined
      : { ...keyJson(made, call.now, server.keys), secret_key: await seal.secret(server.keys.tokenOf(made)) };
  });
}

async function withKey(
  id: string | undefined,
  { caller }: ManagedKeyCall,
  { keys }: ManagedKeyServer,
  work: (key: RestrictedKey) => Promise<unknown>,
): Promise<Answer> {
  const key = keys.find(id ?? '');
  const body = key !== undefined && key.livemode === caller.livemode ? await work(key) : undefined;
  return body === undefined ? v2Error(404, `No such api key: ${id}`, 'not_found') : { status: 200, body };
}

/** A key as the API shows it: on request with less than it holds. */
function recordOf(key: RestrictedKey, now: number, { keys, behaviour }: ManagedKeyServer): object {
  const shown = (names: readonly string[]) => names.filter((name) => !behaviour.recordOmits.includes(name));
  return {
    ...keyJson(key, now, keys),
    permissions: shown(key.permissions),
    connect_permissions: shown(key.connectPermissions),
  };
}

/** A key object; in test mode with its secret in plaintext, in a list too, as measured. */
function keyJson(key: RestrictedKey, now: number, keys: KeyStore): Record<string, unknown> {
  const token = keys.tokenOf(key);
  return {
    id: key.id,
    object: 'v2.iam.api_key',
    type: 'secret_key',
    name: key.name,
    note: key.note,
    permissions: key.permissions,
    connect_permissions: key.connectPermissions,
    created: new Date(key.createdAt).toISOString(),
    expires_at: key.expiresAt === null ? null : new Date(key.expiresAt).toISOString(),
    last_used: null,
    livemode: key.livemode,
    status: statusOf(key, now),
    ip_allowlist: [],
    managed_by: null,
    secret_key: {
      secret_token_redacted: maskedKey(token),
      ...(key.livemode ? {} : { token }),
    },
  };
}

/** In live mode the secret is sealed for the public key that was sent along (RFC 7516). */
async function sealFor(
  publicKey: z.infer<typeof publicKeySchema> | undefined,
  livemode: boolean,
  { jweAlgorithm }: Behaviour,
): Promise<{ secret: (token: string) => Promise<object> } | { refusal: Answer }> {
  if (!livemode) return { secret: async (token) => ({ token, secret_token_redacted: maskedKey(token) }) };
  if (publicKey === undefined) {
    return {
      refusal: v2Error(400, 'public_key: A public key is required to create secret keys in live mode'),
    };
  }
  const recipient = readPublicKey(publicKey.pem_key.data);
  if (recipient === undefined) {
    return {
      refusal: v2Error(
        400,
        `public_key: Must be an RSA key of at least ${SMALLEST_RSA_BITS} bits in PEM form`,
      ),
    };
  }
  const { CompactEncrypt } = await import('jose');
  return {
    secret: async (token) => ({
      encrypted_secret: {
        ciphertext: await new CompactEncrypt(new TextEncoder().encode(token))
          .setProtectedHeader({ alg: jweAlgorithm, enc: 'A256GCM' })
          .encrypt(recipient),
        format: 'jwe_compact',
      },
      secret_token_redacted: maskedKey(token),
    }),
  };
}

function readPublicKey(pem: string): KeyObject | undefined {
  try {
    const key = createPublicKey(pem);
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
    return key.asymmetricKeyType === 'rsa' && bits >= SMALLEST_RSA_BITS ? key : undefined;
  } catch {
    return undefined;
  }
}

/** Measured: `status: Unknown field, did you mean name, note?` */
function invalid(error: z.ZodError, fields: readonly string[]): Answer {
  const issue = error.issues[0];
  if (issue?.code === 'unrecognized_keys') {
    return v2Error(400, `${issue.keys[0]}: Unknown field, did you mean ${fields.slice(0, 2).join(', ')}?`);
  }
  return v2Error(400, `${issue?.path.join('.') || 'body'}: ${issue?.message}`);
}

export function v2Error(status: number, message: string, code = 'invalid_fields'): Answer {
  return errorAnswer(status, { code, message });
}
