import type { Operation, OperationName } from '../catalog/catalog.ts';
import type { Target } from '../target.ts';

/**
 * Why no answer of a target can tell whether a key may call an operation. `oauth`: Stripe answers in OAuth's
 * form, which says nothing about permissions. `session-token`: the call takes the token of a session, and answers
 * 401 to every API key. `stripe-mock`: its specification does not have the call.
 * `blind`: calibration has shown that every key gets the same answer. `unsafe`: calibration has shown that
 * the probe is not harmless, so it is never sent again.
 */
export type UnansweredReason = 'oauth' | 'session-token' | 'stripe-mock' | 'blind' | 'unsafe';

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

/**
 * Why a target's answer could not tell; undefined where it can. A call that the gate in front of stripe-mock
 * refuses is answered, whether stripe-mock has it or not; one that gets through says that it is unknown, and
 * never passes.
 */
export function unansweredBy(
  target: Target,
  operation: Operation,
  { isAllowed }: { readonly isAllowed: boolean },
): UnansweredReason | undefined {
  switch (target) {
    case 'sandbox':
      return undefined;
    case 'stripe':
      if (operation.host === 'connect') return 'oauth';
      return operation.host === 'meter-events' ? 'session-token' : undefined;
    case 'stripe-mock':
      return isAllowed &&
        (operation.host === 'connect' ||
          operation.path.startsWith('/v2/') ||
          NEWER_THAN_STRIPE_MOCK.has(operation.name))
        ? 'stripe-mock'
        : undefined;
  }
}
