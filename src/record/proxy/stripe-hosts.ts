import type { Catalog } from '../../core/catalog/catalog.ts';

/** The hosts that serve Stripe's API: connections to these alone are opened. */
export const STRIPE_HOSTS = [
  'api.stripe.com',
  'files.stripe.com',
  'connect.stripe.com',
  'meter-events.stripe.com',
] as const;

export function isStripeHost(host: string): boolean {
  return (STRIPE_HOSTS as readonly string[]).includes(host.toLowerCase());
}

/** Which of them serves a call that was made to one base address. */
export function hostFor(method: string, url: string, catalog: Catalog): string {
  const [path = ''] = url.split('?', 1);
  return `${catalog.match(method, path)?.operation.host ?? 'api'}.stripe.com`;
}
