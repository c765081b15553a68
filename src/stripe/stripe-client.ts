import type http from 'node:http';
import Stripe from 'stripe';
import { LONGEST_TIMER_MS } from '../core/duration.ts';
import { KeyauditError } from '../core/error.ts';
import type { SecretKey } from '../core/secret-key.ts';
import { agentFor } from '../http/in-process.ts';

export interface StripeClientOptions {
  readonly key: SecretKey;
  /** Origin of the server; Stripe's own hosts when it is https://api.stripe.com. */
  readonly apiBase: string;
  /** Sent as `Stripe-Version`. */
  readonly apiVersion: string;
  /** For one attempt, in ms. */
  readonly timeoutMs?: number;
  readonly httpClient?: Stripe.HttpClient;
}

const STRIPE_API_BASE = 'https://api.stripe.com';

/** Default patience for one attempt, in ms. */
export const DEFAULT_TIMEOUT_MS = 20_000;

/**
 * The official SDK for one key: never retries by itself, sends no telemetry, and takes the key for this
 * client alone. Another `apiBase` takes the place of all of Stripe's hosts (files, connect, …).
 */
export function createStripeClient(options: StripeClientOptions): Stripe {
  const url = new URL(options.apiBase);
  requirePrivateWay(options.key, url);
  return new Stripe(options.key.reveal(), {
    // The SDK's type only knows its own version; the catalog's is that of the SDK it was made from.
    apiVersion: options.apiVersion as Stripe.StripeConfig['apiVersion'] & string,
    maxNetworkRetries: 0,
    telemetry: false,
    timeout: Math.min(options.timeoutMs ?? DEFAULT_TIMEOUT_MS, LONGEST_TIMER_MS),
    httpClient: options.httpClient,
    ...(url.origin === STRIPE_API_BASE
      ? {}
      : {
          host: url.hostname.replace(/^\[|\]$/g, ''),
          port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port),
          protocol: url.protocol === 'https:' ? 'https' : 'http',
        }),
  });
}

/**
 * A live key goes over an encrypted connection, or stays on this machine.
 * @throws KeyauditError `LIVE_IN_CLEAR_TEXT`
 */
function requirePrivateWay(key: SecretKey, url: URL): void {
  if (!key.countsAsLive || url.protocol === 'https:' || LOOPBACK.test(url.hostname)) return;
  throw new KeyauditError('LIVE_IN_CLEAR_TEXT', `A live key would go to ${url.host} in clear text.`, {
    hint: 'Live keys are sent by https, or to a server on this machine.',
  });
}

const LOOPBACK = /^(?:localhost|.+\.localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** A keep-alive agent for a server, with at most `maxSockets` connections. */
export function createAgent(apiBase: string, maxSockets: number): http.Agent {
  const options = { keepAlive: true, maxSockets, scheduling: 'lifo' } as const;
  return agentFor(apiBase, options);
}
