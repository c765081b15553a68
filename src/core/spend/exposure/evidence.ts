import type { PendingReservation } from '../ledger/reservation.ts';
import type { ReserveEvent } from '../log-row.ts';
import type { LookUp, StripeFacts } from './money-call.ts';
import { intentTotal } from './payment-intents.ts';
import { currencyIn, idIn, inPath, minorIn } from './places.ts';

/** What Stripe's objects say of a call whose outcome nobody knew. */
export type Evidence =
  | {
      readonly kind: 'settled';
      /** In minor units; for a total, the object's total. */
      readonly amount: number;
      readonly isWhole: boolean;
      readonly totalOf?: string;
      readonly object: string;
      readonly isPending: boolean;
      readonly evidence: string;
    }
  | { readonly kind: 'released' | 'given-back'; readonly evidence: string }
  /** It was settled, and can still fail. */
  | { readonly kind: 'pending'; readonly evidence: string }
  | { readonly kind: 'unknown'; readonly why: string };

/** What is known when evidence is judged. */
export interface EvidenceContext {
  /** When it was reserved, and what time it is, in ms since 1970. */
  readonly at: number;
  readonly now: number;
  /** When it was held last, since when nothing of it has been sent; in ms since 1970. */
  readonly heldAt?: number | undefined;
  /** Objects that other calls have made. */
  readonly claimed: ReadonlySet<string>;
}

/** A call that was sent so long ago has ended at Stripe, one way or the other: longer than the guard waits, in ms. */
const ENDED_AFTER_MS = 90_000;
/** Clocks differ by less, in ms. */
const CLOCK_MS = 60_000;
const PAGE = 100;

const ON_ITS_WAY: ReadonlySet<unknown> = new Set(['pending', 'in_transit', 'processing', 'requires_action']);
const CAME_BACK: ReadonlySet<unknown> = new Set(['failed', 'canceled', 'returned']);

/** Objects whose state says whether a call on them went through: in which states it did, and in which it did not. */
const BY_STATE: Readonly<Record<string, readonly [done: readonly string[], not: readonly string[]]>> = {
  'invoices.pay': [['paid'], ['open']],
  'invoices.finalizeInvoice': [['open', 'paid', 'void', 'uncollectible'], ['draft']],
  'invoices.sendInvoice': [['open', 'paid', 'void', 'uncollectible'], ['draft']],
  'disputes.close': [['lost'], ['needs_response', 'warning_needs_response']],
  'quotes.accept': [['accepted'], ['draft', 'open', 'canceled']],
};

/** Where Stripe can be asked what became of a call; undefined where nothing that it has says so. */
export function evidenceOf(event: ReserveEvent, at: number): LookUp | undefined {
  const { operation = '', path = '', ids = [], totalOf, object, amount } = event;
  if (amount === undefined || !path.startsWith('/v1/')) return undefined;
  if (totalOf !== undefined && !totalOf.startsWith('new ')) {
    const root = totalOf.startsWith('pi_') ? '/v1/payment_intents' : '/v1/charges';
    return { method: 'GET', path: `${root}/${inPath(totalOf)}` };
  }
  if (BY_STATE[operation] !== undefined) {
    const [id] = ids;
    return id === undefined
      ? undefined
      : { method: 'GET', path: withIds(path.replace(/\/[a-z_]+$/, ''), ids) };
  }
  if (!/\.create(?:Refund|Reversal|BalanceTransaction)?$/.test(operation)) return undefined;
  const from = Math.floor((at - CLOCK_MS) / 1_000);
  const query = new URLSearchParams({ limit: String(PAGE) });
  // What hangs on an object is listed with it, and its lists know no time.
  if (ids.length === 0) query.set('created[gte]', String(from));
  if (operation === 'refunds.create' && isOfObject(event)) query.set('charge', object ?? '');
  return { method: 'GET', path: `${withIds(path, ids)}?${query}` };
}

/** What an answer to {@link evidenceOf} says. @param facts undefined where Stripe did not say */
export function judgeEvidence(
  event: ReserveEvent,
  facts: StripeFacts | undefined,
  context: EvidenceContext,
): Evidence {
  if (facts === undefined) return { kind: 'unknown', why: 'Stripe did not say' };
  const sentAt = Math.max(context.at, context.heldAt ?? 0);
  const isEnded = context.now - sentAt >= ENDED_AFTER_MS;
  const judged = facts.object === 'list' ? fromList(event, facts, context) : fromObject(event, facts);
  if (isEnded || judged.kind === 'unknown') return judged;
  // What is there is there; what is not there yet may still come.
  if (judged.kind === 'settled' && !judged.isWhole) return judged;
  const seconds = Math.ceil((ENDED_AFTER_MS - (context.now - sentAt)) / 1_000);
  return { kind: 'unknown', why: `its call may still go on; ask again in ${seconds} s` };
}

