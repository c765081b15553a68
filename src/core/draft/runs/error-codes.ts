import { encodedValues } from '../../catalog/data/types.ts';
import { GUARD_CODES } from '../../spend/exposure/guard-codes.ts';

/** What `error.type` says, and codes of refusals and of v2 that stripe-node does not declare. docs/observed.md quotes them. */
const BESIDES = [
  'api_error',
  'authentication_error',
  'card_error',
  'forbidden',
  'idempotency_error',
  'invalid_request_error',
  'more_permissions_required',
  'not_found',
  'oauth_not_supported',
  'rate_limit_error',
  'unauthorized',
];

/** What Stripe, and a guard before it, say in `error.code` and `error.type`. Load this module only where calls are recorded, for its data. */
export function errorCodes(): ReadonlySet<string> {
  const declared = encodedValues.split('\n').find((line) => / api_key_expired .* card_declined /.test(line));
  return new Set([...(declared ?? '').split(' '), ...BESIDES, ...GUARD_CODES]);
}
