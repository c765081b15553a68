import type { OperationName } from '../catalog/catalog.ts';
import type { Grant } from './grant.ts';

/** A rule that an administrator can set at Stripe (Settings, Approvals); it binds agent-tagged keys alone. */
export interface ApprovalRule {
  /** Stripe's words for the action. */
  readonly action: string;
  /** `block`: the profile does not ask for it. `approve`: it does, so a person approves, above an amount where it has one. */
  readonly control: 'block' | 'approve';
  readonly operations: readonly OperationName[];
}

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

/**
 * Which rules would close a grant's widenings and hold its money; one for each action that the key may do, on either
 * side. Whether a rule holds a call with `Stripe-Account` no source says.
 */
export function approvalRules({
  asked: own,
  widenings,
  connect,
}: Pick<Grant, 'asked' | 'widenings' | 'connect'>): readonly ApprovalRule[] {
  const asked = new Set([...own, ...connect.asked]);
  const widened = new Set(widenings.flatMap(({ operations }) => operations));
  return Object.entries(ACTIONS).flatMap(([action, operations]): ApprovalRule[] => {
    const wanted = operations.filter((name) => asked.has(name));
    if (wanted.length > 0) return [{ action, control: 'approve', operations: wanted }];
    const extra = operations.filter((name) => widened.has(name));
    return extra.length > 0 ? [{ action, control: 'block', operations: extra }] : [];
  });
}
