import { Client, type Dispatcher } from 'undici';
import { forwardedHeaders, type HeaderPair, type RawRequest } from './raw-request.ts';

/** What became of a request that was to be sent on. */
export type Forwarded =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: readonly HeaderPair[];
      readonly body: Buffer;
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
  /** Asked right before the first byte leaves; false stops the request, which then is `unsent`. */
  readonly maySend?: () => boolean;
}

/** Shorter than servers keep an idle connection, so that it is seldom closed while a request leaves, in ms. */
const KEEP_ALIVE_MS = 30_000;

/** One connection at a time, and whether it has served a request already. */
interface Line {
  readonly client: Client;
  reused: boolean;
}

/**
 * Sends requests on to one server: the body byte for byte, headers by RFC 9110, no redirect followed. A request is
 * sent a second time only where that cannot do twice what was asked once: after a reset on a connection that was
 * used before, with no byte of an answer, and if its method is idempotent or it carries an idempotency key.
 */
export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #idle: Line[] = [];
  readonly #waiting: ((line: Line) => void)[] = [];
  #lines = 0;

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  async forward(raw: RawRequest, options: ForwardOptions = {}): Promise<Forwarded> {
    const headers = forwardedHeaders(raw, options.headers ?? []);
    const mayRepeat = isRepeatable(raw.method, headers);
    let first: Forwarded | undefined;
    for (;;) {
      const line = await this.#line();
      try {
        const sent = await this.#send(raw, headers, line, options.maySend);
        // What may have left the first time stays unknown, whatever became of the second.
        if (first !== undefined) return sent.outcome.kind === 'unsent' ? first : sent.outcome;
        if (!mayRepeat || !sent.wasReused || sent.hasBytes || !isReset(sent.outcome)) return sent.outcome;
        first = sent.outcome;
      } finally {
        this.#release(line);
      }
    }
  }

  /** Ends all connections, those in use too. */
  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map(({ client }) => client.destroy()));
  }

  #line(): Promise<Line> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return Promise.resolve(idle);
    if (this.#lines >= (this.#options.connections ?? 64)) {
      return new Promise((resolve) => this.#waiting.push(resolve));
    }
    this.#lines += 1;
    const timeout = this.#options.timeoutMs ?? 80_000;
    const client = new Client(this.#options.origin, {
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      headersTimeout: timeout,
      bodyTimeout: timeout,
      connect: { timeout: Math.min(timeout, 10_000) },
      maxResponseSize: this.#options.mostBytes ?? 64 * 1024 * 1024,
    });
    const line: Line = { client, reused: false };
    client.on('connect', () => {
      line.reused = false;
    });
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
  ): Promise<{ outcome: Forwarded; wasReused: boolean; hasBytes: boolean }> {
    return new Promise((resolve) => {
      const chunks: Buffer[] = [];
      let status = 0;
      let answered: readonly HeaderPair[] = [];
      let starts = 0;
      let wasReused = false;
      let isStopped = false;
      const done = (outcome: Forwarded) => {
        line.reused = true;
        resolve({ outcome, wasReused, hasBytes: status !== 0 });
      };
      const handler: Dispatcher.DispatchHandler = {
        onRequestStart: (controller) => {
          starts += 1;
          wasReused = line.reused;
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
