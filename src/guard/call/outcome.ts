import type { StripeFacts } from '../../core/spend/exposure/money-call.ts';
import type { Forwarded } from '../../http/forward.ts';
import { factsIn, requestIdOf } from '../upstream.ts';

/** What an answer says of whether a call was carried out. */
export type Outcome =
  /** `isOld`: Stripe says again what it said of an earlier sending; the object may have gone on since. */
  | { readonly kind: 'done'; readonly facts: StripeFacts; readonly isOld: boolean }
  /** Stripe says again what it said when the call was made before. */
  | { readonly kind: 'replayed' }
  | { readonly kind: 'not-done'; readonly why: string }
  /** `isAnswered`: Stripe said something all the same, which the agent may see. */
  | { readonly kind: 'unknown'; readonly why: string; readonly isAnswered: boolean };

/** Answers that come before Stripe does anything. A 402 is a decline; nothing moved. */
const NOT_DONE: ReadonlySet<number> = new Set([400, 401, 402, 403, 404, 429]);
/** Those of them that a call which was carried out before cannot get: its first answer would be said again. */
const SETTLES_EARLIER: ReadonlySet<number> = new Set([400, 402]);

/** How a call was sent, as far as it bears on what an answer means. */
export interface SentAs {
  /** An earlier sending with the same key may have been carried out, and nobody knows. */
  readonly isAgain: boolean;
  /** It moves no money, so that an answer which is no object, such as a quote's PDF, is one as well. */
  readonly movesNothing?: boolean;
}

/** Judges what became of a call that moves money. What is not certain is unknown. */
export function outcomeOf(forwarded: Forwarded, sentAs: SentAs): Outcome {
  const isAgain = sentAs.isAgain || (forwarded.kind === 'answered' && forwarded.isSecond === true);
  if (forwarded.kind === 'unsent') {
    return isAgain ? unknown('not sent again', false) : { kind: 'not-done', why: 'not sent' };
  }
  if (forwarded.kind === 'unknown') return unknown('no whole answer came', false);
  const { status } = forwarded;
  if (!isStripes(forwarded)) return unknown(`the answer (${status}) was not Stripe's`, false);
  const facts = factsIn(forwarded);
  if (status >= 200 && status < 300) {
    if (facts === undefined) {
      const isFile = sentAs.movesNothing === true && !/json/i.test(contentType(forwarded));
      return unknown('the answer was no object', isFile);
    }
    const isOld = isReplay(forwarded);
    if (!isAgain && isOld) return { kind: 'replayed' };
    return { kind: 'done', facts, isOld: isOld && sentAs.isAgain };
  }
  const why = `HTTP ${status}`;
  if (!NOT_DONE.has(status)) return unknown(why, true);
  if (isAgain && !(SETTLES_EARLIER.has(status) && typeOf(facts) !== 'idempotency_error')) {
    return unknown(why, true);
  }
  return { kind: 'not-done', why };
}

/** What Stripe says again tells nothing of an object of which later calls have been settled. */
export function withoutOvertaken(outcome: Outcome, isOvertaken: boolean): Outcome {
  if (outcome.kind !== 'done' || !outcome.isOld || !isOvertaken) return outcome;
  return unknown('later calls on the object were settled before', true);
}

/** Whether Stripe answered, and not whoever stands in its place: an answer has an id, and is no page. */
export function isStripes(forwarded: Extract<Forwarded, { kind: 'answered' }>): boolean {
  const { status } = forwarded;
  if (status < 200 || (status >= 300 && status < 400)) return false;
  return requestIdOf(forwarded) !== undefined && !/html/i.test(contentType(forwarded));
}

function contentType({ headers }: Extract<Forwarded, { kind: 'answered' }>): string {
  return headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
}

/** Whether Stripe says that it only says again what it said before. */
export function isReplay({ headers }: Extract<Forwarded, { kind: 'answered' }>): boolean {
  return headers.some(([name, value]) => name.toLowerCase() === 'idempotent-replayed' && value === 'true');
}

function typeOf(facts: StripeFacts | undefined): unknown {
  const error = facts?.error;
  return typeof error === 'object' && error !== null ? (error as { type?: unknown }).type : undefined;
}

function unknown(why: string, isAnswered: boolean): Outcome {
  return { kind: 'unknown', why, isAnswered };
}
