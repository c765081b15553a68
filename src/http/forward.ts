import type { Socket } from 'node:net';
import { buildConnector, Client, type Dispatcher } from 'undici';
import type { SecretKey } from '../core/secret-key.ts';
import { forwardedHeaders, type HeaderPair, type RawRequest } from './raw-request.ts';

/** What became of a request that was to be sent on. */
export type Forwarded =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: readonly HeaderPair[];
      readonly body: Buffer;
      /** It was sent a second time: what became of the first sending this answer alone does not say. */
      readonly isSecond?: true;
    }
  /** Certain that the server saw nothing of it: no connection, no TLS, or stopped before the first byte. */
  | { readonly kind: 'unsent'; readonly cause: unknown }
  /** Bytes may have left, and no whole answer came: nobody knows whether the server did it. */
  | { readonly kind: 'unknown'; readonly cause: unknown };

export interface ForwarderOptions {
  /** Where requests go: scheme, host and port. Never a path. */
  readonly origin: string;
  /** How long the server may take for its head, and between two parts of its body, in ms (default 80,000, as the SDKs). */
  readonly timeoutMs?: number;
  /** An answer larger than this is cut off and counts as none, in bytes (default 64 MiB). */
  readonly mostBytes?: number;
  /** Connections at a time (default 64); more requests wait. */
  readonly connections?: number;
}

export interface ForwardOptions {
  /** Headers of the sender's own; each takes the place of the caller's of that name. */
  readonly headers?: readonly HeaderPair[];
  /** Sent as the bearer, in place of the caller's own. */
  readonly key?: SecretKey;
  /** Asked right before the first byte leaves; false stops the request, which then is `unsent`. */
  readonly maySend?: () => boolean;
}

/** Shorter than servers keep an idle connection, so that it is seldom closed while a request leaves, in ms. */
const KEEP_ALIVE_MS = 30_000;

/** One connection at a time: its socket of now, and whether that has served a request already. */
interface Line {
  readonly client: Client;
  socket?: Socket;
  reused: boolean;
}

/** What became of one sending, and what decides whether there may be a second. */
interface Sending {
  readonly outcome: Forwarded;
  readonly wasReused: boolean;
  /** Whether any byte came back, even of half a head or of a 1xx. */
  readonly hasBytes: boolean;
}

/**
 * Sends requests on to one server: the body byte for byte, headers by RFC 9110, no redirect followed. A request is
 * sent a second time only where that cannot do twice what was asked once: after a reset on a connection that was
 * used before, with no byte of an answer, and if its method is idempotent or it carries an idempotency key.
 */
