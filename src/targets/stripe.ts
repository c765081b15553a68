import { secretKeyFromEnvironment } from './secret-key-from-environment.ts';
import type { OpenTarget, TargetRequest } from './target.ts';

/** Stripe itself, test mode unless live keys are allowed. */
export async function openStripe(request: TargetRequest): Promise<OpenTarget> {
  return {
    name: 'stripe',
    apiBase: 'https://api.stripe.com',
    note: `Asked Stripe, ${request.live ? 'live keys allowed' : 'test mode'}.`,
    secretKey: () => secretKeyFromEnvironment(request),
    close: async () => {},
  };
}
