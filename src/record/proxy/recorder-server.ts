import { createServer, type IncomingMessage, request as plainRequest, type ServerResponse } from 'node:http';
import { request as secureRequest } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import type { Catalog } from '../../core/catalog/catalog.ts';
import type { RunRecorder } from '../../core/draft/runs/recorded-run.ts';
import { Forwarder } from '../../http/forward.ts';
import { type RawRequest, withoutHopByHop } from '../../http/raw-request.ts';
import type { Certificates } from './make-certificates.ts';
import { notedExchange } from './noted-exchange.ts';
import { hostFor, isStripeHost } from './stripe-hosts.ts';

export interface RecorderServerOptions {
  readonly catalog: Catalog;
  readonly recorder: RunRecorder;
  /** Where calls to the base address go, and those to Stripe's hosts as well; without it Stripe. */
  readonly upstream?: string | undefined;
  /** Needed where it is to be a proxy; without them every connection is tunnelled. */
  readonly certificates?: Certificates | undefined;
}

/** What came by it. */
export interface RecorderSeen {
  readonly byBase: number;
  readonly byProxy: number;
  /** Stripe's hosts to which a connection was not opened, since the command took the certificate for none. */
  readonly refusedBy: readonly string[];
}

/** A server between a command and Stripe, on this machine alone; it changes nothing of a call. */
export interface RecorderServer {
  readonly url: string;
  readonly seen: RecorderSeen;
  /** Waits until all that came by is noted. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** More than any call of Stripe's takes; a larger one is cut, as Stripe would, in bytes. */
const BODY_LIMIT = 64 * 1024 * 1024;

/** A connection that carried nothing and lasted no longer was left because of its certificate. */
const AT_ONCE_MS = 100;

/** Starts it on a free port of the loopback address. */
export async function startRecorderServer(options: RecorderServerOptions): Promise<RecorderServer> {
  const server = new Recorder(options);
  await server.listen();
  return server;
}

class Recorder implements RecorderServer {
  readonly #options: RecorderServerOptions;
  readonly #secure: SecureContext | undefined;
  readonly #forwarders = new Map<string, Forwarder>();
  /** By which of Stripe's hosts a decrypted connection was opened. */
  readonly #hosts = new WeakMap<Socket, string>();
  /** Decrypted connections that carried a request, and the hosts of such. */
  readonly #asked = new WeakSet<Socket>();
  readonly #openHosts = new Set<string>();
  readonly #sockets = new Set<Socket>();
  readonly #refusedBy = new Set<string>();
  readonly #counts = { byBase: 0, byProxy: 0 };
  readonly #notes = new Set<Promise<void>>();
  readonly #server = createServer({ keepAliveTimeout: 72_000 }, (request, response) => {
    void this.#receive(request, response).catch(() => response.destroy());
  });

  constructor(options: RecorderServerOptions) {
    this.#options = options;
    const { certificates } = options;
    this.#secure =
      certificates === undefined
        ? undefined
        : createSecureContext({ cert: certificates.certificate, key: certificates.key });
    this.#server.on('connect', (request: IncomingMessage, socket: Socket, head: Buffer) =>
      this.#connect(request.url ?? '', socket, head),
    );
    this.#server.on('connection', (socket: Socket) => this.#keep(socket));
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get seen(): RecorderSeen {
    return { ...this.#counts, refusedBy: [...this.#refusedBy].sort() };
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', resolve);
    });
  }

  async settled(): Promise<void> {
    await Promise.all(this.#notes);
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([...this.#forwarders.values()].map((forwarder) => forwarder.close()));
    await closed;
  }

  /** CONNECT: Stripe's hosts are opened, all others are handed through byte for byte. */
  #connect(authority: string, socket: Socket, head: Buffer): void {
    const [, host = '', port = '443'] = /^\[?([^\]]*?)\]?(?::(\d{1,5}))?$/.exec(authority) ?? [];
    socket.on('error', () => socket.destroy());
    if (this.#secure === undefined || !isStripeHost(host) || port !== '443' || this.#refusedBy.has(host)) {
      this.#tunnel(host, Number(port), socket, head);
      return;
    }
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    if (head.length > 0) socket.unshift(head);
    const open = new TLSSocket(socket, { isServer: true, secureContext: this.#secure });
    this.#hosts.set(open, host);
    let securedAt: number | undefined;
    open.once('secure', () => {
      securedAt = performance.now();
      this.#server.emit('connection', open);
    });
    open.on('error', () => open.destroy());
    // Half open, it would stay for good.
    open.on('end', () => open.destroySoon());
    open.once('close', () => {
      if (this.#asked.has(open)) return;
      // In TLS 1.3 a client may end its side before it looks at the certificate, and then leave without a word.
      const lastedMs = performance.now() - (securedAt ?? Number.POSITIVE_INFINITY);
      if (lastedMs < AT_ONCE_MS || !this.#openHosts.has(host)) this.#refusedBy.add(host);
    });
  }

  #tunnel(host: string, port: number, socket: Socket, head: Buffer): void {
    const out = connect({ host, port: Math.min(port, 65_535) }, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      out.write(head);
      out.pipe(socket).pipe(out);
    });
    this.#keep(out);
    out.on('error', () => {
      if (out.connecting) socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
      else socket.destroy();
    });
    socket.once('close', () => out.destroy());
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', headers, rawHeaders, socket } = request;
    const asked = request.url ?? '/';
    // RFC 9112, section 3.2.2: a proxy is asked for a whole URL; some clients do so for https as well.
    const target = !asked.startsWith('/') && URL.canParse(asked) ? new URL(asked) : undefined;
    const host =
      this.#hosts.get(socket) ?? (target?.protocol === 'https:' ? stripeHostOf(target) : undefined);
    if (host === undefined && !asked.startsWith('/')) {
      passOn(target, request, response);
      return;
    }
    this.#asked.add(socket);
    if (host !== undefined) this.#openHosts.add(host);
    const url = target === undefined ? asked : `${target.pathname}${target.search}`;
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > BODY_LIMIT) throw new RangeError('larger than any call');
      chunks.push(chunk);
    }
    const { remoteAddress } = socket;
    const raw: RawRequest = { method, url, headers, rawHeaders, remoteAddress, body: Buffer.concat(chunks) };
    const { upstream, catalog } = this.#options;
    const origin = upstream ?? `https://${host ?? hostFor(method, url, catalog)}`;
    const answer = await this.#forwarder(origin).forward(raw);
    this.#counts[host === undefined ? 'byBase' : 'byProxy'] += 1;
    if (answer.kind !== 'answered') {
      // As it would be without a recorder: a connection that ends.
      socket.destroy();
      this.#note(raw, answer);
      return;
    }
    const length = answer.headers.some(([name]) => name.toLowerCase() === 'content-length');
    response.writeHead(answer.status, [
      ...withoutHopByHop(answer.headers).flat(),
      ...(length || answer.body.length > 0 ? ['content-length', lengthOf(method, answer)] : []),
    ]);
    response.end(answer.body);
    // After it, so that the command does not wait for it.
    this.#note(raw, answer);
  }

  #note(raw: RawRequest, answer: Parameters<typeof notedExchange>[1]): void {
    const note = notedExchange(raw, answer).then((call) => this.#options.recorder.note(call));
    this.#notes.add(note);
    void note.finally(() => this.#notes.delete(note));
  }

  #forwarder(origin: string): Forwarder {
    const known = this.#forwarders.get(origin);
    if (known !== undefined) return known;
    const forwarder = new Forwarder({ origin });
    this.#forwarders.set(origin, forwarder);
    return forwarder;
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }
}

/** An answer to HEAD says how long another would be. */
function lengthOf(
  method: string,
  {
    headers,
    body,
  }: Pick<Extract<Awaited<ReturnType<Forwarder['forward']>>, { kind: 'answered' }>, 'headers' | 'body'>,
): string {
  const said = headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1];
  return method === 'HEAD' && said !== undefined ? said : String(body.length);
}

function stripeHostOf({ hostname }: URL): string | undefined {
  return isStripeHost(hostname) ? hostname : undefined;
}

/** A request to any other server that a proxy is asked for by its whole URL. */
function passOn(target: URL | undefined, request: IncomingMessage, response: ServerResponse): void {
  if (target?.protocol !== 'http:' && target?.protocol !== 'https:') {
    response.writeHead(400).end();
    return;
  }
  const headers = withoutHopByHop(
    request.rawHeaders.flatMap((name, index, all): [string, string][] =>
      index % 2 === 0 ? [[name, all[index + 1] ?? '']] : [],
    ),
  ).flat();
  const out = (target.protocol === 'https:' ? secureRequest : plainRequest)(
    target,
    { method: request.method, headers: ['host', target.host, ...headers], setHost: false },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(response);
    },
  );
  out.on('error', () => response.destroy());
  request.pipe(out);
}
