import { randomBytes } from 'node:crypto';
import type { CallOnItsWay } from '../../core/spend/guard-status.ts';
import type { ReserveEvent } from '../../core/spend/log-row.ts';
import type { Forwarded } from '../../http/forward.ts';
import type { RequestHead } from '../../http/serve.ts';
import { type Call, changes, forwardedRequest } from '../read/read-call.ts';
import type { Refusal } from '../refusal.ts';
import type { Served } from '../served.ts';
import type { SpendStore } from '../spend-store.ts';
import { requestIdOf } from '../upstream.ts';
import { type KeyOfCall, keyOf, repeatOf, rowOf, turnOf } from './call-names.ts';
import type { Caller } from './caller.ts';
import type { CallsOnTheirWay } from './calls-on-their-way.ts';
import { capRefusal } from './cap-refusal.ts';
import { countCarriedOutAgain } from './carried-out-again.ts';
import type { KnownKeys } from './known-keys.ts';
import { isStripes, type Outcome, outcomeOf, withoutOvertaken } from './outcome.ts';
import { type Price, priceCall } from './price-call.ts';
import { endReservation } from './settlement.ts';
import type { Turns } from './turns.ts';

/** What the guard has at hand for every call. */
export interface CallGuardParts {
  readonly store: SpendStore;
  readonly keys: KnownKeys;
  readonly turns: Turns;
  readonly onTheirWay: CallsOnTheirWay;
  /** In ms since 1970. */
  readonly now: () => number;
  /** Tells whoever runs the guard what must not go unseen. */
  readonly alarm: (text: string) => void;
}

/** What an agent gets: Stripe's answer, or the guard's own. */
export type Ended =
  | { readonly answer: Extract<Forwarded, { kind: 'answered' }> }
  | { readonly refusal: Refusal };

/** How long Stripe remembers an idempotency key, less an hour, in ms; after that a call with it is a new one. */
const V1_KEY_MS = 23 * 3_600_000;
const V2_KEY_MS = 30 * 24 * 3_600_000 - 3_600_000;

/**
 * One call from its fields to its answer: idempotency → how much → repeat → caps → on disk → sent → settled. Whatever
 * fails on the way is a refusal, and every way out settles, releases or holds what was reserved.
 */
export class CallGuard {
  readonly #parts: CallGuardParts;

  constructor(parts: CallGuardParts) {
    this.#parts = parts;
  }

  async serve(call: Call, head: RequestHead, caller: Caller): Promise<Ended> {
    const { keys, onTheirWay } = this.#parts;
    const { run, served } = caller;
    const way: CallOnItsWay = {
      run: run.id,
      profile: served.profile.name,
      operation: call.operation.name,
      isSent: false,
    };
    const key = call.idempotencyKey === undefined ? undefined : keyOf(call, served);
    const seen = key === undefined ? undefined : this.#begin(key, served);
    if (seen !== undefined) return { refusal: seen };
    onTheirWay.begin(way);
    try {
      const turn = turnOf(call, served);
      const work = () => this.#price(call, head, caller, key, way);
      return await (turn === undefined ? work() : this.#parts.turns.take(turn, work));
    } finally {
      if (key !== undefined) {
        keys.end(key.digest);
        if (!way.isSent) keys.forget(key.digest);
      }
      onTheirWay.end(way);
    }
  }

  #begin(key: KeyOfCall, served: Served): Refusal | undefined {
    const known = this.#parts.store.book.key(key.digest);
    const call = { profile: served.profile.name, content: key.content };
    switch (this.#parts.keys.begin(key.digest, call, known)) {
      case 'other-profile':
        return { code: 'idempotency_error', why: 'the Idempotency-Key belongs to an agent of another kind' };
      case 'other-content':
        return { code: 'idempotency_error', why: 'the Idempotency-Key was used with other parameters' };
      case 'in-flight':
        return { code: 'idempotency_key_in_use', why: 'the first call with this Idempotency-Key goes on' };
      default:
        return undefined;
    }
  }