export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #idle: Line[] = [];
  readonly #lines = new Set<Line>();
  readonly #waiting: ((line: Line | undefined) => void)[] = [];
  #isClosed = false;

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  async forward(raw: RawRequest, options: ForwardOptions = {}): Promise<Forwarded> {
    const headers = forwardedHeaders(raw, ownHeaders(options));
    const mayRepeat = isRepeatable(raw.method, headers);
    const line = await this.#line();
    if (line === undefined) return { kind: 'unsent', cause: new Error('closed before it was sent') };
    try {
      const first = await this.#send(raw, headers, line, options.maySend);
      const again = mayRepeat && first.wasReused && !first.hasBytes && isReset(first.outcome);
      if (!again) return first.outcome;
      // The same line connects anew, where another could be as stale.
      const { outcome } = await this.#send(raw, headers, line, options.maySend);
      // That the second sending never began says nothing of the first.
      if (outcome.kind === 'unsent') return { kind: 'unknown', cause: outcome.cause };
      return outcome.kind === 'answered' ? { ...outcome, isSecond: true } : outcome;
    } finally {
      this.#release(line);
    }
  }

  /** Ends all connections, those in use too; what waits for one, or comes later, is `unsent`. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const next of this.#waiting.splice(0)) next(undefined);
    await Promise.all([...this.#lines].map(({ client }) => client.destroy()));
  }

  #line(): Promise<Line | undefined> {
    if (this.#isClosed) return Promise.resolve(undefined);
    const idle = this.#idle.pop();
    if (idle !== undefined) return Promise.resolve(idle);
    if (this.#lines.size >= (this.#options.connections ?? 64)) {
      return new Promise((resolve) => this.#waiting.push(resolve));
    }
    const line = openLine(this.#options);
    this.#lines.add(line);
    return Promise.resolve(line);
  }

  #release(line: Line): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(line);
    else next(line);
  }

  #send(
    { method, url, body }: RawRequest,
    headers: readonly HeaderPair[],
    line: Line,
    maySend: (() => boolean) | undefined,
  ): Promise<Sending> {
    return new Promise((resolve) => {
      const chunks: Buffer[] = [];
      let status = 0;
      let answered: readonly HeaderPair[] = [];
      let starts = 0;
      let bytesBefore = 0;
      let wasReused = false;
      let isStopped = false;
      const done = (outcome: Forwarded) => {
        line.reused = true;
        resolve({ outcome, wasReused, hasBytes: (line.socket?.bytesRead ?? 0) > bytesBefore });
      };
      const handler: Dispatcher.DispatchHandler = {
        onRequestStart: (controller) => {
          starts += 1;
          wasReused = line.reused;
          bytesBefore = line.socket?.bytesRead ?? 0;
          // The client never asks by itself twice: who sent this decides.
          isStopped = starts === 1 && maySend?.() === false;
          if (isStopped || starts > 1) controller.abort(new Error('stopped before it was sent'));
        },
        onResponseStart: (controller, code) => {
          // 1xx says that the answer is still to come.
          if (code < 200) return;
          status = code;
          answered = pairsOf(controller.rawHeaders);
        },
        onResponseData: (_controller, chunk) => {
          chunks.push(chunk);
        },
        onResponseEnd: () => {
          done({ kind: 'answered', status, headers: answered, body: Buffer.concat(chunks) });
        },
        onResponseError: (_controller, cause) => {
          done({ kind: starts === 0 || isStopped ? 'unsent' : 'unknown', cause });
        },
      };
      const wire = headers.flat();
      const path = url === '' ? '/' : url;
      line.client.dispatch(
        {
          method: method as Dispatcher.HttpMethod,
          path,
          headers: wire,
          body: body.length === 0 ? null : body,
        },
        handler,
      );
    });
  }
}

function ownHeaders({ headers = [], key }: ForwardOptions): readonly HeaderPair[] {
  return key === undefined ? headers : [...headers, ['Authorization', `Bearer ${key.reveal()}`]];
}

function openLine({ origin, timeoutMs: timeout = 80_000, mostBytes }: ForwarderOptions): Line {
  const connect = buildConnector({ timeout: Math.min(timeout, 10_000) });
  const client = new Client(origin, {
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    headersTimeout: timeout,
    bodyTimeout: timeout,
    connect: (options, callback) =>
      connect(options, (...result) => {
        if (result[1] !== null) Object.assign(line, { socket: result[1], reused: false });
        callback(...result);
      }),
    maxResponseSize: mostBytes ?? 64 * 1024 * 1024,
  });
  const line: Line = { client, reused: false };
  return line;
}

/** RFC 9110, section 9.2.2; an idempotency key makes a POST so. */
function isRepeatable(method: string, headers: readonly HeaderPair[]): boolean {
  if (/^(GET|HEAD|OPTIONS|PUT|DELETE)$/.test(method)) return true;
  return headers.some(([name, value]) => name.toLowerCase() === 'idempotency-key' && value !== '');
}

function isReset(outcome: Forwarded): boolean {
  if (outcome.kind !== 'unknown') return false;
  const { code } = outcome.cause as { code?: string };
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'UND_ERR_SOCKET';
}

function pairsOf(raw: readonly (Buffer | string)[] | object | null | undefined): readonly HeaderPair[] {
  if (!Array.isArray(raw)) return [];
  const texts = raw.map((text) => (typeof text === 'string' ? text : text.toString('latin1')));
  return texts.flatMap((name, index): HeaderPair[] =>
    index % 2 === 0 ? [[name, texts[index + 1] ?? '']] : [],
  );
}
