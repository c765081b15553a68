import { type LookupAddress, lookup } from 'node:dns';
import { type ClientRequest, request as requestByHttp } from 'node:http';
import { request as requestByHttps } from 'node:https';
import { isIP } from 'node:net';
import type { ObjectStore, StripeObject } from '../objects/object-store.ts';
import { webhookSecret, webhookSignature } from './webhook-secret.ts';

interface Delivery {
  readonly event: StripeObject;
  readonly endpoint: StripeObject;
  readonly url: URL;
  readonly attempt: number;
}

export interface WebhookOptions {
  /** The clock, in ms since 1970. */
  readonly now: () => number;
  /** How long it waits before it tries again, each time, in ms; then it gives up. */
  readonly delaysMs?: readonly number[];
}

/** Stripe tries for hours; a test suite does not last as long. */
const DELAYS_MS = [1_000, 5_000, 25_000, 125_000];
const TIMEOUT_MS = 10_000;
const MOST_AT_ONCE = 10;
const MOST_WAITING = 10_000;

/**
 * Whether events are sent to a URL: to this machine alone, whatever a name resolves to.
 * @see RFC 6761, section 6.3, on `localhost`
 */
export function isLoopbackUrl(text: unknown): boolean {
  try {
    const { hostname, protocol } = new URL(String(text));
    if (protocol !== 'http:' && protocol !== 'https:') return false;
    return (
      hostname === 'localhost' ||
      hostname === '[::1]' ||
      (isIP(hostname) === 4 && hostname.startsWith('127.'))
    );
  } catch {
    return false;
  }
}

/** Sends events to the endpoints that are registered for them, signed, and again where they were not taken. */
export class WebhookSender {
  readonly #options: WebhookOptions;
  readonly #waiting: Delivery[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  #atOnce = 0;
  readonly #sent = new Set<ClientRequest>();
  #isClosed = false;

  constructor(options: WebhookOptions) {
    this.#options = options;
  }

  /** Hands events to every endpoint of the account that asks for them; returns at once. */
  tell(store: ObjectStore, events: () => readonly StripeObject[]): void {
    const endpoints = store.list('webhook_endpoints');
    if (endpoints.length === 0) return;
    for (const event of events()) {
      for (const endpoint of endpoints) {
        if (endpoint.status !== 'enabled' || !wants(endpoint, String(event.type))) continue;
        if (!isLoopbackUrl(endpoint.url)) continue;
        event.pending_webhooks = Number(event.pending_webhooks) + 1;
        this.#queue({ event, endpoint, url: new URL(String(endpoint.url)), attempt: 0 });
      }
    }
  }

  /** Gives up what has not been taken. */
  forget(): void {
    this.#waiting.length = 0;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    for (const request of this.#sent) request.destroy();
  }

  close(): void {
    this.#isClosed = true;
    this.forget();
  }

  #queue(delivery: Delivery): void {
    if (this.#isClosed || this.#waiting.length >= MOST_WAITING) return;
    this.#waiting.push(delivery);
    // The answer to the call goes first.
    setImmediate(() => this.#next());
  }

  #next(): void {
    if (this.#atOnce >= MOST_AT_ONCE) return;
    const delivery = this.#waiting.shift();
    if (delivery === undefined) return;
    this.#atOnce++;
    void this.#send(delivery).then((taken) => {
      this.#atOnce--;
      if (taken) delivery.event.pending_webhooks = Number(delivery.event.pending_webhooks) - 1;
      else this.#later(delivery);
      this.#next();
    });
  }

  #later(delivery: Delivery): void {
    const delay = (this.#options.delaysMs ?? DELAYS_MS)[delivery.attempt];
    if (delay === undefined || this.#isClosed) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      // The endpoint may have been deleted, disabled or moved since.
      const { endpoint } = delivery;
      if (endpoint.status !== 'enabled' || !isLoopbackUrl(endpoint.url)) return;
      this.#queue({ ...delivery, url: new URL(String(endpoint.url)), attempt: delivery.attempt + 1 });
    }, delay);
    timer.unref();
    this.#timers.add(timer);
  }

  /** Whether the endpoint took it: any 2xx. A redirect is not followed. */
  #send({ event, endpoint, url }: Delivery): Promise<boolean> {
    const body = JSON.stringify(event);
    const timestamp = Math.floor(this.#options.now() / 1000);
    const request = url.protocol === 'https:' ? requestByHttps : requestByHttp;
    return new Promise((resolve) => {
      const sent = request(
        url,
        {
          method: 'POST',
          agent: false,
          lookup: lookupLoopback,
          timeout: TIMEOUT_MS,
          // A certificate for this machine is one that nobody else vouches for.
          rejectUnauthorized: false,
          headers: {
            'content-type': 'application/json; charset=utf-8',
            'content-length': Buffer.byteLength(body),
            'stripe-signature': webhookSignature(webhookSecret(endpoint.id), body, timestamp),
            'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
          },
        },
        (response) => {
          response.resume();
          const { statusCode = 0 } = response;
          resolve(statusCode >= 200 && statusCode < 300);
        },
      );
      this.#sent.add(sent);
      sent.on('timeout', () => sent.destroy());
      sent.on('error', () => resolve(false));
      sent.on('close', () => {
        this.#sent.delete(sent);
        resolve(false);
      });
      sent.end(body);
    });
  }
}

function wants({ enabled_events: wanted }: StripeObject, type: string): boolean {
  return Array.isArray(wanted) && (wanted.includes('*') || wanted.includes(type));
}

/** What `localhost` resolves to, as far as that is this machine. */
function lookupLoopback(
  hostname: string,
  options: { readonly all?: boolean },
  done: (error: Error | null, address: string | LookupAddress[], family?: number) => void,
): void {
  lookup(hostname, { all: true }, (error, addresses) => {
    const own = addresses?.filter(({ address }) => address.startsWith('127.') || address === '::1') ?? [];
    const [first] = own;
    if (error !== null || first === undefined) {
      done(error ?? new Error(`${hostname} is not this machine`), []);
    } else if (options.all === true) done(null, own);
    else done(null, first.address, first.family);
  });
}
