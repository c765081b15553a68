import { SecretKey } from '../../src/core/secret-key.ts';
import { CallGuard, type CallGuardParts, type Ended } from '../../src/guard/call/call-guard.ts';
import { CallsOnTheirWay } from '../../src/guard/call/calls-on-their-way.ts';
import { KnownKeys } from '../../src/guard/call/known-keys.ts';
import { Turns } from '../../src/guard/call/turns.ts';
import { readCall, readHead } from '../../src/guard/read/read-call.ts';
import { reconcile } from '../../src/guard/reconcile.ts';
import { type Served, servedOf } from '../../src/guard/served.ts';
import { ServedProfiles } from '../../src/guard/served-profiles.ts';
import { LogStore } from '../../src/guard/spend-store.ts';
import { holdWhatWasOpen } from '../../src/guard/start-guard.ts';
import { Lines, originsOf, type Upstream } from '../../src/guard/upstream.ts';
import type { RequestHead } from '../../src/http/serve.ts';
import type { Chance } from '../fuzz/chance.ts';
import { guardCatalog, guardViews, profileGrant } from './guard-scene.ts';
import { Disk, type Journal } from './history-disk.ts';
import { HistoryStripe, type Process, turns } from './history-stripe.ts';

/** The caps of a run can be filled; by what is counted for ever all is compared. */
const PROFILE = (repeat: string) => `
permissions: { charges: write, refunds: write, payment_intents: write, payouts: write }
guard:
  repeat: ${repeat}
  caps:
    - { per: total, amount: 100000.00 usd }
    - { per: run, amount: 200.00 usd }
    - { per: day, amount: 150.00 usd }
    - { per: 24h, amount: 180.00 usd }
    - { per: charge, amount: 40.00 usd, of: [refunds.create] }
`;
const lines = new Lines(originsOf('http://127.0.0.1:1'));
const known = new Map<string, Served>();

function served(repeat: string): Served {
  const before = known.get(repeat);
  if (before !== undefined) return before;
  const key = SecretKey.of('rk_test_upstream');
  const from = {
    key,
    digest: repeat,
    mode: 'test',
    target: 'sandbox',
    lines,
    catalog: guardCatalog,
  } as const;
  const made = servedOf({ ...profileGrant('agent', PROFILE(repeat)), ...from });
  if (made === undefined) throw new Error('no guard section');
  known.set(repeat, made);
  return made;
}

const SCOPE = 'sandbox test agent';
const ALL = `${SCOPE} per total total usd`;
const OF_RUN = `${SCOPE} per run run run usd`;
const MOST_A_RUN = 20_000;

/** A guard's process: the real core, on a journal that survives it. */
class GuardProcess {
  readonly store: LogStore;
  readonly served: Served;
  readonly #calls: CallGuard;
  readonly #parts: CallGuardParts;
  readonly #world: World;
  readonly journal: Journal;

