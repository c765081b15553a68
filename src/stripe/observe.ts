import type http from 'node:http';
import Stripe from 'stripe';
import { isRecord } from '../core/document/is-record.ts';
import type { Failure, Foreign, Observation, Unauthorized } from '../core/verdict/observation.ts';
import { readCause } from '../core/verdict/read-cause.ts';
import { readRefusal } from '../core/verdict/refusal.ts';
import type { RefusalDialect } from '../core/verdict/refusal-dialect.ts';
import { boundAnswer } from './bounded-http-client.ts';

/** What one attempt brought, before it is cut down to an observation. */
interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  json?: unknown;
  /** Whether the body was complete JSON of Stripe's form. */
  body: 'stripe' | 'not-stripe' | 'not-json';
}

/** In place of the SDK's error, when an attempt was given up from outside. */
export class GivenUp extends Error {
  readonly failure: Failure;

  constructor(failure: 'timeout' | 'aborted') {
    super(failure);
    this.failure = failure;
  }
}

/**
 * An HTTP client for the SDK that remembers the last answer's status, headers and parsed body, since
 * the SDK's errors drop what tells a stranger's answer from Stripe's. One for each request in flight.
 */
export class ObservingHttpClient {
  readonly client: Stripe.HttpClient;
  #answer: Answer | undefined;
  #attempt = 0;
  #cancel = () => {};

  constructor(agent: http.Agent) {
    this.client = Stripe.createNodeHttpClient(agent);
    const makeRequest = this.client.makeRequest.bind(this.client);
    this.client.makeRequest = async (...request) => {
      const attempt = this.#attempt;
      const response = await makeRequest(...request).catch((error: unknown) => {
        // Without its code: on ECONNRESET the SDK would send again by itself, past pace and deadline.
        throw new Error('no answer', { cause: error });
      });
      const raw = response.getRawResponse() as http.IncomingMessage;
      if (attempt !== this.#attempt) {
        // The answer to an attempt that was given up must not pass for that of the next.
        raw.destroy();
        return response;
      }
      this.#cancel = () => {
        if (!raw.complete) raw.destroy();
      };
      const answer: Answer = {
        status: response.getStatusCode(),
        headers: response.getHeaders(),
        body: 'not-json',
      };
      this.#answer = answer;
      const toJson = response.toJSON.bind(response);
      response.toJSON = async () => {
        boundAnswer(raw);
        const json: unknown = await toJson();
        answer.json = json;
        // Judged here and now: the SDK replaces an `error` that is a string by an object.
        answer.body = hasStripeForm(answer.status, json) ? 'stripe' : 'not-stripe';
        // The SDK comes to no end over a string or a number; what this answer is has been kept.
        return typeof json === 'object' ? json : {};
      };
      return response;
    };
  }

  /** Forgets the last attempt, and breaks off its answer if that still comes in; call before each attempt. */
  reset(): void {
    this.#attempt++;
    this.#answer = undefined;
    this.#cancel();
    this.#cancel = () => {};
  }

  /** Cuts the last attempt down to an observation; body and messages end here. */
  observe(error: unknown, isWrite: boolean, timing: { timeMs: number; attempts: number }): Observation {
    const answer = this.#answer;
    this.reset();
    if (answer === undefined) return { failure: failureOf(error), ...timing };
    const { status } = answer;
    const requestId = wordOf(header(answer, 'request-id'));
    const base = { status, ...timing, requestId };
    const foreign = foreignOf(answer, error);
    // A write that Stripe accepted must not be taken for a fault, and sent again, because its body is odd.
    const accepted = isWrite && status >= 200 && status < 300 && requestId !== undefined;
    if (accepted && foreign !== 'html') return { ...base, ...created(answer, isWrite) };
    if (foreign === 'cut') return { ...timing, failure: failureOf(error) };
    if (foreign !== undefined) return { ...base, foreign };
    return { ...base, ...errorFacts(answer), ...rateLimit(answer), ...created(answer, isWrite) };
  }
}

function hasStripeForm(status: number, json: unknown): boolean {
  return isRecord(json) && (status < 400 || isRecord(json.error));
}

