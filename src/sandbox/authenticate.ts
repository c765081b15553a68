import { credentialsIn } from '../gate/credentials.ts';
import { type Answer, errorAnswer } from '../http/answer.ts';
import type { Caller, KeyStore } from './keys/key-store.ts';

/** Finds out who calls, or how Stripe refuses who cannot be found out. */
export function authenticate(
  header: string | undefined,
  keys: KeyStore,
): { readonly caller: Caller; readonly token: string } | { readonly refusal: Answer } {
  const credentials = credentialsIn(header);
  if (typeof credentials === 'string') return { refusal: refusals[credentials] };
  const { token } = credentials;
  const caller = keys.authenticate(token);
  if (caller === undefined) return { refusal: invalidKey(token) };
  if (caller === 'expired') return { refusal: expiredKey(token) };
  return { caller, token };
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
