import {
  type Evidence,
  evidenceOf,
  judgeEvidence,
  judgePending,
  pendingEvidenceOf,
} from '../core/spend/exposure/evidence.ts';
import type { LookUp, StripeFacts } from '../core/spend/exposure/money-call.ts';
import type { Reconciled } from '../core/spend/guard-status.ts';
import type { LogEvent, ReserveEvent } from '../core/spend/log-row.ts';
import type { CallsOnTheirWay } from './call/calls-on-their-way.ts';
import type { ServedProfiles } from './served-profiles.ts';
import type { SpendStore } from './spend-store.ts';

export interface ReconcileParts {
  readonly store: SpendStore;
  readonly profiles: ServedProfiles;
  readonly onTheirWay: CallsOnTheirWay;
  /** In ms since 1970. */
  readonly now: () => number;
  /** Objects that calls in the log have made. */
  readonly claimed: ReadonlySet<string>;
  /** Of this run alone; undefined: of all. */
  readonly run?: string | undefined;
}

/**
 * Asks Stripe, with the upstream keys, what became of every reservation that is held, and whether what was settled and
 * is on its way has come back; settles, releases or gives back what has evidence, and leaves the rest counted.
 */
export async function reconcile(parts: ReconcileParts): Promise<readonly Reconciled[]> {
  const { store, onTheirWay, now, run } = parts;
  const results: Reconciled[] = [];
  const isMeant = (event: ReserveEvent) => run === undefined || event.run === run;
  for (const [reservation, { event, at, state }] of [...store.book.open]) {
    if (state !== 'held' || !isMeant(event)) continue;
    const total = `${event.scope} ${event.totalOf ?? ''}`;
    const moment = store.book.ledger.momentOf(total);
    const facts = await lookUp(parts, event, evidenceOf(event, at));
    const isOvertaken = store.book.ledger.momentOf(total) !== moment;
    // Its agent may have tried again in the meantime.
    const heldAt = store.book.open.get(reservation)?.heldAt;
    if (store.book.open.get(reservation)?.state !== 'held' || onTheirWay.has(reservation)) continue;
    // What is listed may be of a call that goes on, or has just been settled.
    const claimed = new Set([...parts.claimed, ...store.latestObjects]);
    const evidence =
      facts === 'nowhere'
        ? nowhere()
        : isOvertaken || onTheirWay.hasLike(event) || isBeingMoved(event, parts)
          ? { kind: 'unknown' as const, why: 'another call like it is on its way; ask again' }
          : judgeEvidence(event, facts, { at, heldAt, now: now(), claimed });
    results.push(await take(parts, event, evidence));
  }
  for (const [reservation, pending] of [...store.book.pending]) {
    const { event } = pending;
    if (!isMeant(event)) continue;
    const facts = await lookUp(parts, event, pendingEvidenceOf(pending));
    if (!store.book.pending.has(reservation)) continue;
    results.push(await take(parts, event, facts === 'nowhere' ? nowhere() : judgePending(pending, facts)));
  }
  return results;
}

/** Whether a call on the object whose total it is about is being served: which of the two is the later total, nobody could tell. */
function isBeingMoved({ scope, totalOf }: ReserveEvent, { store, onTheirWay }: ReconcileParts): boolean {
  if (totalOf === undefined) return false;
  return [...store.book.open.values()].some(
    ({ event }) => event.totalOf === totalOf && event.scope === scope && onTheirWay.has(event.reservation),
  );
}

function nowhere(): Evidence {
  return { kind: 'unknown', why: 'nothing that Stripe lists says what became of it' };
}

async function lookUp(
  { profiles }: ReconcileParts,
  { profile, account }: ReserveEvent,
  question: LookUp | undefined,
): Promise<StripeFacts | undefined | 'nowhere'> {
  if (question === undefined) return 'nowhere';
  return profiles.get(profile)?.upstream.lookUp(question, account);
}

const OUTCOMES = { settled: 'settled', released: 'released', 'given-back': 'given-back' } as const;

async function take(
  { store, now }: ReconcileParts,
  { reservation, run, operation = '', amount, currency }: ReserveEvent,
  evidence: Evidence,
): Promise<Reconciled> {
  const told = { reservation, run, operation, amount, currency };
  if (evidence.kind === 'unknown') return { ...told, outcome: 'unknown', evidence: evidence.why };
  if (evidence.kind === 'pending') return { ...told, outcome: 'pending', evidence: evidence.evidence };
  const { kind: _, ...facts } = evidence;
  const event: LogEvent = { kind: 'reconcile', reservation, outcome: OUTCOMES[evidence.kind], ...facts };
  try {
    await store.happen(event, now());
  } catch {
    return { ...told, outcome: 'unknown', evidence: 'the log of the guard cannot be written' };
  }
  return {
    ...told,
    ...(evidence.kind === 'settled' ? { moved: evidence.amount } : {}),
    outcome: evidence.kind,
    evidence: evidence.evidence,
  };
}