function foreignOf(answer: Answer, error: unknown): Foreign | 'cut' | undefined {
  if (answer.status >= 300 && answer.status < 400) return 'redirect';
  if (/html/i.test(header(answer, 'content-type') ?? '')) return 'html';
  const cut = error instanceof Stripe.errors.StripeConnectionError || error instanceof GivenUp;
  if (answer.body === 'not-json' && cut) return 'cut';
  if (answer.body !== 'stripe') return answer.body;
  if (header(answer, 'request-id') === undefined) return 'no-request-id';
  return undefined;
}

function errorFacts({ status, json }: Answer): Partial<Observation> {
  const error = isRecord(json) && isRecord(json.error) ? json.error : undefined;
  if (error === undefined || status < 400) return {};
  const code = wordOf(error.code);
  const type = wordOf(error.type);
  const message = textOf(error.message) ?? '';
  const param = textOf(error.param);
  const read = status === 403 ? readRefusal(message, code) : undefined;
  const about = readCause(status, { message, code, type, param });
  // A refusal that names nothing may be one of something else, in the same first words.
  const isVague = read !== undefined && REFUSES.has(read.dialect) && read.named.length === 0;
  const isElse = isVague && about !== undefined && about !== 'v2-forbidden';
  const refusal = isElse ? undefined : read;
  return {
    errorType: type,
    errorCode: code,
    refusal,
    cause: refusal === undefined ? about : undefined,
    ...(status === 401 ? { unauthorized: readUnauthorized(message, code) } : {}),
    ...(status === 404 && /unrecognized request url/i.test(message) ? { unknownUrl: true } : {}),
  };
}

/** Dialects that count as forbidden, whether or not they name a permission. */
const REFUSES: ReadonlySet<RefusalDialect> = new Set<RefusalDialect>(['a', 'b', 'c', 'e', 'guide']);

/** What a 401 says of the key. @see docs/observed.md */
export function readUnauthorized(message: string, code: string | undefined): Unauthorized {
  if (code === 'api_key_expired' || /expired api key/i.test(message)) return 'expired-key';
  if (/IP address/i.test(message)) return 'ip-address';
  if (/publishable/i.test(message)) return 'publishable-key';
  if (/did not provide an API key/i.test(message)) return 'no-key';
  return /invalid api key/i.test(message) ? 'invalid-key' : 'other';
}

function rateLimit(answer: Answer): Partial<Observation> {
  const reason = wordOf(header(answer, 'stripe-rate-limited-reason'));
  return reason === undefined ? {} : { rateLimitedReason: reason };
}

function created({ status, json }: Answer, isWrite: boolean): Partial<Observation> {
  if (!isWrite || status >= 300 || !isRecord(json)) return {};
  const id = wordOf(json.id);
  return id === undefined ? {} : { createdObject: id };
}

const failuresByCode: Readonly<Record<string, Failure>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  ETIMEDOUT: 'timeout',
  ECONNABORTED: 'timeout',
  EPROTO: 'tls',
};

/** Why a request got no answer, from whatever the SDK wrapped around the system's error. */
export function failureOf(error: unknown): Failure {
  if (error instanceof GivenUp) return error.failure;
  for (let current = error; isRecord(current) || current instanceof Error; ) {
    const { code, message, detail, cause, exception } = current as Record<string, unknown>;
    const known = typeof code === 'string' ? failuresByCode[code] : undefined;
    if (known !== undefined) return known;
    if (typeof code === 'string' && /^(?:ERR_TLS|ERR_SSL|CERT_|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED)/.test(code))
      return 'tls';
    if (typeof message === 'string' && /timed? ?out/i.test(message)) return 'timeout';
    if (typeof message === 'string' && /socket hang up|aborted|closed/i.test(message)) return 'reset';
    current = detail ?? cause ?? exception;
  }
  return 'other';
}

function header(answer: Answer, name: string): string | undefined {
  const value = answer.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** A code, type, id or reason as Stripe writes them; a sentence in their place is not kept. */
function wordOf(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w.:-]{1,100}$/.test(value) ? value : undefined;
}
