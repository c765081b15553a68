import { type EffectContext, traitsOf } from './objects/effects/effect.ts';
import type { StripeObject } from './objects/object-store.ts';

/** The account that the sandbox's keys belong to. */
export const OWN_ACCOUNT = 'acct_1SandboxOfKeyaudit';

/** Whether a `Stripe-Account` header names another account than the sandbox's own. */
export function isConnected(account: string | undefined): account is string {
  return account !== undefined && account !== OWN_ACCOUNT;
}

/** The account itself, which is not kept among its objects. */
export function ownAccount(call: Pick<EffectContext, 'livemode' | 'maker' | 'now' | 'store'>): StripeObject {
  const account = call.maker.make('accounts', { id: OWN_ACCOUNT }, traitsOf(call));
  return Object.assign(account, {
    charges_enabled: true,
    country: 'US',
    default_currency: 'usd',
    details_submitted: true,
    email: null,
    payouts_enabled: true,
    type: 'standard',
  });
}
