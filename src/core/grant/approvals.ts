import type { OperationName } from '../catalog/catalog.ts';

/**
 * The actions that a rule of Approvals can hold until a person approves them (Settings, Approvals), with the calls that
 * do them. Whether an account has such rules no restricted key can see.
 * @see docs/observed.md, "Approvals"
 */
const ACTIONS: Readonly<Record<string, readonly OperationName[]>> = {
  'refund created': ['refunds.create'],
  'payment intent created': ['paymentIntents.create'],
  'invoice created': ['invoices.create'],
  'subscription created': ['subscriptions.create'],
  'subscription cancelled': ['subscriptions.cancel'],
  'bank account added or updated': [
    'accounts.createExternalAccount',
    'accounts.updateExternalAccount',
    'customers.createSource',
    'customers.updateSource',
  ],
  'bank account deleted': ['accounts.deleteExternalAccount', 'customers.deleteSource'],
};

/** What of a key's calls Stripe can be told to hold: the actions, in Stripe's words. */
export function approvableActions(allowed: ReadonlySet<OperationName>): readonly string[] {
  return Object.entries(ACTIONS).flatMap(([action, calls]) =>
    calls.some((name) => allowed.has(name)) ? [action] : [],
  );
}
