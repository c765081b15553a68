import { setMaxListeners } from 'node:events';
import type http from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type Stripe from 'stripe';
import { isWrite } from '../core/catalog/catalog.ts';
import { LONGEST_TIMER_MS } from '../core/duration.ts';
import type { Probe } from '../core/probe/probe.ts';
import type { SecretKey } from '../core/secret-key.ts';
import type { Target } from '../core/target.ts';
import type { Observation } from '../core/verdict/observation.ts';
import { judge, type Server, type Verdict } from '../core/verdict/verdict.ts';
import { FirstAnswers } from './first-answers.ts';
import { GivenUp, ObservingHttpClient } from './observe.ts';
import { Pacer, type Sleep } from './pacer.ts';
import { sendProbe } from './send-probe.ts';
import { createAgent, createStripeClient, DEFAULT_TIMEOUT_MS } from './stripe-client.ts';

export interface SendOptions {
  readonly key: SecretKey;
  readonly target: Target;
  readonly apiBase: string;
  readonly apiVersion: string;
  /** Default by target and mode: {@link defaultRate}. */
  readonly ratePerSecond?: number;
  /** Requests in flight at once (default 32). */
  readonly concurrency?: number;
  /** For one attempt, in ms (default 20,000). */
  readonly timeoutMs?: number;
  /** For the whole run, in ms; none by default. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: SendProgress) => void;
  /** Told of each answer as it comes, so that a run that is killed has not been for nothing. */
  readonly onResult?: (sent: SentProbe) => void;
  readonly now?: () => number;
  readonly sleep?: Sleep;
  /** 0 to 1, for the jitter of retries. */
  readonly random?: () => number;
}

export interface SendProgress {
  readonly done: number;
  readonly total: number;
  readonly ratePerSecond: number;
  readonly retries: number;
  readonly slowedDown: boolean;
  readonly etaMs: number;
}

export interface SentProbe {
  readonly probe: Probe;
  readonly observation: Observation;
  readonly verdict: Verdict;
}

export interface SendOutcome {
  /** In the order of the probes; short when the run was stopped. */
  readonly results: readonly SentProbe[];
  readonly stopped?: {
    /** `no-answer`: nothing got through any more. `same-answers`: the first dozen said the same, and told nothing. */
    readonly reason: 'dead-key' | 'unsafe-probe' | 'interrupted' | 'deadline' | 'no-answer' | 'same-answers';
    readonly verdict?: Verdict;
  };
  /** Requests sent, retries included. */
  readonly requests: number;
  readonly retries: number;
}

/**
 * Requests are sent a little slower than asked, since they do not arrive as evenly as they are sent, and
 * a limit of 25 in any second must not see 26.
 */
const HEADROOM = 1.03;
/** Enough to hide 100 ms of latency; more only fills the server's queue. */
const CONCURRENCY = 32;
const MOST_ATTEMPTS = 4;
const FIRST_BACKOFF_MS = 500;
const LONGEST_BACKOFF_MS = 8_000;
/** So many attempts in a row without an answer, over at least so long, and the rest is not asked any more. */
const HOPELESS = { attempts: 24, ms: 8_000 };
/** So many answers in a row that are not Stripe's, and the key is not sent to that stranger any more. */
const STRANGER_ANSWERS = 24;
/** Files and search have a limit of their own, a fifth of the general one; we take less than that share. */
const NARROW_SHARE = 0.25;

/**
 * Probes a second by default. Stripe allows 100 in live mode and 25 in a sandbox for the whole account,
 * shared by all its keys; a check must leave room for the traffic that pays.
 * @see docs/observed.md
 */
export function defaultRate(target: SendOptions['target'], mode: SecretKey['mode']): number | undefined {
  if (target !== 'stripe') return undefined;
  return mode === 'test' ? 20 : 10;
}

/**
 * Sends probes and judges the answers. Retries 429, 5xx and connection faults with full jitter, slows
 * down on the first 429, and ends the run at the first answer that says the key is dead, or that a
 * probe was not harmless. When nothing answers any more, or only a stranger, the rest is reported as not
 * asked.
 */
export async function sendProbes(probes: readonly Probe[], options: SendOptions): Promise<SendOutcome> {
  const run = new ProbeRun(probes, options);
  return run.finish();
}

