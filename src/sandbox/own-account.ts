/** The account that the sandbox's keys belong to. */
export const OWN_ACCOUNT = 'acct_1SandboxOfKeyaudit';

/** Whether a `Stripe-Account` header names another account than the sandbox's own. */
export function isConnected(account: string | undefined): account is string {
  return account !== undefined && account !== OWN_ACCOUNT;
}