  async #price(
    call: Call,
    head: RequestHead,
    caller: Caller,
    key: KeyOfCall | undefined,
    way: CallOnItsWay,
  ): Promise<Ended> {
    const earlier = key === undefined ? undefined : this.#earlier(call, key);
    if (earlier !== undefined) return this.#again(call, head, caller, earlier, way);
    const { served } = caller;
    const price = await priceCall(call, served, async (lookUp) => {
      if (!this.#isAlive(caller)) return undefined;
      const facts = await served.upstream.lookUp(lookUp, call.account);
      const code = facts === undefined ? 'no_answer' : undefined;
      this.#note({ kind: 'look-up', ...rowOf(call, caller), code });
      return facts;
    });
    if (price.kind === 'refused') return { refusal: price.refusal };
    if (price.kind === 'nothing') return this.#pass(call, head, caller, way);
    return this.#reserve(call, head, caller, key, way, price);
  }

  /** The reservation that the key stands for, while Stripe remembers the key as well. */
  #earlier(call: Call, key: KeyOfCall): Earlier | undefined {
    const { store, now } = this.#parts;
    const known = store.book.key(key.digest);
    if (known === undefined) return undefined;
    const memory = call.operation.path.startsWith('/v2/') ? V2_KEY_MS : V1_KEY_MS;
    const open = store.book.open.get(known.reservation);
    if (open === undefined && now() - known.at > memory) return undefined;
    if (open !== undefined && now() - known.at > memory)
      return { isLost: true, reservation: known.reservation };
    return { isLost: false, reservation: known.reservation, event: open?.event, object: known.object };
  }

  /** A call that was sent before, with the same key: Stripe says what became of it, and it counts once. */
  async #again(
    call: Call,
    head: RequestHead,
    caller: Caller,
    earlier: Earlier,
    way: CallOnItsWay,
  ): Promise<Ended> {
    if (earlier.isLost) {
      return {
        refusal: {
          code: 'keyaudit_repeated_call',
          why: 'what became of the first call is unknown, and Stripe does not remember its Idempotency-Key any more; "keyaudit guard reconcile" finds out',
        },
      };
    }
    way.reservation = earlier.reservation;
    const { event } = earlier;
    const sent = await this.#send(call, head, caller, call.idempotencyKey, way);
    const outcome = outcomeOf(sent.forwarded, { isAgain: true });
    if (event === undefined) {
      way.ended = 'passed';
      this.#note({ kind: 'pass', ...rowOf(call, caller), ...sent.row, reservation: earlier.reservation });
      await countCarriedOutAgain({ call, caller, known: earlier, outcome, ...sent }, this.#parts);
      return answerTo(sent, outcome);
    }
    return this.#end(caller, event, sent, outcome, way);
  }

  /** What moves no money. A write stands in the log before it is sent. */
  async #pass(call: Call, head: RequestHead, caller: Caller, way: CallOnItsWay): Promise<Ended> {
    const { store, now } = this.#parts;
    const { guard } = caller.served;
    const row = { kind: 'pass', ...rowOf(call, caller) } as const;
    const mustLast = changes(call) || (guard.reads === 'closed' && store.failure !== undefined);
    if (mustLast) {
      try {
        await store.happen(row, now());
      } catch {
        return { refusal: unavailable() };
      }
    }
    const key = call.method === 'POST' ? (call.idempotencyKey ?? `keyaudit-${newId()}`) : call.idempotencyKey;
    const sent = await this.#send(call, head, caller, key, way);
    way.ended = 'passed';
    if (!mustLast) this.#note({ ...row, ...sent.row });
    if (sent.forwarded.kind === 'answered' && sent.forwarded.status === 401) this.#keyIsDead(caller);
    return answerTo(sent, outcomeOf(sent.forwarded, { isAgain: false, movesNothing: true }));
  }

  async #reserve(
    call: Call,
    head: RequestHead,
    caller: Caller,
    key: KeyOfCall | undefined,
    way: CallOnItsWay,
    price: Extract<Price, { kind: 'priced' | 'unpriced' }>,
  ): Promise<Ended> {
    const { store, now } = this.#parts;
    const { served } = caller;
    const reservation = `rsv_${newId()}`;
    const priced = price.kind === 'priced' ? price : undefined;
    const exposure = priced?.exposure;
    const idempotencyKey = call.idempotencyKey ?? `keyaudit-${reservation}`;
    const own = key ?? keyOf({ ...call, idempotencyKey }, served);
    const reserving = await store.reserve({
      call: { ...rowOf(call, caller), operation: call.operation.name },
      scope: served.scope,
      reservation,
      direction: exposure?.direction ?? price.rule.direction,
      amount: exposure?.amount,
      currency: exposure?.currency,
      totalOf: exposure?.totalOf,
      objects: {
        object: exposure === undefined ? null : exposure.object,
        charge: exposure === undefined ? null : exposure.charge,
        customer: exposure === undefined ? null : exposure.customer,
        account: call.account ?? null,
      },
      caps: served.guard.caps,
      zone: served.guard.day,
      unpriced: served.guard.unpriced.calls,
      isRest: priced?.isRest === true,
      ...(call.method === 'POST' ? { key: own.digest, content: own.content } : {}),
      repeat: repeatOf(call, served, price),
      now: now(),
    });
    if ('unwritten' in reserving) return { refusal: unavailable() };
    if ('refused' in reserving) return { refusal: capRefusal(reserving.refused, exposure?.currency) };
    const { event } = reserving;
    Object.assign(way, { reservation, amount: event.amount, currency: event.currency });
    const sent = await this.#send(
      call,
      head,
      caller,
      call.method === 'POST' ? idempotencyKey : undefined,
      way,
    );
    const outcome = outcomeOf(sent.forwarded, { isAgain: false });
    return this.#end(caller, event, sent, outcome, way);
  }

  /** Sends a call, unless its run has been stopped up to the very moment. */
  async #send(
    call: Call,
    head: RequestHead,
    caller: Caller,
    key: string | undefined,
    way: CallOnItsWay,
  ): Promise<Sent> {
    const from = performance.now();
    let wasStopped = false;
    const maySend = () => {
      wasStopped = !this.#isAlive(caller);
      if (!wasStopped) way.isSent = true;
      return !wasStopped;
    };
    const request = forwardedRequest(call, head, key);
    const forwarded = await caller.served.upstream.send(call.operation.host, request, maySend);
    // What never left has moved nothing, and nobody need wait for it.
    if (forwarded.kind === 'unsent') way.isSent = false;
    const status = forwarded.kind === 'answered' ? forwarded.status : undefined;
    const requestId = forwarded.kind === 'answered' ? requestIdOf(forwarded) : undefined;
    return {
      forwarded,
      wasStopped: wasStopped && forwarded.kind === 'unsent',
      row: { status, requestId, msStripe: Math.round((performance.now() - from) * 10) / 10 },
    };
  }

  /** Settles, releases or holds; then the agent gets its answer. */
  #end(caller: Caller, event: ReserveEvent, sent: Sent, told: Outcome, way: CallOnItsWay): Ended {
    const { store, now, alarm } = this.#parts;
    const outcome = withoutOvertaken(told, store.book.ledger.isOvertaken(event.reservation));
    const ended = endReservation(event, outcome, sent.row);
    for (const one of ended.events) store.settle(one, now());
    way.ended = ended.word;
    if (ended.alarm !== undefined) alarm(ended.alarm);
    if (sent.forwarded.kind === 'answered' && sent.forwarded.status === 401) this.#keyIsDead(caller);
    return answerTo(sent, outcome);
  }

  /** A 401 from Stripe: the upstream key is dead, and the run is of no use any more. */
  #keyIsDead({ run, served }: Caller): void {
    const { store, now, alarm } = this.#parts;
    if (store.book.runs.isKilled(run)) return;
    alarm(`Stripe refuses the key of ${served.profile.name} (401); the run ${run.id} is killed.`);
    void store.kill({ of: 'run', name: run.id }, now()).catch(() => {});
  }

  #isAlive({ run }: Caller): boolean {
    const { store } = this.#parts;
    return !store.book.runs.isKilled(run) && store.book.runs.run(run.id)?.isEnded !== true;
  }

  #note(event: Parameters<SpendStore['note']>[0]): void {
    this.#parts.store.note(event, this.#parts.now());
  }
}

