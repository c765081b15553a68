import Stripe from 'stripe';
import { z } from 'zod';
import { EXIT, KeyauditError } from '../../core/error.ts';
import { SecretKey } from '../../core/secret-key.ts';
import { boundedHttpClient } from '../bounded-http-client.ts';
import { failureOf } from '../observe.ts';
import { createStripeClient } from '../stripe-client.ts';
import { createTransportKey, decryptSecret } from './jwe.ts';
import type { KeyApi, KeyRequest, KeySummary, MadeKey } from './key-api.ts';

/** The preview that has `/v2/iam/api_keys`. @see docs/observed.md */
export const KEY_API_VERSION = '2026-08-26.preview';

const PATH = '/v2/iam/api_keys';
/** Stripe's largest page. */
const PAGE_SIZE = 100;
/** An account with more keys than these pages hold is one whose list does not end. */
const MOST_PAGES = 500;

export interface ManagedKeyApiOptions {
  /** The secret key that makes keys. */
  readonly secretKey: SecretKey;
  readonly apiBase: string;
  /** `acct_…` that a platform acts on; sent as `Stripe-Context`. */
  readonly context?: string;
  /** Makes the fingerprint of a secret that an answer shows; the secret itself is dropped. */
  readonly fingerprintOf?: (secret: SecretKey) => string;
}

/** A point in time that is one: what follows would take it for a date. */
const timeSchema = z.string().refine((text) => !Number.isNaN(Date.parse(text)));

const keySchema = z.object({
  id: z.string(),
  name: z.string().nullish(),
  note: z.string().nullish(),
  permissions: z.array(z.string()).nullish(),
  connect_permissions: z.array(z.string()).nullish(),
  secret_key: z.object({ token: z.string().nullish() }).nullish(),
  created: timeSchema,
  expires_at: timeSchema.nullish(),
  livemode: z.boolean(),
  status: z.enum(['active', 'expired']),
});

const madeSchema = keySchema.extend({
  secret_key: z.object({
    token: z.string().nullish(),
    encrypted_secret: z.object({ ciphertext: z.string(), format: z.string() }).nullish(),
  }),
});

const pageSchema = z.object({ data: z.array(keySchema), next_page_url: z.string().nullish() });

/** Stripe's Managed API Keys API. Bodies are cut to a narrow shape at once, since lists hold plaintext tokens. */
export function createManagedKeyApi(options: ManagedKeyApiOptions): KeyApi {
  const client = createStripeClient({
    key: options.secretKey,
    apiBase: options.apiBase,
    apiVersion: KEY_API_VERSION,
    httpClient: boundedHttpClient(options.apiBase),
  });
  const request = async (
    method: 'GET' | 'POST',
    path: string,
    body?: object,
    idempotencyKey?: string,
  ): Promise<unknown> => {
    try {
      return await client.rawRequest(method, path, body as Record<string, unknown> | undefined, {
        idempotencyKey,
        stripeContext: options.context,
      });
    } catch (error) {
      throw keyApiError(error, options.secretKey);
    }
  };
  return {
    kind: 'managed',
    create: async (wanted) => {
      const transport = wanted.mode === 'live' ? await createTransportKey() : undefined;
      const made = parse(
        madeSchema,
        await request('POST', PATH, createBody(wanted, transport?.publicPem), wanted.idempotencyKey),
      );
      const { token, encrypted_secret: sealed } = made.secret_key;
      if (sealed != null && transport !== undefined) {
        return madeKey(made, SecretKey.of(await decryptSecret(sealed, transport.privateKey)));
      }
      if (token == null)
        throw new KeyauditError(
          'KEY_API_ANSWER',
          `Stripe made the key ${made.id} but gave no secret for it.`,
          { hint: 'Expire it in the Dashboard and try again.', exitCode: EXIT.undetermined },
        );
      return madeKey(made, SecretKey.of(token));
    },
    async *list() {
      let path: string | undefined = `${PATH}?limit=${PAGE_SIZE}&include_expired=true`;
      for (let pages = 1; path !== undefined; pages++) {
        if (pages > MOST_PAGES) throw endless();
        const page: z.infer<typeof pageSchema> = parse(pageSchema, await request('GET', path));
        yield* page.data.map((key) => summary(key, options.fingerprintOf));
        const next = page.next_page_url;
        path = next == null ? undefined : pathOf(next, options.apiBase);
      }
    },
    retrieve: (id) =>
      unlessGone(async () =>
        summary(
          parse(keySchema, await request('GET', `${PATH}/${encodeURIComponent(id)}`)),
          options.fingerprintOf,
        ),
      ),
    narrow: async (id, permissions, connect = []) => {
      // An empty list is answered with 200 and changes nothing, so it must never be relied on.
      if (permissions.length === 0) throw new RangeError('narrow to at least one permission');
      const body = connect.length === 0 ? { permissions } : { permissions, connect_permissions: connect };
      await request('POST', `${PATH}/${encodeURIComponent(id)}`, body);
    },
    expire: async (id) => {
      const done = await unlessGone(() => request('POST', `${PATH}/${encodeURIComponent(id)}/expire`, {}));
      return done === undefined ? 'already-gone' : 'expired';
    },
  };
}

