import { type Answer, errorAnswer } from '../http/answer.ts';
import type { Caller, KeyStore } from '../sandbox/keys/key-store.ts';

/**
 * Finds out who calls, by Bearer or Basic (the key as user name, no password).
 * @see https://docs.stripe.com/api/authentication
 */
export function authenticate(
  header: string | undefined,
  keys: KeyStore,
): { readonly caller: Caller; readonly token: string } | { readonly refusal: Answer } {
  const token = tokenIn(header);
  if (token === undefined) return { refusal: refusals.missing };
  if (token.startsWith('pk_')) return { refusal: refusals.publishable };
  const caller = keys.authenticate(token);
  if (caller === undefined) return { refusal: invalidKey(token) };
  if (caller === 'expired') return { refusal: expiredKey(token) };
  return { caller, token };
}

function tokenIn(header: string | undefined): string | undefined {
  const [, scheme, value] = /^(bearer|basic)\s+(\S+)\s*$/i.exec(header ?? '') ?? [];
  if (value === undefined) return undefined;
  if (scheme?.toLowerCase() === 'bearer') return value;
  const user = Buffer.from(value, 'base64').toString('utf8').split(':', 1)[0];
  return user === '' ? undefined : user;
}

/** `rk_test_****************1234`: how Stripe shows a key in its messages. */
export function maskedKey(token: string): string {
  const prefix = /^[a-z]+_(?:test|live)_/.exec(token)?.[0] ?? '';
  const rest = token.slice(prefix.length);
  return `${prefix}${'*'.repeat(Math.max(4, Math.min(rest.length, 30) - 4))}${rest.length > 12 ? rest.slice(-4) : ''}`;
}

function invalidKey(token: string): Answer {
  return errorAnswer(401, { message: `Invalid API Key provided: ${maskedKey(token)}` });
}

export function expiredKey(token: string): Answer {
  return errorAnswer(401, {
    code: 'api_key_expired',
    message: `Expired API Key provided: ${maskedKey(token)}`,
  });
}

/** A live key used from an address that its list does not have. */
export function refusedAddress(): Answer {
  return errorAnswer(401, { message: 'The API key provided does not allow requests from your IP address.' });
}

const refusals = {
  missing: errorAnswer(401, {
    message:
      "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
  }),
  publishable: errorAnswer(401, {
    code: 'secret_key_required',
    message: 'This API call cannot be made with a publishable API key. Please use a secret API key.',
  }),
};
