import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { type Answer, errorAnswer } from './answer.ts';

/** A key that stripe-mock takes; it opens nothing. */
export const STRIPE_MOCK_KEY = 'sk_test_123';

/** A request as it came in, for sending on. */
export interface RawRequest {
  readonly method: string;
  /** Path and query, as they came. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** The server behind the gate. It sees what the caller sent, the key apart; its answer comes back as it is. */
export class Upstream {
  readonly #url: URL;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(url: string) {
    this.#url = new URL(url);
  }

  async send(raw: RawRequest): Promise<Answer> {
    try {
      const response = await this.#exchange(raw);
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      const headers = forwarded(response.headers);
      return { status: response.statusCode ?? 502, body: undefined, raw: Buffer.concat(chunks), headers };
    } catch {
      return errorAnswer(502, {
        type: 'api_error',
        message: `The server behind the gate, ${this.#url.origin}, did not answer.`,
      });
    }
  }

  #exchange(raw: RawRequest): Promise<IncomingMessage> {
    const { method, url, headers, body } = raw;
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          host: this.#url.hostname.replace(/^\[|\]$/g, ''),
          port: this.#url.port,
          method,
          path: url,
          agent: this.#agent,
          headers: {
            ...forwarded(headers),
            authorization: `Bearer ${STRIPE_MOCK_KEY}`,
            ...(body.length === 0 ? {} : { 'content-length': body.length }),
          },
        },
        resolve,
      );
      sent.on('error', (error: NodeJS.ErrnoException) => {
        // A kept connection was closed from the other side. Asking again is safe, since stripe-mock keeps nothing.
        if (sent.reusedSocket && error.code === 'ECONNRESET') resolve(this.#exchange(raw));
        else reject(error);
      });
      sent.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Of one connection and not of the request, or made anew. */
const NOT_FORWARDED: ReadonlySet<string> = new Set([
  'authorization',
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

function forwarded(headers: IncomingHttpHeaders): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || NOT_FORWARDED.has(name)) continue;
    kept[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return kept;
}
