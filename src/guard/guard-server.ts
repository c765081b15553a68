import type { ServerResponse } from 'node:http';
import type { Operation } from '../core/catalog/catalog.ts';
import type { NoteEvent } from '../core/spend/log-row.ts';
import { credentialsIn } from '../gate/credentials.ts';
import type { VersionViews } from '../gate/version-view.ts';
import type { Forwarded } from '../http/forward.ts';
import { withoutHopByHop } from '../http/raw-request.ts';
import { type Admission, type RequestHead, type Serving, serve } from '../http/serve.ts';
import { CallGuard, type CallGuardParts } from './call/call-guard.ts';
import type { Caller } from './call/caller.ts';
import { cleanPath } from './read/clean-path.ts';
import { bodyLimit, type CallHead, type HeadRefusal, readCall, readHead } from './read/read-call.ts';
import { type Refusal, refusalAnswer, refusalStatus } from './refusal.ts';
import { runKeyDigest } from './run-key.ts';
import type { ServedProfiles } from './served-profiles.ts';

/** What a guard on the wire is made of. */
export interface GuardServerParts extends CallGuardParts {
  readonly views: VersionViews;
  readonly profiles: ServedProfiles;
  /** The clock of the machine, in ms since 1970; `now` is the same, and never goes back. */
  readonly clock: () => number;
  /** Where docs/guard.md of this version can be read. */
  readonly docs: string;
}

/** Calls at once, and bytes of their bodies: more is refused, so that memory is bounded. */
const MOST_CALLS = 2_000;
const MOST_BYTES = 128 * 1024 * 1024;
/** Of them one run gets this part: an agent that holds its bodies back shuts out no other. */
const PART_OF_RUN = 1 / 2;
/** A clock that goes back further is not to be counted by, in ms. */
const CLOCK_SLACK_MS = 1_000;

/** The guard on the wire: who is it → what is asked → the call's own way → the answer. */
export class GuardServer {
  readonly #parts: GuardServerParts;
  readonly #calls: CallGuard;
  #serving: Serving | undefined;
  #isDraining = false;
  #calling = 0;
  #bytes = 0;
  readonly #ofRuns = new Map<string, { calls: number; bytes: number }>();
  /** Requests whose key nobody knows; they are counted and not logged, since anybody can send them. */
  strangers = 0;

  constructor(parts: GuardServerParts) {
    this.#parts = parts;
    this.#calls = new CallGuard(parts);
  }

