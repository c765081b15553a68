import type { Cause } from './read-cause.ts';
import type { Refusal } from './refusal.ts';

/** Why a request got no answer. `given-up`: none was sent any more, since those before it got none. */
export type Failure = 'timeout' | 'reset' | 'refused' | 'dns' | 'tls' | 'aborted' | 'given-up' | 'other';

/** Why an answer cannot be Stripe's own. */
export type Foreign = 'redirect' | 'html' | 'not-json' | 'not-stripe' | 'no-request-id';

/** What a 401 says of the key. */
export type Unauthorized =
  | 'invalid-key'
  | 'expired-key'
  | 'ip-address'
  | 'publishable-key'
  | 'no-key'
  | 'other';

/** What came back for a probe; never a body, and no message, since a 401 may echo the key. */
export interface Observation {
  /** Absent when no answer came; `failure` says why. */
  readonly status?: number;
  readonly failure?: Failure;
  readonly foreign?: Foreign;
  readonly requestId?: string;
  readonly errorType?: string;
  readonly errorCode?: string;
  /** Of a 403 in one of Stripe's wordings. */
  readonly refusal?: Refusal;
  /** Of a 4xx that is about something else than the key's permissions. */
  readonly cause?: Cause;
  /** Of a 404 that says in words that there is no such URL, whatever its code. */
  readonly unknownUrl?: boolean;
  /** Of a 401. */
  readonly unauthorized?: Unauthorized;
  /** The header `Stripe-Rate-Limited-Reason` of a 429. */
  readonly rateLimitedReason?: string;
  /** The id of the object, when a write was answered 2xx. */
  readonly createdObject?: string;
  /** From sending to the last byte of the last attempt, in ms. */
  readonly timeMs: number;
  readonly attempts: number;
}
