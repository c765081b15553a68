import type { Operation, OperationName } from '../catalog/catalog.ts';
import type { Target } from '../target.ts';

/**
 * Why no answer of a target can tell whether a key may call an operation. `oauth`: Stripe answers in OAuth's
 * form, which says nothing about permissions. `session-token`: the call takes the token of a session, and answers
 * 401 to every API key. `test-mode`: the call exists in test mode alone, and the key is a live one. `stripe-mock`: its specification does not have the call.
 * `blind`: calibration has shown that every key gets the same answer. `unsafe`: calibration has shown that
 * the probe is not harmless, so it is never sent again.
 */
export const UNANSWERED_REASONS = [
  'oauth',
  'session-token',
  'test-mode',
  'stripe-mock',
  'blind',
  'unsafe',
] as const;
export type UnansweredReason = (typeof UNANSWERED_REASONS)[number];

/**
 * Calls that the SDK has and the specification of stripe-mock v0.203.0 has not, besides all of v2 and OAuth:
 * it answers 404 "Unrecognized request URL". test/peers/stripe-mock.test.ts compares this with a real one.
 */
const NEWER_THAN_STRIPE_MOCK: ReadonlySet<OperationName> = new Set([
  'apps.installs.create',
  'apps.installs.list',
  'apps.installs.retrieve',
  'apps.installs.uninstall',
  'apps.installs.update',
  'productCatalog.trialOffers.create',
  'productCatalog.trialOffers.list',
  'productCatalog.trialOffers.retrieve',
  'productCatalog.trialOffers.update',
  'subscriptions.pause',
  'tax.locations.create',
  'tax.locations.list',
  'tax.locations.retrieve',
  'threeDSecure.authentications.cancel',
  'threeDSecure.authentications.create',
  'threeDSecure.authentications.list',
  'threeDSecure.authentications.retrieve',
  'threeDSecure.authentications.submit',
]);

/** Stripe serves these in test mode alone. */
const TEST_HELPER = /\/test_helpers\//;

/**
 * Why a target's answer could not tell; undefined where it can. A call that the gate in front of stripe-mock
 * refuses is answered, whether stripe-mock has it or not; one that gets through says that it is unknown, and
 * never passes.
 */
export function unansweredBy(
  target: Target,
  operation: Operation,
  { isAllowed, isLive = false }: { readonly isAllowed: boolean; readonly isLive?: boolean },
): UnansweredReason | undefined {
  switch (target) {
    case 'sandbox':
      return undefined;
    case 'stripe':
      if (operation.host === 'connect') return 'oauth';
      if (operation.host === 'meter-events') return 'session-token';
      return isLive && TEST_HELPER.test(operation.path) ? 'test-mode' : undefined;
    case 'stripe-mock':
      return isAllowed &&
        (operation.host === 'connect' ||
          operation.path.startsWith('/v2/') ||
          NEWER_THAN_STRIPE_MOCK.has(operation.name))
        ? 'stripe-mock'
        : undefined;
  }
}