interface Earlier {
  readonly reservation: string;
  /** Of one that is not settled. */
  readonly event?: ReserveEvent | undefined;
  /** Of one that is settled: what it made. */
  readonly object?: string | null | undefined;
  /** It is not settled, and Stripe does not know its key any more. */
  readonly isLost: boolean;
}

/** A call that was sent, or was to be. */
interface Sent {
  readonly forwarded: Forwarded;
  readonly wasStopped: boolean;
  readonly row: {
    readonly status?: number | undefined;
    readonly requestId?: string | undefined;
    readonly msStripe: number;
  };
}

/** Stripe's answer where it is one; else what the guard knows. */
function answerTo({ forwarded, wasStopped }: Sent, outcome: Outcome): Ended {
  if (wasStopped) return { refusal: { code: 'keyaudit_run_killed', why: 'the run was killed' } };
  if (forwarded.kind === 'answered' && isStripes(forwarded)) {
    if (outcome.kind !== 'unknown' || outcome.isAnswered) return { answer: forwarded };
  }
  if (forwarded.kind === 'unsent' && outcome.kind === 'not-done') {
    return { refusal: { code: 'keyaudit_upstream_unreachable', why: 'Stripe could not be reached' } };
  }
  const why = outcome.kind === 'unknown' ? outcome.why : 'no answer of Stripe';
  return { refusal: { code: 'keyaudit_outcome_unknown', why } };
}

function unavailable(): Refusal {
  return { code: 'keyaudit_unavailable', why: 'the log of the guard cannot be written' };
}

function newId(): string {
  return randomBytes(12).toString('base64url').replace(/[-_]/g, 'x');
}
