import { randomBytes } from 'node:crypto';
import type { GuardCode } from '../core/spend/exposure/guard-codes.ts';
import type { Answer } from '../http/answer.ts';

/** How a code is answered. `retry`: what `Stripe-Should-Retry` says; undefined where the status says it. */
interface Manner {
  readonly status: number;
  readonly type: 'invalid_request_error' | 'idempotency_error' | 'api_error';
  readonly retry?: boolean;
  /** What whoever reads it should do. */
  readonly advice: string;
}

/**
 * 403 raises a permission error in every SDK, and none sends it again. 402 would be a card's fault, which agents answer
 * with another card; 429 asks to be sent again.
 */
const MANNERS: Readonly<Record<GuardCode, Manner>> = {
  keyaudit_ambiguous_request: refused(400, 'Do not retry; send it as the API reference has it.'),
  keyaudit_amount_unknown: refused(403, 'Do not retry as it is; name the amount, or ask a person.'),
  keyaudit_currency_not_capped: refused(403, 'Do not retry; ask a person for a cap in this currency.'),
  keyaudit_operation_not_allowed: refused(403, 'Do not retry; it is not part of this task.'),
  keyaudit_repeated_call: refused(
    403,
    'Do not retry; look up what the first call did. If it is meant, ask a person.',
  ),
  keyaudit_run_ended: refused(401, 'Stop; this run is over.'),
  keyaudit_run_expired: refused(401, 'Stop; ask a person for a new run key.'),
  keyaudit_run_killed: refused(401, 'Stop; a person has ended this run.'),
  keyaudit_run_unknown: refused(401, 'Stop; ask a person for a run key.'),
  keyaudit_spend_cap_exceeded: refused(403, 'Do not retry; ask a person to raise the cap.'),
  keyaudit_unknown_operation: refused(403, 'Do not retry; check the method and the path.'),
  keyaudit_outcome_unknown: {
    status: 504,
    type: 'api_error',
    retry: true,
    advice: 'Send it again with the same Idempotency-Key to learn the outcome, never with another.',
  },
  keyaudit_unavailable: { status: 503, type: 'api_error', retry: true, advice: 'It can be sent again.' },
  keyaudit_upstream_unreachable: {
    status: 502,
    type: 'api_error',
    retry: true,
    advice: 'It can be sent again.',
  },
  idempotency_error: {
    status: 400,
    type: 'idempotency_error',
    retry: false,
    advice:
      'Keys for idempotent requests can only be used with the same parameters they were first used with.',
  },
  idempotency_key_in_use: {
    status: 409,
    type: 'idempotency_error',
    advice: 'Another request with this key is on its way; send it again in a moment.',
  },
};

function refused(status: number, advice: string): Manner {
  return { status, type: 'invalid_request_error', retry: false, advice };
}

/** Why the guard does not let a call through. */
export interface Refusal {
  readonly code: GuardCode;
  /** What was asked and what is left, without a full stop. */
  readonly why: string;
  readonly param?: string | undefined;
}

/** What a refusal says to whoever asked. @param what the operation, or method and path */
export function refusalAnswer(
  { code, why, param }: Refusal,
  what: string,
  docs: string,
): Answer & { readonly requestId: string } {
  const { status, type, retry, advice } = MANNERS[code];
  const sent = code === 'keyaudit_outcome_unknown' ? '' : ' Nothing was sent to Stripe.';
  const requestId = `req_guard_${randomBytes(9).toString('base64url').replace(/[-_]/g, 'x')}`;
  return {
    requestId,
    status,
    headers: {
      'Request-Id': requestId,
      'Keyaudit-Guard': 'refused',
      ...(retry === undefined ? {} : { 'Stripe-Should-Retry': String(retry) }),
    },
    body: {
      error: {
        type,
        code,
        message: `keyaudit guard refused ${what} (${code}): ${why}.${sent} ${advice}`,
        param,
        doc_url: `${docs}#${code}`,
      },
    },
  };
}

/** The HTTP status of a refusal. */
export function refusalStatus(code: GuardCode): number {
  return MANNERS[code].status;
}
