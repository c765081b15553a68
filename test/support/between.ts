import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** What somebody between two does with a call, by the name that its `metadata[step]` gives it, and its count from 1. */
export interface Between {
  readonly before?: (tag: string, count: number) => Promise<'busy' | undefined>;
  /** `cut`: the answer is begun, and then the line is cut; `lost`: before it is begun. */
  readonly after?: (tag: string, count: number, status: number) => Promise<'cut' | 'lost' | undefined>;
  /** Who asked has gone away before the answer came. */
  readonly gone?: (tag: string) => void;
}

/** A proxy that stands between two and misbehaves as it is told; all else goes through as it is. */
export interface OpenBetween {
  readonly url: string;
  count(tag: string): number;
  down(): Promise<void>;
  up(): Promise<void>;
  close(): Promise<void>;
}

export async function openBetween(target: string, between: Between): Promise<OpenBetween> {
  const counts = new Map<string, number>();
  const sockets = new Set<Socket>();
  let port = 0;
  let server = createServer();
  const up = async () => {
    server = createServer((request, response) => {
      void serve(request, response, target, between, counts).catch(() => request.socket.destroy());
    });
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => {});
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    ({ port } = server.address() as AddressInfo);
  };
  const down = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  await up();
  return {
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    count: (tag) => counts.get(tag) ?? 0,
    up,
    down,
    close: down,
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  target: string,
  { before, after, gone }: Between,
  counts: Map<string, number>,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const [, tag = ''] =
    /metadata\[step\]=([\w-]+)/.exec(
      decodeURIComponent(body.toString('latin1').replace(/%(?![0-9a-f]{2})/gi, '%25')),
    ) ?? [];
  const count = (counts.get(tag) ?? 0) + 1;
  counts.set(tag, count);
  response.on('close', () => {
    if (!response.writableEnded) gone?.(tag);
  });
  if ((await before?.(tag, count)) === 'busy') {
    response.writeHead(429, {
      'content-type': 'application/json',
      'request-id': 'req_busy',
      'stripe-should-retry': 'true',
    });
    response.end('{"error":{"type":"invalid_request_error","code":"lock_timeout","message":"in use"}}');
    return;
  }
  const answer = await forward(request, body, target);
  const how = await after?.(tag, count, answer.status);
  if (how !== undefined) {
    if (how === 'cut') response.socket?.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{');
    setTimeout(() => request.socket.destroy(), 20);
    return;
  }
  response.writeHead(answer.status, answer.headers);
  response.end(answer.body);
}

function forward(
  { method, url, rawHeaders }: IncomingMessage,
  body: Buffer,
  target: string,
): Promise<{ status: number; headers: string[]; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(`${target}${url}`, { method, headers: rawHeaders as never }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.rawHeaders, body: Buffer.concat(chunks) }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