function createBody(wanted: KeyRequest, publicPem: string | undefined): object {
  return {
    type: 'secret_key',
    name: wanted.name,
    note: wanted.note,
    permissions: wanted.permissions,
    ...(wanted.connectPermissions.length === 0 ? {} : { connect_permissions: wanted.connectPermissions }),
    expires_at: wanted.expiresAt?.toISOString(),
    ...(publicPem === undefined ? {} : { public_key: { pem_key: { algorithm: 'RSA', data: publicPem } } }),
  };
}

type WireKey = z.infer<typeof keySchema>;

function madeKey(made: WireKey, secret: SecretKey): MadeKey {
  const { id, mode, permissions, createdAt, expiresAt } = summary(made);
  return { id, secret, mode, permissions, createdAt, expiresAt };
}

function summary(key: WireKey, fingerprintOf?: (secret: SecretKey) => string): KeySummary {
  const token = key.secret_key?.token;
  return {
    id: key.id,
    name: key.name ?? '',
    note: key.note ?? undefined,
    permissions: key.permissions ?? [],
    connectPermissions: key.connect_permissions ?? [],
    fingerprint: isKey(token) ? fingerprintOf?.(SecretKey.of(token)) : undefined,
    status: key.status,
    mode: key.livemode ? 'live' : 'test',
    createdAt: new Date(key.created),
    expiresAt: key.expires_at == null ? undefined : new Date(key.expires_at),
  };
}

/** A secret as Stripe writes them; what else stands there has no fingerprint. */
function isKey(token: string | null | undefined): token is string {
  return token != null && /^[\x21-\x7e]{8,500}$/.test(token);
}

/** zod's issues name fields, never values, so no token can slip into an error. */
function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const fields = [...new Set(parsed.error.issues.map((issue) => issue.path.join('.') || 'the answer'))];
  throw new KeyauditError(
    'KEY_API_ANSWER',
    `The key API answered in an unknown form (${fields.join(', ')}).`,
    {
      hint: `keyaudit speaks version ${KEY_API_VERSION} of it.`,
      exitCode: EXIT.undetermined,
    },
  );
}

function endless(): KeyauditError {
  return new KeyauditError('KEY_API_ANSWER', `The list of keys has more than ${MOST_PAGES} pages.`, {
    hint: 'Check what answers there: no account has so many keys.',
    exitCode: EXIT.undetermined,
  });
}

const urlSchema = z.instanceof(URL, { error: 'next_page_url' });

function pathOf(url: string, apiBase: string): string {
  const { pathname, search } = parse(
    urlSchema,
    URL.canParse(url, apiBase) ? new URL(url, apiBase) : undefined,
  );
  return `${pathname}${search}`;
}

async function unlessGone<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof KeyauditError && error.code === 'KEY_NOT_FOUND') return undefined;
    throw error;
  }
}