class ProbeRun {
  readonly #probes: readonly Probe[];
  readonly #options: SendOptions;
  readonly #now: () => number;
  readonly #sleep: Sleep;
  readonly #agent: http.Agent;
  readonly #general: Pacer;
  readonly #narrow: Pacer;
  readonly #stop = new AbortController();
  readonly #hopeless = new AbortController();
  /** Ends every pause: the run is over, or asking on is hopeless. */
  readonly #enough = AbortSignal.any([this.#stop.signal, this.#hopeless.signal]);
  readonly #results: (SentProbe | undefined)[];
  readonly #startedAt: number;
  readonly #inFlight = new Set<() => void>();
  #next = 0;
  #done = 0;
  #requests = 0;
  #retries = 0;
  #unanswered = 0;
  #foreign = 0;
  readonly #first = new FirstAnswers();
  #answeredAt: number;
  #stopped: SendOutcome['stopped'];

  constructor(probes: readonly Probe[], options: SendOptions) {
    this.#probes = probes;
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#sleep = options.sleep ?? sleepFor;
    this.#results = new Array(probes.length);
    // Every worker that waits for its turn listens for the end of the run.
    setMaxListeners(0, this.#enough);
    this.#agent = createAgent(options.apiBase, options.concurrency ?? CONCURRENCY);
    const limit = options.ratePerSecond ?? defaultRate(options.target, options.key.mode);
    const rate = limit === undefined ? undefined : limit / HEADROOM;
    this.#general = new Pacer(rate, this.#now, this.#sleep);
    this.#narrow = new Pacer(rate === undefined ? undefined : rate * NARROW_SHARE, this.#now, this.#sleep);
    this.#startedAt = this.#now();
    this.#answeredAt = this.#startedAt;
  }

  async finish(): Promise<SendOutcome> {
    const { signal, deadlineMs } = this.#options;
    const interrupt = () => this.#end({ reason: 'interrupted' });
    const deadline =
      deadlineMs === undefined
        ? undefined
        : setTimeout(() => this.#end({ reason: 'deadline' }), Math.min(deadlineMs, LONGEST_TIMER_MS));
    signal?.addEventListener('abort', interrupt, { once: true });
    if (signal?.aborted === true) interrupt();
    if (deadlineMs !== undefined && deadlineMs <= 0) this.#end({ reason: 'deadline' });
    try {
      const workers = Math.min(this.#options.concurrency ?? CONCURRENCY, this.#probes.length);
      await Promise.all(Array.from({ length: workers }, () => this.#work()));
    } finally {
      clearTimeout(deadline);
      signal?.removeEventListener('abort', interrupt);
      this.#agent.destroy();
    }
    if (this.#results.some((result) => result?.observation.failure === 'given-up'))
      this.#stopped ??= { reason: 'no-answer' };
    return {
      results: this.#results.filter((result) => result !== undefined),
      stopped: this.#stopped,
      requests: this.#requests,
      retries: this.#retries,
    };
  }

  #end(stopped: NonNullable<SendOutcome['stopped']>): void {
    this.#stopped ??= stopped;
    this.#stop.abort();
    const fromOutside = stopped.reason === 'interrupted' || stopped.reason === 'deadline';
    // What probes under way have changed as well must be known, so their answers are waited for.
    if (this.#stopped.reason === 'unsafe-probe' && !fromOutside) return;
    for (const giveUp of this.#inFlight) giveUp();
  }

  /** One worker: a client of its own, one request in flight. */
  async #work(): Promise<void> {
    const { key, apiBase, apiVersion, timeoutMs } = this.#options;
    const observer = new ObservingHttpClient(this.#agent);
    const client = createStripeClient({
      key,
      apiBase,
      apiVersion,
      httpClient: observer.client,
      timeoutMs: timeoutMs ?? DEFAULT_TIMEOUT_MS,
    });
    while (!this.#stop.signal.aborted) {
      const index = this.#next++;
      const probe = this.#probes[index];
      if (probe === undefined) return;
      const observation = await this.#ask(probe, client, observer);
      if (observation === undefined) return;
      const verdict = judge(probe, observation, serverOf(this.#options.target));
      const sent = { probe, observation, verdict };
      this.#results[index] = sent;
      this.#options.onResult?.(sent);
      this.#done++;
      this.#report();
      if (this.#first.isHopeless(probe.operation.resource, verdict))
        this.#end({ reason: 'same-answers', verdict });
      if (verdict.stopsRun === true) {
        this.#end({ reason: verdict.unsafe === true ? 'unsafe-probe' : 'dead-key', verdict });
      }
    }
  }

  /** Asks until there is an answer worth keeping; undefined when the run ended meanwhile. */
  async #ask(probe: Probe, client: Stripe, observer: ObservingHttpClient): Promise<Observation | undefined> {
    const pacer = isNarrow(probe) ? this.#narrow : this.#general;
    const { signal } = this.#stop;
    let last: Observation = { failure: 'given-up', timeMs: 0, attempts: 0 };
    for (let attempts = 1; ; attempts++) {
      await pacer.turn(this.#enough);
      if (signal.aborted) return undefined;
      if (this.#hopeless.signal.aborted) return last;
      const sentAt = this.#now();
      this.#requests++;
      if (attempts > 1) this.#retries++;
      observer.reset();
      const error = await this.#attempt(probe, client);
      const timing = { timeMs: this.#now() - sentAt, attempts };
      const observation = observer.observe(error, isWrite(probe.operation), timing);
      if (signal.aborted) return this.#stopped?.reason === 'unsafe-probe' ? observation : undefined;
      if (observation.status === 429) pacer.slowDown(sentAt);
      else pacer.recover();
      const retry = isWorthRetrying(observation);
      this.#count(observation.failure === undefined && !retry);
      this.#countForeign(observation);
      if (attempts === MOST_ATTEMPTS || !retry || this.#hopeless.signal.aborted) return observation;
      last = observation;
      const longest = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (attempts - 1));
      await this.#sleep((this.#options.random ?? Math.random)() * longest, this.#enough);
    }
  }

  /** Sees when the server is down, or refuses all traffic, for so long that asking on only wastes time. */
  #count(answered: boolean): void {
    this.#unanswered = answered ? 0 : this.#unanswered + 1;
    if (answered) this.#answeredAt = this.#now();
    const silentMs = this.#now() - this.#answeredAt;
    if (this.#unanswered >= HOPELESS.attempts && silentMs >= HOPELESS.ms) this.#hopeless.abort();
  }

  /** Sees when somebody else answers in Stripe's place. */
  #countForeign({ foreign, status }: Observation): void {
    if (foreign !== undefined) this.#foreign++;
    else if (status !== undefined) this.#foreign = 0;
    if (this.#foreign >= STRANGER_ANSWERS) this.#hopeless.abort();
  }

  /** One request; resolves to the SDK's error, or undefined for a 2xx. Never hangs longer than the timeout. */
  async #attempt(probe: Probe, client: Stripe): Promise<unknown> {
    const limitMs = this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    let end = (_failure: GivenUp) => {};
    const given = new Promise<unknown>((resolve) => {
      end = resolve;
      sendProbe(probe, client).then(() => resolve(undefined), resolve);
    });
    const giveUp = () => end(new GivenUp('aborted'));
    // The SDK's timeout counts silence; a body that drips for ever needs a limit of its own.
    const timer = setTimeout(() => end(new GivenUp('timeout')), Math.min(limitMs + 100, LONGEST_TIMER_MS));
    this.#inFlight.add(giveUp);
    try {
      return await given;
    } finally {
      clearTimeout(timer);
      this.#inFlight.delete(giveUp);
    }
  }

  #report(): void {
    const elapsedMs = this.#now() - this.#startedAt;
    const total = this.#probes.length;
    const ratePerSecond = elapsedMs > 0 ? (this.#done * 1000) / elapsedMs : 0;
    this.#options.onProgress?.({
      done: this.#done,
      total,
      ratePerSecond,
      retries: this.#retries,
      slowedDown: this.#general.slowedDown || this.#narrow.slowedDown,
      etaMs: ratePerSecond > 0 ? ((total - this.#done) * 1000) / ratePerSecond : 0,
    });
  }
}

/** What our own gate in front of a server makes sure of. */
function serverOf(target: Target): Server {
  return { stateless: target === 'stripe-mock', checksExpansions: target !== 'stripe' };
}

function isNarrow({ operation }: Probe): boolean {
  return operation.host === 'files' || operation.kind === 'search' || operation.resource === 'files';
}

function isWorthRetrying({ status, failure }: Observation): boolean {
  if (status !== undefined) return status === 429 || status >= 500;
  return failure === 'reset' || failure === 'timeout' || failure === 'other' || failure === 'refused';
}

async function sleepFor(ms: number, signal?: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {});
}
