import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** What a test server does with one request; `body` is complete, `index` counts from 0. */
export type Handler = (
  request: http.IncomingMessage & { readonly body: string; readonly index: number },
  response: http.ServerResponse,
) => void;

export interface ReceivedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export interface FaultyServer {
  readonly url: string;
  readonly requests: readonly ReceivedRequest[];
}

/** A server on a free port of this machine that answers as the test wants, ended when the test is over. */
export async function startFaultyServer(handler: Handler): Promise<FaultyServer> {
  const server = await openFaultyServer(handler);
  onTestFinished(() => server.close());
  return server;
}

/** The same, ended by its owner: for tests that run beside each other. */
export async function openFaultyServer(handler: Handler): Promise<FaultyServer & { close(): Promise<void> }> {
  const requests: ReceivedRequest[] = [];
  const sockets = new Set<Socket>();
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      const { method = '', url = '', headers } = request;
      const index = requests.push({ method, url, headers, body }) - 1;
      handler(Object.assign(request, { body, index }), response);
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, close };
}

/** Answers as Stripe does: JSON with a Request-Id. */
export function answerJson(
  response: http.ServerResponse,
  status: number,
  json: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'request-id': 'req_test',
    ...headers,
  });
  response.end(JSON.stringify(json));
}

/** An error of Stripe's form. */
export function stripeError(message: string, code?: string, type = 'invalid_request_error'): unknown {
  return { error: { type, message, ...(code === undefined ? {} : { code }) } };
}
