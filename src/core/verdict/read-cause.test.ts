import { describe, expect, it } from 'vitest';
import { type Cause, readCause } from './read-cause.ts';

const words: readonly (readonly [Cause, number, string])[] = [
  [
    'product-off',
    400,
    'Your account is not set up to use Issuing. Please visit https://dashboard.stripe.com/x.',
  ],
  ['product-off', 400, "Your account isn't currently enabled for Treasury."],
  ['product-off', 400, 'You must first enable Climate on your account.'],
  ['product-off', 403, 'Capital is not available for your account.'],
  ['product-off', 400, 'Feature unavailable for this merchant.'],
  [
    'connect-off',
    400,
    "You can only create new accounts if you've signed up for Connect, which you can do there.",
  ],
  ['mode', 400, 'Only live keys can access this method.'],
  ['mode', 400, 'This call is only available in test mode.'],
  ['mode', 403, 'Test clocks can be used only with test keys.'],
  ['mode', 400, 'This is not supported in live mode.'],
  ['publishable-key-only', 400, 'This token must be created with a publishable key.'],
  ['sensitive-results', 403, 'To access sensitive verification results, configure a restricted API key.'],
  ['idle-key', 403, 'This API key has not been used for payouts in 180 days and has limited access.'],
  ['approval-required', 400, 'This action requires approval before it can be completed.'],
];

const codes: readonly (readonly [Cause, number, string])[] = [
  ['product-off', 400, 'feature_not_enabled'],
  ['accounts-v2-off', 400, 'accounts_v2_access_blocked'],
  ['connect-off', 400, 'non_connect_platform_accounts_v2_access_blocked'],
  ['publishable-key-only', 400, 'token_must_be_created_with_publishable_key'],
  ['token', 403, 'invalid_account_token'],
  ['token', 403, 'invalid_person_token'],
  ['application', 403, 'more_permissions_required_for_application'],
  ['session', 403, 'more_permissions_required_for_session'],
  ['session', 401, 'billing_meter_event_session_expired'],
  ['controlled-elsewhere', 400, 'blocked_by_stripe'],
  ['v2-forbidden', 403, 'forbidden'],
  ['approval-required', 402, 'approval_required'],
];

/** What Stripe says to a key that may: the probes rest on these. */
const parameters = [
  'Missing required param: amount.',
  'Received unknown parameter: keyaudit_probe',
  'Invalid currency: keyaudit. Stripe currently supports these currencies: usd, aed, afn',
  "You passed an empty string for 'name'. We assume empty values are an attempt to unset a parameter; however 'name' cannot be unset.",
  'Invalid card_present: must be one of test, live',
  'One of the following params should be provided for this request: payout_method or destination.',
  'This property cannot be expanded (metadata).',
];

describe('readCause', () => {
  it.each(words)('reads %s off the words of HTTP %i: %s', (cause, status, message) => {
    expect(readCause(status, { message, type: 'invalid_request_error' })).toBe(cause);
  });

  it.each(codes)('reads %s off HTTP %i with the code %s, whatever the words', (cause, status, code) => {
    expect(readCause(status, { message: '', code })).toBe(cause);
  });

  it('reads the v2 types too', () => {
    expect(readCause(400, { message: '', type: 'controlled_by_dashboard' })).toBe('controlled-elsewhere');
  });

  it.each(parameters)('leaves a refusal of the parameters alone: %s', (message) => {
    expect(readCause(400, { message, code: 'parameter_invalid_empty' })).toBeUndefined();
  });

  it('never takes a dead key, a missing object, a rate limit or a fault for one', () => {
    const message = 'Your API key has not been used and is not enabled in test mode.';
    expect(readCause(401, { message })).toBeUndefined();
    expect(readCause(404, { message, code: 'resource_missing' })).toBeUndefined();
    expect(readCause(429, { message, code: 'feature_not_enabled' })).toBeUndefined();
    expect(readCause(500, { message, code: 'feature_not_enabled' })).toBeUndefined();
  });
});
