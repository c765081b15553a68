import { encodedValues } from '../../catalog/data/types.ts';

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

/** Those of a guard between the agent and Stripe. A test holds that the guard has no other. */
const OF_THE_GUARD = [
  'keyaudit_ambiguous_request',
  'keyaudit_amount_unknown',
  'keyaudit_currency_not_capped',
  'keyaudit_operation_not_allowed',
  'keyaudit_outcome_unknown',
  'keyaudit_repeated_call',
  'keyaudit_run_ended',
  'keyaudit_run_expired',
  'keyaudit_run_killed',
  'keyaudit_run_unknown',
  'keyaudit_spend_cap_exceeded',
  'keyaudit_unavailable',
  'keyaudit_unknown_operation',
  'keyaudit_upstream_unreachable',
  'idempotency_key_in_use',
];

/** What Stripe says in `error.code` and `error.type`. Load this module only where calls are recorded, for its data. */
export function errorCodes(): ReadonlySet<string> {
  const declared = encodedValues.split('\n').find((line) => / api_key_expired .* card_declined /.test(line));
  return new Set([...(declared ?? '').split(' '), ...BESIDES, ...OF_THE_GUARD]);
}
