import Stripe from 'stripe';
import { z } from 'zod';
import { EXIT, KeyauditError } from '../../core/error.ts';
import { SecretKey } from '../../core/secret-key.ts';
import { boundedHttpClient } from '../bounded-http-client.ts';
import { createStripeClient } from '../stripe-client.ts';
import type { KeyApi } from './key-api.ts';
import { createManagedKeyApi, keyApiError, type ManagedKeyApiOptions } from './managed-key-api.ts';

/** The last second that a date can name. */
const LAST_SECOND = 8_640_000_000_000;

const madeSchema = z.object({
  id: z.string(),
  created: z.number().min(0).max(LAST_SECOND),
  livemode: z.boolean(),
  secret: z.string().optional(),
  token: z.string().optional(),
});

/**
 * `POST /v1/restricted_keys` as guides describe it (`name`, `restrictions[RESOURCE]=LEVEL`). Stripe's public
 * reference does not list it, and nobody describes how it ends a key, so all but making goes by the
 * managed key API. @see docs/observed.md
 */
export function createRestrictedKeysApi(
  options: ManagedKeyApiOptions & { readonly apiVersion: string },
): KeyApi {
  const managed = createManagedKeyApi(options);
  const client = createStripeClient({
    key: options.secretKey,
    apiBase: options.apiBase,
    apiVersion: options.apiVersion,
    httpClient: boundedHttpClient(options.apiBase),
  });
  return {
    ...managed,
    kind: 'restricted_keys',
    create: async (wanted) => {
      const body = { name: wanted.name, restrictions: Object.fromEntries(wanted.restrictions) };
      const answer: unknown = await client
        .rawRequest('POST', '/v1/restricted_keys', body, {
          idempotencyKey: wanted.idempotencyKey,
          stripeContext: options.context,
        })
        .catch((error: unknown) => {
          throw unavailable(error) ?? keyApiError(error, options.secretKey);
        });
      const made = madeSchema.safeParse(answer);
      const secret = made.data?.secret ?? made.data?.token;
      if (made.data === undefined || secret === undefined) {
        throw new KeyauditError('KEY_API_ANSWER', 'POST /v1/restricted_keys answered in an unknown form.', {
          hint: 'Look in the Dashboard for a stray key, and use --key-api managed or dashboard.',
          exitCode: EXIT.undetermined,
        });
      }
      const { id, created, livemode } = made.data;
      return {
        id,
        secret: SecretKey.of(secret),
        mode: livemode ? 'live' : 'test',
        permissions: wanted.permissions,
        createdAt: new Date(created * 1000),
      };
    },
  };
}

function unavailable(error: unknown): KeyauditError | undefined {
  if (!(error instanceof Stripe.errors.StripeError) || error.statusCode !== 404) return undefined;
  return new KeyauditError('KEY_API_UNAVAILABLE', 'This server has no POST /v1/restricted_keys.', {
    hint: "Stripe's public reference does not list it. Use --key-api managed, dashboard or auto.",
  });
}
