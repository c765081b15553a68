import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { type Answer, errorAnswer } from '../../http/answer.ts';
import type { Behaviour } from './behaviour.ts';

/** What is to happen to a request besides being served. */
export type Fault =
  | 'reset'
  | 'hang'
  | 'truncate'
  | { readonly answer: Answer }
  | { readonly foreign: Foreign };
type Foreign = NonNullable<Behaviour['foreign']>;

/** Decides about faults; counts requests, and keeps the bucket of the rate limit. */
export class FaultInjector {
  #requests = 0;
  #keyRequests = 0;
  #keysMade = 0;
  #tokens: number | undefined;
  #filledAt = 0;

  /** The fault of the next request, if any. */
  next(behaviour: Behaviour, now: number): Fault | undefined {
    const count = ++this.#requests;
    const isNth = (n: number | undefined) => n !== undefined && count % n === 0;
    if (isNth(behaviour.resetEvery)) return 'reset';
    if (isNth(behaviour.hangEvery)) return 'hang';
    if (behaviour.foreign !== undefined && count > behaviour.foreignAfter)
      return { foreign: behaviour.foreign };
    if (this.#isOverRate(behaviour.rateLimit, now)) return { answer: rateLimited };
    if (isNth(behaviour.lockTimeoutEvery)) return { answer: lockTimeout };
    if (isNth(behaviour.serverErrorEvery)) return { answer: serverError };
    if (isNth(behaviour.truncateEvery)) return 'truncate';
    return undefined;
  }

  /** Whether this request comes after the restricted keys have died. */
  keysAreDead({ keysDieAfter }: Behaviour): boolean {
    return keysDieAfter !== undefined && ++this.#keyRequests > keysDieAfter;
  }

  /** Whether the answer with this new key gets lost. */
  losesKeyAnswer({ loseKeyAnswerEvery: n }: Behaviour): boolean {
    return n !== undefined && ++this.#keysMade % n === 0;
  }

  /** A token bucket that holds one second's worth, as Stripe's limiters are described. */
  #isOverRate(limit: number | undefined, now: number): boolean {
    if (limit === undefined) return false;
    const filled = (this.#tokens ?? limit) + ((now - this.#filledAt) * limit) / 1_000;
    this.#tokens = Math.min(limit, this.#tokens === undefined ? limit : filled);
    this.#filledAt = now;
    if (this.#tokens < 1) return true;
    this.#tokens--;
    return false;
  }
}

const rateLimited: Answer = {
  ...errorAnswer(429, {
    code: 'rate_limit',
    message:
      'Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.',
  }),
  headers: { 'stripe-rate-limited-reason': 'global-rate' },
};

const lockTimeout = errorAnswer(429, {
  code: 'lock_timeout',
  message:
    'This object cannot be accessed right now because another API request or Stripe process is currently accessing it.',
});

const serverError = errorAnswer(500, {
  type: 'api_error',
  message: 'Sorry! There was an error while talking to one of our backends.',
});

/** What a stranger says: status, content type, text. */
const strangers: Readonly<Record<Exclude<Foreign, 'redirect' | 'no-request-id'>, [number, string, string]>> =
  {
    html: [502, 'text/html', '<html><body><h1>502 Bad Gateway</h1></body></html>'],
    'captive-portal': [
      200,
      'text/html',
      '<html><body>Welcome! Please sign in to use this network.</body></html>',
    ],
    'proxy-403': [403, 'application/json', '{"message":"Forbidden"}'],
    'not-stripe': [403, 'application/json', '{"error":"access_denied"}'],
  };

/** Puts a stranger's answer on the wire. `no-request-id` is Stripe's own answer without that header. */
export function sendForeign(kind: Foreign, response: ServerResponse, answer: Answer): void {
  if (kind === 'redirect') {
    response.writeHead(302, { location: 'http://portal.invalid/login', 'content-length': 0 });
    response.end();
    return;
  }
  const [status, type, text] =
    kind === 'no-request-id'
      ? [answer.status, 'application/json', answer.raw ?? JSON.stringify(answer.body)]
      : strangers[kind];
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

/** Cuts the connection without an answer. */
export function cut(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
}

/** Sends half of a JSON text as if it were all. */
export function truncated(text: string | Buffer): Buffer {
  const bytes = Buffer.from(text);
  return bytes.subarray(0, Math.ceil(bytes.length / 2));
}

/** Sends a body in small pieces over some time. */
export async function drip(
  response: ServerResponse,
  {
    status,
    headers,
    text,
    overMs,
  }: { status: number; headers: Record<string, string | string[]>; text: string | Buffer; overMs: number },
): Promise<void> {
  const bytes = Buffer.from(text);
  response.writeHead(status, { ...headers, 'content-length': bytes.length });
  const pieces = 10;
  const size = Math.ceil(bytes.length / pieces);
  for (let at = 0; at < bytes.length && !response.destroyed; at += size) {
    response.write(bytes.subarray(at, at + size));
    // It must not keep a process alive that has finished with this sandbox.
    await delay(overMs / pieces, undefined, { ref: false });
  }
  response.end();
}