/** Where Stripe can be asked whether what was settled has come back. */
export function pendingEvidenceOf({ event, settled }: PendingReservation): LookUp | undefined {
  const { path = '', ids = [] } = event;
  const id = settled.object ?? undefined;
  if (id === undefined || !path.startsWith('/v1/')) return undefined;
  const isMade = /\.create/.test(event.operation ?? '');
  return isMade ? { method: 'GET', path: `${withIds(path, ids)}/${inPath(id)}` } : undefined;
}

/** What an answer to {@link pendingEvidenceOf} says. */
export function judgePending({ settled }: PendingReservation, facts: StripeFacts | undefined): Evidence {
  const { id, status } = facts ?? {};
  if (facts === undefined || id !== settled.object || typeof status !== 'string')
    return { kind: 'unknown', why: 'Stripe did not say' };
  const evidence = `${String(id)} is ${status}`;
  if (CAME_BACK.has(status)) return { kind: 'given-back', evidence };
  if (ON_ITS_WAY.has(status)) return { kind: 'pending', evidence };
  return {
    kind: 'settled',
    amount: settled.amount,
    isWhole: false,
    object: String(id),
    isPending: false,
    evidence,
  };
}

/** What a call makes hangs on an object, and is listed by it. */
function isOfObject({ operation, ids = [], object }: ReserveEvent): boolean {
  return ids.length > 0 || (operation === 'refunds.create' && /^(?:ch|py)_/.test(object ?? ''));
}

function fromObject(event: ReserveEvent, facts: StripeFacts): Evidence {
  const { operation = '', amount = 0, totalOf } = event;
  const id = idIn(facts.id);
  if (id === null) return { kind: 'unknown', why: 'Stripe did not say' };
  if (totalOf !== undefined) {
    const total = totalIn(facts);
    if (id !== totalOf || total === undefined)
      return { kind: 'unknown', why: `${id} does not say its total` };
    const evidence = `${id} has come to ${total} (${String(facts.status)})`;
    return { kind: 'settled', amount: total, isWhole: true, object: id, isPending: false, evidence };
  }
  const [done = [], not = []] = BY_STATE[operation] ?? [];
  const status = String(facts.status);
  const evidence = `${id} is ${status}`;
  if (done.includes(status))
    return { kind: 'settled', amount, isWhole: false, object: id, isPending: false, evidence };
  return not.includes(status)
    ? { kind: 'released', evidence }
    : { kind: 'unknown', why: `${evidence}, which does not say it` };
}

function fromList(event: ReserveEvent, list: StripeFacts, { at, claimed }: EvidenceContext): Evidence {
  const { amount = 0, currency, object, totalOf, operation } = event;
  if (!Array.isArray(list.data)) return { kind: 'unknown', why: 'Stripe did not say' };
  const since = Math.floor((at - CLOCK_MS) / 1_000);
  const made = (list.data as unknown[]).filter(
    (one): one is StripeFacts => typeof one === 'object' && one !== null,
  );
  const near = made.filter((one) => {
    const id = idIn(one.id);
    const ofObject = operation !== 'refunds.create' || object === null || idIn(one.charge) === object;
    // A charge of a payment intent is of the call that confirmed or captured that.
    if (operation === 'charges.create' && one.payment_intent != null) return false;
    return id !== null && !claimed.has(id) && ofObject && (minorIn(one.created) ?? 0) >= since;
  });
  const fits = near.filter(
    (one) => currencyIn(one.currency) === currency && Math.abs(minorIn(one.amount) ?? -1) === amount,
  );
  // The oldest: of several that fit, each goes to one call.
  const found = fits.at(-1);
  const id = found === undefined ? null : idIn(found.id);
  if (found === undefined || id === null) {
    if (list.has_more === true)
      return { kind: 'unknown', why: `there are more than ${PAGE} since, none of the first that fits` };
    // The rest of an object can have become another amount by the time that Stripe took it.
    const other = isOfObject(event) ? idIn(near[0]?.id) : null;
    if (other !== null)
      return { kind: 'unknown', why: `${other} is of another amount, and may be of this call` };
    return { kind: 'released', evidence: `of ${made.length} that Stripe has none is of this call` };
  }
  const status = typeof found.status === 'string' ? found.status : 'there';
  const evidence = `${id} is ${status}`;
  if (CAME_BACK.has(found.status)) return { kind: 'released', evidence };
  const total = totalOf === undefined ? undefined : totalIn(found);
  return {
    kind: 'settled',
    amount: total ?? amount,
    isWhole: total !== undefined,
    ...(totalOf === undefined ? {} : { totalOf: id }),
    object: id,
    isPending: totalOf === undefined && ON_ITS_WAY.has(found.status),
    evidence,
  };
}

function totalIn(facts: StripeFacts): number | undefined {
  if (facts.object === 'payment_intent') return intentTotal(facts);
  if (facts.object !== 'charge') return undefined;
  if (facts.status === 'failed') return 0;
  return facts.captured === true
    ? (minorIn(facts.amount_captured) ?? minorIn(facts.amount))
    : minorIn(facts.amount);
}

function withIds(path: string, ids: readonly string[]): string {
  let at = 0;
  return path.replace(/\{[^}]+\}/g, () => inPath(ids[at++] ?? ''));
}
