import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Catalog } from '../core/catalog/catalog.ts';
import type { DeclaredTypes } from '../core/catalog/declared-types.ts';
import { type Answer, errorAnswer } from '../http/answer.ts';
import { Outbox } from '../http/outbox.ts';
import type { RawRequest } from '../http/raw-request.ts';
import { readRequest } from '../http/read-request.ts';
import { type Serving, serve } from '../http/serve.ts';
import type { Behaviour } from './faults/behaviour.ts';
import { cut, drip, FaultInjector, sendForeign, truncated } from './faults/faults.ts';
import type { KeyStore } from './keys/key-store.ts';
import type { ObjectMaker } from './objects/make/make-object.ts';
import { NOT_MODELLED } from './objects/serve-operation.ts';
import { randomText } from './random-text.ts';
import { RequestServer } from './serve-request.ts';
import type { ServerBehind } from './server-behind.ts';
import type { SandboxObjects } from './state/sandbox-objects.ts';

/** What a sandbox is made of. */
export interface SandboxParts {
  readonly catalog: Catalog;
  readonly keys: KeyStore;
  readonly types: DeclaredTypes;
  readonly maker: ObjectMaker;
  readonly objects: SandboxObjects;
  readonly behaviour: Behaviour;
  /** The clock, in ms since 1970. */
  readonly now: () => number;
  /** What the gate lets through goes on to it. */
  readonly behind: ServerBehind | undefined;
}

/** Larger than any upload of the API's own; Stripe takes files up to 16 MB. */
const BODY_LIMIT = 17_000_000;

/** The sandbox on the wire: takes requests, misbehaves where it is told to, sends answers and counts them. */
export class SandboxServer {
  readonly requests = new Map<string, number>();
  readonly #parts: SandboxParts;
  readonly #server: RequestServer;
  readonly #faults = new FaultInjector();
  readonly #outbox = new Outbox();
  #serving: Serving | undefined;

  constructor(parts: SandboxParts) {
    this.#parts = parts;
    this.#server = new RequestServer(parts, this.#faults);
  }

  /** @throws KeyauditError `PORT_TAKEN` */
  async listen(host: string | undefined, port: number): Promise<string> {
    this.#serving = await serve({
      name: 'The sandbox',
      host,
      port,
      admit: (head, response) => ({
        bodyLimit: BODY_LIMIT,
        receive: async (body) => {
          if (body !== undefined) await this.#answer({ ...head, body }, response);
          else this.#put(errorAnswer(413, { message: 'The request body is too large.' }), response, {});
        },
      }),
      failed: (error, response) => {
        const message = `The sandbox failed; this is a bug of keyaudit (${(error as Error).name}).`;
        this.#put(errorAnswer(500, { type: 'api_error', message }), response, {});
      },
    });
    return this.#serving.url;
  }

  async close(): Promise<void> {
    this.#server.close();
    await this.#serving?.close();
    await this.#parts.behind?.close();
    await this.#parts.objects.close();
  }

  async #answer(raw: RawRequest, response: ServerResponse): Promise<void> {
    const { behaviour, now } = this.#parts;
    if (behaviour.latencyMs > 0) await delay(behaviour.latencyMs, undefined, { ref: false });
    const fault = this.#faults.next(behaviour, now());
    if (fault === 'reset') return cut(response);
    if (fault === 'hang') return;
    const requestId = `req_${randomText(14)}`;
    const headers: Record<string, string> = { 'request-id': requestId };
    if (typeof fault === 'object' && 'answer' in fault) return this.#put(fault.answer, response, headers);
    const parsed = await readRequest(raw);
    if ('refusal' in parsed) return this.#put(parsed.refusal, response, headers);
    let answer = await this.#server.serve(parsed, requestId);
    if (answer === 'lost') return cut(response);
    if (typeof fault === 'object' && 'foreign' in fault) return sendForeign(fault.foreign, response, answer);
    if (answer.raw !== undefined) return this.#put(answer, response, headers, fault === 'truncate');
    headers['stripe-version'] = parsed.version ?? this.#parts.catalog.apiVersion;
    const lacking = this.#server.notModelled(parsed.version);
    if (lacking !== undefined) {
      const more = answer.headers?.[NOT_MODELLED];
      const both = more === undefined ? lacking : `${lacking}; ${more}`;
      answer = { ...answer, headers: { ...answer.headers, [NOT_MODELLED]: both } };
    }
    if (parsed.idempotencyKey !== undefined) headers['idempotency-key'] = parsed.idempotencyKey;
    this.#put(answer, response, headers, fault === 'truncate');
  }

  /** Counts an answer and hands it over for sending; `headers` becomes its own. */
  #put(
    answer: Answer,
    response: ServerResponse,
    headers: Record<string, string | string[]>,
    truncate = false,
  ): void {
    const { behaviour, now } = this.#parts;
    const counted = `${response.req.method} ${answer.status}`;
    this.requests.set(counted, (this.requests.get(counted) ?? 0) + 1);
    const text = answer.raw ?? JSON.stringify(answer.body);
    const all = Object.assign(headers, answer.headers);
    if (answer.raw === undefined) all['content-type'] ??= 'application/json';
    if (behaviour.clockSkewSeconds !== 0) {
      all.date = new Date(now() + behaviour.clockSkewSeconds * 1000).toUTCString();
    }
    if (behaviour.slowBodyMs > 0) {
      void drip(response, { status: answer.status, headers: all, text, overMs: behaviour.slowBodyMs });
      return;
    }
    const body = truncate ? truncated(text) : text;
    all['content-length'] = `${Buffer.byteLength(body)}`;
    response.writeHead(answer.status, all);
    this.#outbox.end(response, body);
  }
}