  constructor(world: World, repeat: string) {
    const process: Process = { isDead: false };
    this.#world = world;
    this.journal = world.disk.logOf(process, world.chance);
    this.store = new LogStore({ log: this.journal.log, book: world.disk.fold(world.chance.is(0.5)) });
    const upstream = world.stripe.upstreamOf(process) as unknown as Upstream;
    this.served = { ...served(repeat), upstream };
    this.#parts = {
      store: this.store,
      keys: new KnownKeys(),
      turns: new Turns(),
      onTheirWay: new CallsOnTheirWay(),
      now: () => world.stripe.objects.now,
      alarm: () => {},
    };
    this.#calls = new CallGuard(this.#parts);
  }

  async call(line: string, form: Readonly<Record<string, string>>, key: string | undefined): Promise<Ended> {
    const [method = '', url = ''] = line.split(' ');
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    };
    const head: RequestHead = { method, url, headers, rawHeaders: [], remoteAddress: undefined };
    const run = this.store.book.runs.run('run');
    if (run === undefined) throw new Error('there is no run');
    const read = readHead(head, this.served, guardViews);
    if ('code' in read) throw new Error(`${line}: ${read.why}`);
    const whole = readCall(read, Buffer.from(new URLSearchParams(form).toString()), this.served, guardViews);
    if ('code' in whole) throw new Error(`${line}: ${whole.why}`);
    return this.#calls.serve(whole, head, { run, served: this.served });
  }

  async reconcile(): Promise<void> {
    const claimed = new Set<string>();
    for (const { text } of this.#world.disk.lines) {
      const { object, kind } = JSON.parse(text) as { object?: string; kind: string };
      if (object != null && (kind === 'settle' || kind === 'reconcile')) claimed.add(object);
    }
    await reconcile({ ...this.#parts, profiles: new ServedProfiles([this.served]), claimed });
  }
}

/** What the guards of one history have in common. */
interface World {
  readonly chance: Chance;
  readonly stripe: HistoryStripe;
  readonly disk: Disk;
}

/** A call that an agent has made. */
interface Made {
  readonly line: string;
  readonly form: Readonly<Record<string, string>>;
  readonly key: string | undefined;
}

/** An agent: new calls, and old ones again, with the same key or another, and with other content. */
class Agent {
  readonly #world: World;
  readonly #charges: readonly string[];
  readonly #made: Made[] = [];
  readonly #problems: string[];
  #keys = 0;

  constructor(world: World, charges: readonly string[], problems: string[]) {
    this.#world = world;
    this.#charges = charges;
    this.#problems = problems;
  }

  get calls(): number {
    return this.#made.length;
  }

  anew(guard: GuardProcess): void {
    const { chance } = this.#world;
    const key = chance.is(0.6) ? `key_${++this.#keys}` : undefined;
    this.#make(guard, { ...this.#call(), key });
  }

  again(guard: GuardProcess): void {
    const { chance } = this.#world;
    if (this.#made.length === 0) return;
    const before = chance.of(this.#made);
    const what = chance.next();
    if (what < 0.7) this.#make(guard, before);
    else if (what < 0.85) this.#make(guard, { ...before, key: `key_${++this.#keys}` });
    else this.#make(guard, { ...this.#call(), key: before.key });
  }

  #make(guard: GuardProcess, call: Made): void {
    this.#made.push(call);
    guard.call(call.line, call.form, call.key).catch((error: Error) => {
      this.#problems.push(`${call.line} ${JSON.stringify(call.form)}: ${error.stack}`);
    });
  }

  #call(): Omit<Made, 'key'> {
    const { chance, stripe } = this.#world;
    const amount = String(1 + chance.upTo(3_000));
    const currency = 'usd';
    const intents = [...stripe.objects.store.list('payment_intents')].map(({ id }) => id);
    const intent = intents.length === 0 ? undefined : chance.of(intents);
    const what = chance.upTo(10);
    if (what < 3) return { line: 'POST /v1/refunds', form: { charge: chance.of(this.#charges), amount } };
    if (what < 4) return { line: 'POST /v1/refunds', form: { charge: chance.of(this.#charges) } };
    if (what < 5) return { line: 'POST /v1/charges', form: { amount, currency, source: 'tok_visa' } };
    if (what < 6) return { line: 'POST /v1/payouts', form: { amount, currency } };
    if (what < 8 || intent === undefined) {
      const held = { capture_method: chance.is(0.6) ? 'manual' : 'automatic' };
      const confirmed = { payment_method: 'pm_card_visa', confirm: 'true' };
      return { line: 'POST /v1/payment_intents', form: { amount, currency, ...confirmed, ...held } };
    }
    const path = `POST /v1/payment_intents/${intent}`;
    if (what < 9)
      return { line: `${path}/capture`, form: chance.is(0.5) ? {} : { amount_to_capture: amount } };
    return { line: `${path}/increment_authorization`, form: { amount } };
  }
}

/** What became of a history. */
export interface HistoryEnd {
  /** What is wrong; empty when all is well. */
  readonly problems: readonly string[];
  /** Whether everything was settled in the end, so that what is counted had to be what moved. */
  readonly isSettled: boolean;
  readonly calls: number;
  readonly kills: number;
}

/**
 * Lets agents make random calls through a guard, with faults on the way, retries and kills of the guard, and compares
 * after every step what is counted with what the sandbox's own books say has moved.
 */
export async function runHistory(chance: Chance): Promise<HistoryEnd> {
  const stripe = new HistoryStripe(chance);
  const world: World = { chance, stripe, disk: new Disk() };
  const repeat = chance.is(0.7) ? 'allow' : 'refuse';
  const problems: string[] = [];
  const charges = Array.from({ length: 3 }, () => stripe.charge(6_000));
  let guard = new GuardProcess(world, repeat);
  const issuedAt = stripe.objects.now;
  const issue = {
    run: 'run',
    profile: 'agent',
    scope: SCOPE,
    key: 'k',
    issuedAt,
    expiresAt: issuedAt + 1e12,
  };
  await guard.store.happen({ kind: 'issue', ...issue }, issuedAt);
  world.disk.isSometimesFull = true;
  const used = (counter: string) => guard.store.book.ledger.used(counter);
  const look = (when: string) => {
    const moved = stripe.moved();
    if (used(ALL) < moved) problems.push(`${when}: ${used(ALL)} counted, ${moved} moved`);
    if (moved > MOST_A_RUN) problems.push(`${when}: ${moved} moved, beyond the cap of ${MOST_A_RUN}`);
    if (used(OF_RUN) !== used(ALL)) problems.push(`${when}: the run counts ${used(OF_RUN)} of ${used(ALL)}`);
  };
  stripe.onDone = () => look('carried out');
  const agent = new Agent(world, charges, problems);
  let kills = 0;
  const killed = async (when: string) => {
    guard.journal.die();
    kills += 1;
    const [whole, short] = [true, false]
      .map((isWhole) => world.disk.fold(isWhole, stripe.objects.now))
      .map((book) => JSON.stringify([...book.counters()].sort()));
    if (whole !== short)
      problems.push(`${when}: from what was written down it comes to ${short}, not ${whole}`);
    guard = new GuardProcess(world, repeat);
    look(when);
    holdWhatWasOpen(guard.store, stripe.objects.now);
  };
  /** What is on its way arrives within a minute and a half, as it does at Stripe. */
  const later = async (ms: number) => {
    await turns(300);
    await stripe.deliver();
    await turns(300);
    if (ms > 24 * 3_600_000) stripe.forgetKeys();
    stripe.objects.now += ms;
  };
  stripe.faults = chance.of([0, 10, 30, 60]);
  const steps = 4 + chance.upTo(14);
  for (let step = 0; step < steps; step++) {
    const what = chance.upTo(100);
    if (what < 60) agent.anew(guard);
    else if (what < 73) agent.again(guard);
    else if (what < 79) await killed('killed');
    else if (what < 84) await guard.reconcile();
    else if (what < 89) await stripe.deliver();
    else if (what < 93) await writeDown(guard, world.disk);
    else await later(chance.of([1_000, 60_000, 3_600_000, 26 * 3_600_000]));
    await turns(chance.upTo(60));
    look(`step ${step}`);
  }
  await later(0);
  if (chance.is(0.3)) await killed('killed at the end');
  await later(0);
  stripe.faults = 0;
  for (let round = 0; round < 3 && guard.store.book.open.size > 0; round++) {
    await later(600_000);
    await guard.reconcile();
    look('reconciled');
  }
  problems.push(...world.disk.wrongSums());
  const isSettled = guard.store.book.open.size === 0;
  if (isSettled && used(ALL) !== stripe.moved())
    problems.push(`all settled: ${used(ALL)} counted, ${stripe.moved()} moved`);
  for (const [key, times] of stripe.done)
    if (times > 1) problems.push(`${key} was carried out ${times} times`);
  return { problems, isSettled, calls: agent.calls, kills };
}

/** The book is written down when all that it holds is on the disk. */
async function writeDown({ store, journal }: GuardProcess, disk: Disk): Promise<void> {
  await turns(40);
  if (journal.isIdle())
    disk.snapshot = { state: JSON.stringify(store.book.state()), lines: disk.lines.length };
}
