// A refund agent's tool: one client for one key, refusals raised and never retried, rate limits retried.
// Run it by: keyaudit exec refund-agent -- npx jiti refund-agent.ts ch_…
import { setTimeout as delay } from 'node:timers/promises';
import Stripe from 'stripe';

/** The client of one agent. The key comes from this agent's own variable, and from nowhere else. */
export function createClient(variable: string): Stripe {
  const key = process.env[variable];
  if (key === undefined || !key.startsWith('rk_')) {
    throw new Error(`${variable} must hold a restricted key (rk_…).`);
  }
  const base = process.env.KEYAUDIT_API_BASE; // set by "keyaudit exec" on its sandbox
  const url = base === undefined ? undefined : new URL(base);
  return new Stripe(key, {
    maxNetworkRetries: 0, // retried below, where a refusal is told from a rate limit
    ...(url === undefined ? {} : { host: url.hostname, port: url.port, protocol: 'http' }),
  });
}

/** A refusal is a mistake in the key's profile or in the agent: it is logged and raised, never retried. */
export class PermissionRefused extends Error {
  readonly operation: string;
  readonly permission: string;

  constructor(operation: string, error: Stripe.errors.StripePermissionError) {
    const permission = /'(?:rak_)?(\w+_(?:read|write))'/.exec(error.message)?.[1] ?? 'unknown';
    super(`Stripe refused ${operation}: it needs ${permission} (request ${error.requestId}).`);
    this.operation = operation;
    this.permission = permission;
  }
}

const MOST_ATTEMPTS = 5;

/** Calls Stripe; only a rate limit or a fault of the network or of Stripe is tried again, with growing pauses. */
export async function callStripe<T>(operation: string, call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (error instanceof Stripe.errors.StripePermissionError) {
        const refused = new PermissionRefused(operation, error);
        const { permission } = refused;
        console.error(
          JSON.stringify({ level: 'error', event: 'stripe_permission_refused', operation, permission }),
        );
        throw refused;
      }
      const isTransient =
        error instanceof Stripe.errors.StripeRateLimitError ||
        error instanceof Stripe.errors.StripeConnectionError ||
        error instanceof Stripe.errors.StripeAPIError;
      if (!isTransient || attempt === MOST_ATTEMPTS) throw error;
      await delay(Math.random() * Math.min(8_000, 250 * 2 ** attempt));
    }
  }
}

/**
 * Refunds a charge once. The same decision has the same idempotency key, so that an agent which asks
 * three times refunds once: no restricted key limits how often or how much.
 */
export async function refund(stripe: Stripe, charge: string, decision: string): Promise<Stripe.Refund> {
  return callStripe('refunds.create', () =>
    stripe.refunds.create({ charge }, { idempotencyKey: `refund-${charge}-${decision}` }),
  );
}

const [charge, decision = 'customer-request'] = process.argv.slice(2);
if (charge !== undefined) {
  const stripe = createClient('STRIPE_REFUND_AGENT_KEY');
  const made = await refund(stripe, charge, decision);
  console.log(JSON.stringify({ refund: made.id, amount: made.amount, status: made.status }));
}