/** What a refusal of the key API means, in words; Stripe's own message only where it cannot hold a key. */
export function keyApiError(error: unknown, secretKey: SecretKey): KeyauditError {
  if (!(error instanceof Stripe.errors.StripeError)) {
    return new KeyauditError('KEY_API_FAILED', 'The key API could not be asked.', {
      exitCode: EXIT.undetermined,
    });
  }
  const { statusCode, code } = error;
  if (error instanceof Stripe.errors.StripeConnectionError) {
    const failure = failureOf(error);
    if (failure === 'dns' || failure === 'refused') {
      return new KeyauditError(
        'KEY_API_OFFLINE',
        failure === 'dns'
          ? 'The name of the server was not found, so nothing was asked.'
          : 'Nothing listens at the server, so nothing was asked.',
        { hint: 'Check the network and --api-base, then run this again.', exitCode: EXIT.undetermined },
      );
    }
    return new KeyauditError(
      'KEY_API_UNREACHABLE',
      'The key API could not be reached, or the answer was cut off.',
      {
        hint: 'Check the network and --api-base, then run this again.',
        exitCode: EXIT.undetermined,
      },
    );
  }
  if (statusCode === 401) {
    return new KeyauditError('SECRET_KEY_REFUSED', `The secret key (${secretKey}) is not accepted there.`, {
      hint: 'Check STRIPE_SECRET_KEY: wrong, expired, of another account, or of another server.',
    });
  }
  if (statusCode === 403 && secretKey.kind === 'restricted') {
    return new KeyauditError(
      'SECRET_KEY_REFUSED',
      'STRIPE_SECRET_KEY holds a restricted key without api_key_write, which makes no keys.',
      {
        hint: 'Set it to a secret key, or to a restricted key with api_key_write.',
      },
    );
  }
  if (statusCode === 403 || (statusCode === 404 && code !== 'not_found' && code !== 'resource_missing')) {
    return new KeyauditError(
      'KEY_API_UNAVAILABLE',
      'The managed key API is not available to this account or key.',
      {
        hint: 'It is a private preview. "keyaudit provision PROFILE --key-api dashboard" makes a key by hand, and "keyaudit exec PROFILE --stored" lends one that is stored.',
      },
    );
  }
  if (statusCode === 404) return new KeyauditError('KEY_NOT_FOUND', 'There is no such key.');
  if (statusCode === 429 || (statusCode ?? 0) >= 500) {
    return new KeyauditError('KEY_API_FAILED', `The key API failed (HTTP ${statusCode}).`, {
      hint: 'Run this again later.',
      exitCode: EXIT.undetermined,
    });
  }
  if (!isRefusal(statusCode)) {
    return new KeyauditError(
      'KEY_API_ANSWER',
      `The key API answered in an unknown form (${statusCode === undefined ? 'no JSON of Stripe’s' : `HTTP ${statusCode}`}).`,
      {
        hint: 'Whether it did what it was asked is not known. Check --api-base, then run this again.',
        exitCode: EXIT.undetermined,
      },
    );
  }
  return new KeyauditError(
    'KEY_API_REFUSED',
    `The key API refused the request (HTTP ${statusCode}): ${withoutKeys(error.message)}`,
    {
      hint: 'A permission that it does not take can be set by hand: see "keyaudit plan PROFILE" for the Dashboard link.',
    },
  );
}

/** Whether a status says that nothing was done: a timeout, a conflict or a redirection does not. */
function isRefusal(status: number | undefined): boolean {
  return status !== undefined && status >= 400 && status < 500 && ![408, 409, 425].includes(status);
}

/** Stripe's newest refusals bring a link to edit the key, which discloses its id and the account. */
function withoutKeys(message: string): string {
  return message
    .replace(/https?:\/\/dashboard\.stripe\.com\/[^\s"'<>]*/g, '[Dashboard link]')
    .replace(
      /\b(?:(?:sk|rk|pk)_(?:org_)?(?:test|live)|sk|rk|pk|whsec|mk|acct)_[A-Za-z0-9_.*]*[A-Za-z0-9_*]/g,
      '[redacted]',
    );
}
