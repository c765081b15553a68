import type { Host } from '../../src/core/catalog/catalog.ts';
import { DeclaredTypes } from '../../src/core/catalog/declared-types.ts';
import type { LookUp, StripeFacts } from '../../src/core/spend/exposure/money-call.ts';
import type { Answer } from '../../src/http/answer.ts';
import { parseForm } from '../../src/http/form-body.ts';
import type { Forwarded } from '../../src/http/forward.ts';
import type { RawRequest } from '../../src/http/raw-request.ts';
import { IdempotencyCache } from '../../src/sandbox/idempotency.ts';
import { readParameters } from '../../src/sandbox/read-parameters.ts';
import type { Chance } from '../fuzz/chance.ts';
import { Objects } from './call-objects.ts';
import { guardViews } from './guard-scene.ts';

/** What the way to Stripe and back does with a call. */
const FAULTS = [
  'unsent',
  'request lost',
  'answer lost',
  'carried out late',
  '500 before',
  '500 after',
  '429',
  'a page for an answer',
  'sent twice',
  'declined',
] as const;
type Fault = (typeof FAULTS)[number] | 'none';

const types = new DeclaredTypes();

/** Lets others go on so many times. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}

/** Never resolved: what a process that was killed would have heard. */
const NEVER = new Promise<never>(() => {});

/** A guard's process, which can be killed. */
export interface Process {
  isDead: boolean;
}

/**
 * Stripe as the sandbox has it, its objects and its memory of idempotency keys, behind a way that loses and spoils; and
 * a second account of what moved, which knows no more than the objects that there are.
 */
export class HistoryStripe {
  readonly objects = new Objects();
  /** Calls that were sent to be carried out, by their idempotency key. */
  readonly done = new Map<string, number>();
  /** Called after each call that was carried out. */
  onDone: () => void = () => {};
  /** So many of a hundred go wrong. */
  faults = 0;
  readonly #chance: Chance;
  readonly #keys = new IdempotencyCache();
  readonly #own = new Set<string>();
  #late: (() => Promise<unknown>)[] = [];
  #ids = 0;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** A charge of others, which the agent may refund. */
  charge(amount: number): string {
    const { id } = this.objects.made('charges.create', { amount, currency: 'usd', source: 'tok_visa' });
    this.#own.add(id);
    return id;
  }

  /** All that calls have moved, or can take without a further call. */
  moved(): number {
    const { store } = this.objects;
    let sum = 0;
    for (const { id, amount, captured, payment_intent } of store.list('charges')) {
      if (!this.#own.has(id) && captured === true && payment_intent == null) sum += Number(amount);
    }
    for (const { amount } of store.list('refunds')) sum += Number(amount);
    for (const { amount } of store.list('payouts')) sum += Number(amount);
    for (const { status, amount_received, amount_capturable } of store.list('payment_intents')) {
      sum += status === 'requires_capture' ? Number(amount_capturable) : Number(amount_received);
    }
    return sum;
  }

  /** What was to be carried out late is, before anything that is asked later. */
  async deliver(): Promise<void> {
    for (const call of this.#late.splice(0)) await call();
  }

  /** A day is over: a call with an old key is a new one. */
  forgetKeys(): void {
    this.#keys.clear();
    this.done.clear();
  }

  /** Stripe as one guard's process reaches it. */
  upstreamOf(process: Process) {
    return {
      send: async (_host: Host, request: RawRequest, maySend: () => boolean): Promise<Forwarded> => {
        const forwarded = await this.#send(request, maySend, process);
        return process.isDead ? NEVER : forwarded;
      },
      lookUp: async ({ method, path, body }: LookUp): Promise<StripeFacts | undefined> => {
        await turns(this.#chance.upTo(4));
        if (process.isDead) return NEVER;
        if (this.#chance.upTo(400) < this.faults) return undefined;
        const answer = this.#serve(method, path, body ?? '');
        return answer.status === 200 ? (answer.body as StripeFacts) : undefined;
      },
    };
  }

  async #send(request: RawRequest, maySend: () => boolean, process: Process): Promise<Forwarded> {
    const chance = this.#chance;
    await turns(chance.upTo(6));
    if (process.isDead) return NEVER;
    const fault: Fault = chance.upTo(100) < this.faults ? chance.of(FAULTS) : 'none';
    const unsent: Forwarded = { kind: 'unsent', cause: new Error('no connection') };
    if (fault === 'unsent' || !maySend()) return unsent;
    const lost: Forwarded = { kind: 'unknown', cause: new Error('the line was cut') };
    await turns(chance.upTo(4));
    switch (fault) {
      case 'request lost':
        return lost;
      case 'carried out late':
        this.#late.push(() => this.#once(request));
        return lost;
      case '500 before':
        return answered({ status: 500, body: { error: { type: 'api_error' } } });
      case '429':
        return answered({ status: 429, body: { error: { type: 'invalid_request_error' } } });
      default:
    }
    const answer = await this.#once(request, fault === 'declined');
    await turns(chance.upTo(6));
    switch (fault) {
      case 'answer lost':
        return lost;
      case '500 after':
        return answered({ status: 500, body: { error: { type: 'api_error' } } });
      case 'a page for an answer':
        return { kind: 'answered', status: 200, headers: [], body: Buffer.from('<html>') };
      case 'sent twice':
        return { ...answered(await this.#once(request)), isSecond: true };
      default:
        return answered(answer);
    }
  }

  /** A call with a key is carried out once, for as long as Stripe remembers the key. */
  async #once(request: RawRequest, isDeclined = false): Promise<Answer> {
    const text = request.body.toString();
    const at = request.rawHeaders.findIndex((name) => name.toLowerCase() === 'idempotency-key');
    const key = at < 0 ? undefined : request.rawHeaders[at + 1];
    const serve = (): Answer => {
      // A decline is remembered by its key, as everything is that was begun.
      if (isDeclined) return { status: 402, body: { error: { type: 'card_error' } } };
      const answer = this.#serve(request.method, request.url, text);
      if (answer.status === 200 && key !== undefined) this.done.set(key, (this.done.get(key) ?? 0) + 1);
      this.onDone();
      return answer;
    };
    if (key === undefined) return serve();
    const content = `${request.url} ${text}`;
    return this.#keys.once(key, { scope: 'test', content, requestId: `req_${++this.#ids}` }, async () =>
      serve(),
    );
  }

  #serve(method: string, url: string, body: string): Answer {
    const [path = '', query = ''] = url.split('?');
    const found = guardViews.of(undefined).gate.find(method, path);
    if (found === undefined) throw new Error(`${method} ${path} is no call`);
    const read = readParameters(found.operation, parseForm(body === '' ? query : body), { types });
    if ('refusal' in read) return read.refusal;
    return this.objects.call(found.operation.name, read.fields, found.ids) as unknown as Answer;
  }
}

type Answered = Extract<Forwarded, { kind: 'answered' }>;

function answered({ status, body, headers = {} }: Answer): Answered {
  const pairs = Object.entries({ 'request-id': 'req_1', 'content-type': 'application/json', ...headers });
  return {
    kind: 'answered',
    status,
    headers: pairs.map(([name, value]) => [name, String(value)]),
    body: Buffer.from(JSON.stringify(body)),
  };
}