  /** @throws KeyauditError `PORT_TAKEN` */
  async listen(host: string, port: number): Promise<string> {
    this.#serving = await serve({
      name: 'The guard',
      host,
      port,
      admit: (head, response) => this.#admit(head, response),
      failed: (error, response) => {
        this.#parts.alarm(`The guard failed; this is a bug of keyaudit (${(error as Error).stack}).`);
        this.#refuse(response, { code: 'keyaudit_unavailable', why: 'the guard failed' }, 'the call');
      },
      unreadable: () => unreadable(this.#parts.docs),
    });
    return this.#serving.url;
  }

  /** Nothing new is let in; what goes on goes on. */
  drain(): void {
    this.#isDraining = true;
  }

  async close(): Promise<void> {
    await this.#serving?.close();
  }

  /** What can be told from the head alone. */
  #admit(head: RequestHead, response: ServerResponse): Admission | undefined {
    const from = performance.now();
    const what = `${head.method} ${head.url
      .slice(0, 100)
      .replace(/[?].*/, '')
      .replace(/[^\w/.{}-]/g, '?')}`;
    const refuse = (refusal: HeadRefusal, caller?: Caller, call?: CallHead): undefined => {
      const operation = call?.operation ?? refusal.operation ?? this.#operationOf(head);
      if (head.headers.expect !== undefined) response.setHeader('Connection', 'close');
      this.#refuse(response, refusal, operation?.name ?? what);
      if (caller !== undefined) this.#noteRefusal(refusal, caller, head, { ...call, operation }, from);
      return undefined;
    };
    const shut = this.#shut();
    if (shut !== undefined) return refuse({ code: 'keyaudit_unavailable', why: shut });
    const who = this.#who(head);
    if ('code' in who) return refuse(who);
    const call = readHead(head, who.served, this.#parts.views);
    if ('code' in call) return refuse(call, who);
    const limit = bodyLimit(call);
    const bytes =
      call.method === 'GET' ? 0 : Math.min(limit, Number(head.headers['content-length'] ?? limit));
    const letGo = this.#take(who.run.id, bytes);
    if (letGo === undefined) {
      return refuse({ code: 'keyaudit_unavailable', why: 'too much is on its way' }, who, call);
    }
    let isOver = false;
    const over = () => {
      if (isOver) return;
      isOver = true;
      letGo();
    };
    // An agent that goes away in the middle of its body never gets as far as `receive`.
    response.once('close', () => setImmediate(() => isReceived || over()));
    let isReceived = false;
    return {
      bodyLimit: limit,
      receive: async (body) => {
        isReceived = true;
        try {
          await this.#serve(call, head, body, who, response, from);
        } finally {
          over();
        }
      },
    };
  }

  /** Takes a place for a call and its body. @returns gives it back; undefined where there is none */
  #take(run: string, bytes: number): (() => void) | undefined {
    const own = this.#ofRuns.get(run) ?? { calls: 0, bytes: 0 };
    const isFull = this.#bytes + bytes > MOST_BYTES || own.bytes + bytes > MOST_BYTES * PART_OF_RUN;
    if (isFull || own.calls >= MOST_CALLS * PART_OF_RUN) return undefined;
    const add = (calls: 1 | -1) => {
      this.#calling += calls;
      this.#bytes += calls * bytes;
      own.calls += calls;
      own.bytes += calls * bytes;
      if (own.calls === 0) this.#ofRuns.delete(run);
      else this.#ofRuns.set(run, own);
    };
    add(1);
    return () => add(-1);
  }

  /** The operation that a head names, for the words of a refusal that looked no further. */
  #operationOf({ method, url }: RequestHead): Operation | undefined {
    const clean = cleanPath(url);
    return clean.ok ? this.#parts.views.of(undefined).gate.find(method, clean.path)?.operation : undefined;
  }

  /** Why nothing is let in at all. */
  #shut(): string | undefined {
    const { store, clock } = this.#parts;
    if (this.#isDraining) return 'the guard is ending';
    if (this.#calling >= MOST_CALLS) return 'too many calls are on their way';
    if (clock() + CLOCK_SLACK_MS < store.book.lastTime) return 'the clock of the machine went back';
    return undefined;
  }

  #who({ headers }: RequestHead): Caller | Refusal {
    const { store, profiles, now } = this.#parts;
    const credentials = credentialsIn(headers.authorization);
    const digest = typeof credentials === 'object' ? runKeyDigest(credentials.token) : undefined;
    const found = digest === undefined ? undefined : store.book.runs.byKey(digest, now());
    if (found === undefined) {
      this.strangers += 1;
      return { code: 'keyaudit_run_unknown', why: 'the key is no run key of this guard' };
    }
    const { run, state } = found;
    if (state !== 'live') return STATES[state];
    const served = profiles.servedFor(run);
    return served === undefined
      ? { code: 'keyaudit_run_ended', why: 'the profile of the run is not served any more' }
      : { run, served };
  }

  async #serve(
    call: CallHead,
    head: RequestHead,
    body: Buffer | undefined,
    caller: Caller,
    response: ServerResponse,
    from: number,
  ): Promise<void> {
    const whole = readCall(call, body, caller.served, this.#parts.views);
    const ended = 'code' in whole ? { refusal: whole } : await this.#calls.serve(whole, head, caller);
    if ('refusal' in ended) {
      this.#refuse(response, ended.refusal, call.operation.name);
      this.#noteRefusal(ended.refusal, caller, head, call, from);
    } else send(response, ended.answer);
  }

  #refuse(response: ServerResponse, refusal: Refusal, what: string): void {
    const { status, headers, body } = refusalAnswer(refusal, what, this.#parts.docs);
    const text = JSON.stringify(body);
    response.writeHead(status, {
      ...headers,
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(text),
    });
    response.end(text);
  }

  #noteRefusal(
    { code }: Refusal,
    { run, served }: Caller,
    { method }: RequestHead,
    call: Partial<CallHead>,
    from: number,
  ): void {
    const { store, now } = this.#parts;
    const row: NoteEvent = {
      kind: 'refuse',
      run: run.id,
      profile: served.profile.name,
      policy: served.digest,
      method,
      operation: call.operation?.name,
      path: call.operation?.path,
      ids: call.ids?.length === 0 ? undefined : call.ids,
      account: call.account,
      status: refusalStatus(code),
      code,
      verdict: 'refused',
      msGuard: Math.round((performance.now() - from) * 10) / 10,
    };
    store.note(row, now());
  }
}

const STATES: Readonly<Record<'ended' | 'expired' | 'killed', Refusal>> = {
  ended: { code: 'keyaudit_run_ended', why: 'the run has ended' },
  expired: { code: 'keyaudit_run_expired', why: 'the run key has expired' },
  killed: { code: 'keyaudit_run_killed', why: 'the run was killed' },
};

/** Headers of Stripe's answers that are no business of the agent's. */
const KEPT_BACK = /^(?:set-cookie|content-encoding|alt-svc|strict-transport-security)$/i;

function send(response: ServerResponse, answer: Extract<Forwarded, { kind: 'answered' }>): void {
  const { status, headers, body } = answer;
  const kept = withoutHopByHop(headers).filter(([name]) => !KEPT_BACK.test(name));
  response.writeHead(status, [
    ...kept.flat(),
    'Content-Length',
    String(body.length),
    'Keyaudit-Guard',
    'passed',
  ]);
  response.end(body);
}

/** Sent for what is no HTTP, as it stands on the wire. */
function unreadable(docs: string): string {
  const refusal = { code: 'keyaudit_ambiguous_request' as const, why: 'it is no HTTP request' };
  const { body } = refusalAnswer(refusal, 'a request', docs);
  const text = JSON.stringify(body);
  return `HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`;
}
