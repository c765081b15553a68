import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EXIT, KeyauditError } from '../core/error.ts';
import { serveInProcess } from './in-process.ts';
import type { RawRequest } from './raw-request.ts';

export interface ServeOptions {
  /** Whose server it is, for errors: `The sandbox`. */
  readonly name: string;
  /** Undefined: it listens nowhere, and this process alone reaches it. */
  readonly host: string | undefined;
  /** 0 picks a free one. */
  readonly port: number;
  /** Asked with the head alone, before any of the body is read; undefined when it has answered already. */
  readonly admit: (head: RequestHead, response: ServerResponse) => Admission | undefined;
  /** Called when `admit` or `receive` failed and nothing was answered yet. */
  readonly failed: (error: unknown, response: ServerResponse) => void;
  /** Called for what is no HTTP, and then the connection ends: what to send before, as it stands on the wire. */
  readonly unreadable?: () => string;
}

/** A request before its body. */
export type RequestHead = Omit<RawRequest, 'body'>;

/** A request whose body is wanted. */
export interface Admission {
  /** A larger body is not kept, in bytes. */
  readonly bodyLimit: number;
  /** Called with the whole body; `undefined` for one that is too large. */
  readonly receive: (body: Buffer | undefined) => Promise<void>;
}

/** A server that listens. */
export interface Serving {
  readonly url: string;
  /** Cuts every connection and stops listening. */
  close(): Promise<void>;
}

/** Longer than a client pauses between two requests, so that its connection is still there, in ms. */
const KEEP_ALIVE_MS = 72_000;

/** Serves whole requests over HTTP. @throws KeyauditError `PORT_TAKEN` */
export async function serve(options: ServeOptions): Promise<Serving> {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    void receive(request, response, options);
  });
  // Who asks before it sends its body hears the answer to its head first.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    void receive(request, response, options, () => response.writeContinue());
  });
  const { unreadable } = options;
  if (unreadable !== undefined) {
    server.on('clientError', (_error, socket) => {
      if (socket.writable) socket.end(unreadable());
      else socket.destroy();
    });
  }
  const { host } = options;
  if (host === undefined) {
    const { url, close } = serveInProcess(server);
    return { url, close: async () => close() };
  }
  const url = await listen(server, { ...options, host });
  return {
    url,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function listen(
  server: Server,
  { name, host, port }: ServeOptions & { readonly host: string },
): Promise<string> {
  try {
    server.listen(port, host);
    await once(server, 'listening');
    const { port: own } = server.address() as AddressInfo;
    return `http://${host.includes(':') ? `[${host}]` : host}:${own}`;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new KeyauditError('PORT_TAKEN', `${name} cannot listen on ${host}:${port} (${code}).`, {
      hint:
        code === 'EADDRINUSE'
          ? 'Something else listens there; --port 0 picks a free one.'
          : 'Choose another --host or --port.',
      exitCode: EXIT.usage,
      cause,
    });
  }
}

async function receive(
  request: IncomingMessage,
  response: ServerResponse,
  options: ServeOptions,
  goOn?: () => void,
): Promise<void> {
  try {
    const { method = 'GET', url = '/', headers, rawHeaders } = request;
    const admission = options.admit(
      { method, url, headers, rawHeaders, remoteAddress: request.socket.remoteAddress },
      response,
    );
    if (admission === undefined) return;
    goOn?.();
    await admission.receive(await bodyOf(request, admission.bodyLimit));
  } catch (error) {
    // Who cut the connection hears no answer.
    if (!response.destroyed && !response.headersSent) options.failed(error, response);
  }
}

const NO_BODY = Buffer.alloc(0);

/** All of a body; undefined when it is too large, and then the rest is read and dropped. */
function bodyOf(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (length === undefined && encoding === undefined) return Promise.resolve(NO_BODY);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
    });
    request.on('end', () => {
      const [first = NO_BODY] = chunks;
      resolve(size > limit ? undefined : chunks.length > 1 ? Buffer.concat(chunks) : first);
    });
    request.on('error', reject);
  });
}
