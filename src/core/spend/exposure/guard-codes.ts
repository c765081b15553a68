/** Every code with which the guard refuses. docs/guard.md has a line for each. */
export const GUARD_CODES = [
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
  // In Stripe's own words, since SDKs know them.
  'idempotency_error',
  'idempotency_key_in_use',
] as const;
export type GuardCode = (typeof GUARD_CODES)[number];
