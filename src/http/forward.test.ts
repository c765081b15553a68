import { createServer as createHttp, type IncomingMessage } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Forwarder } from './forward.ts';
import { forwardedHeaders, type RawRequest, withoutHopByHop } from './raw-request.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A server that reads whole requests off a socket and does with each, first to last, what the script says. */
async function scripted(
  script: readonly ((socket: Socket) => void)[],
): Promise<{ origin: string; seen: string[]; connections: () => number }> {
  const seen: string[] = [];
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    let text = '';
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (end < 0 || text.length < end + 4 + length) return;
      seen.push(text);
      text = '';
      (script[seen.length - 1] ?? answers)(socket);
    });
  });
  const origin = await listening(server);
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { origin, seen, connections: () => connections };
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

const answers = (socket: Socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
const resets = (socket: Socket) => void socket.resetAndDestroy();
const ends = (socket: Socket) => void socket.end();
const resetsAfterBytes = (socket: Socket) => {
  socket.write('HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf', () =>
    setImmediate(() => socket.resetAndDestroy()),
  );
};

function request(method: string, headers: readonly string[] = [], body = ''): RawRequest {
  return {
    method,
    url: '/v1/things',
    headers: {},
    rawHeaders: headers,
    body: Buffer.from(body),
    remoteAddress: '127.0.0.1',
  };
}

function forwarder(origin: string, options: { mostBytes?: number; timeoutMs?: number } = {}): Forwarder {
  const made = new Forwarder({ origin, ...options });
  closing.push(() => made.close());
  return made;
}

const KEY = ['Idempotency-Key', 'once'];

describe('what is sent a second time', () => {
  // The first request makes the connection a used one; the second meets what the script says.
  it.each<
    [string, string, readonly string[], readonly ((socket: Socket) => void)[], boolean, string, number]
  >([
    ['GET, reset on a used connection', 'GET', [], [answers, resets, answers], true, 'answered', 3],
    ['GET, closed on a used connection', 'GET', [], [answers, ends, answers], true, 'answered', 3],
    ['GET, reset on a new connection', 'GET', [], [resets], false, 'unknown', 1],
    ['GET, reset twice', 'GET', [], [answers, resets, resets], true, 'unknown', 3],
    ['GET, reset after the first bytes', 'GET', [], [answers, resetsAfterBytes], true, 'unknown', 2],
    ['DELETE, reset on a used connection', 'DELETE', [], [answers, resets, answers], true, 'answered', 3],
    ['POST without a key, reset on a used connection', 'POST', [], [answers, resets], true, 'unknown', 2],
    ['POST without a key, reset on a new connection', 'POST', [], [resets], false, 'unknown', 1],
    ['POST with an empty key', 'POST', ['Idempotency-Key', ''], [answers, resets], true, 'unknown', 2],
    [
      'POST with a key, reset on a used connection',
      'POST',
      KEY,
      [answers, resets, answers],
      true,
      'answered',
      3,
    ],
    ['POST with a key, reset on a new connection', 'POST', KEY, [resets], false, 'unknown', 1],
    [
      'POST with a key, reset after the first bytes',
      'POST',
      KEY,
      [answers, resetsAfterBytes],
      true,
      'unknown',
      2,
    ],
    ['PATCH, reset on a used connection', 'PATCH', [], [answers, resets], true, 'unknown', 2],
  ])('%s', async (_name, method, headers, script, isUsed, kind, requests) => {
    const { origin, seen } = await scripted(script);
    const forward = forwarder(origin);
    if (isUsed) expect((await forward.forward(request('GET'))).kind).toBe('answered');
    const sent = await forward.forward(request(method, headers, method === 'GET' ? '' : 'amount=1'));
    expect([sent.kind, seen.length]).toEqual([kind, requests]);
  });

  it('counts as unsent where nobody listens, and where the sender said no', async () => {
    const server = createServer();
    const origin = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    expect((await forwarder(origin).forward(request('POST', [], 'a=1'))).kind).toBe('unsent');
    const open = await scripted([]);
    const stopped = await forwarder(open.origin).forward(request('POST', [], 'a=1'), {
      maySend: () => false,
    });
    expect([stopped.kind, open.seen]).toEqual(['unsent', []]);
  });

  it('counts as unknown what may have left before the second sending was stopped or met nobody', async () => {
    const { origin } = await scripted([answers, resets]);
    const stopped = forwarder(origin);
    await stopped.forward(request('GET'));
    let asked = 0;
    const maySend = () => ++asked === 1;
    expect([(await stopped.forward(request('POST', KEY, 'a=1'), { maySend })).kind, asked]).toEqual([
      'unknown',
      2,
    ]);
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        answers(socket);
        socket.once('data', () => {
          server.close();
          socket.resetAndDestroy();
        });
      });
    });
    const met = forwarder(await listening(server));
    await met.forward(request('GET'));
    expect((await met.forward(request('POST', KEY, 'a=1'))).kind).toBe('unknown');
  });

  it.each<[string, string]>([
    ['half a status line', 'HTTP/1.1 20'],
    ['half a head', 'HTTP/1.1 200 OK\r\nContent-Le'],
    ['an early hint', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
  ])('%s is bytes of an answer', async (_name, text) => {
    const breaks = (socket: Socket) => void socket.end(text);
    const { origin, seen } = await scripted([answers, breaks]);
    const made = forwarder(origin);
    await made.forward(request('GET'));
    expect([(await made.forward(request('POST', KEY, 'a=1'))).kind, seen.length]).toEqual(['unknown', 2]);
  });

  it('ends at once what is under way when it is closed', async () => {
    const { origin, seen } = await scripted([() => {}]);
    const made = new Forwarder({ origin, connections: 1 });
    const first = made.forward(request('POST', KEY, 'a=1'));
    const waiting = made.forward(request('POST', KEY, 'a=2'));
    while (seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await made.close();
    expect([(await first).kind, (await waiting).kind, seen.length]).toEqual(['unknown', 'unsent', 1]);
    expect((await made.forward(request('GET'))).kind).toBe('unsent');
  });

  it('goes on after a request that was stopped', async () => {
    const { origin } = await scripted([]);
    const forward = forwarder(origin);
    await forward.forward(request('POST', [], 'a=1'), { maySend: () => false });
    expect((await forward.forward(request('POST', [], 'a=1'))).kind).toBe('answered');
  });

  it.each<[string, string]>([
    ['no HTTP', 'hello'],
    ['a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n'],
    ['more than it may have', `HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n${'x'.repeat(5_000)}`],
    ['an answer cut short', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'],
  ])('an answer that is %s is no answer', async (_name, text) => {
    const { origin, seen } = await scripted([(socket) => void socket.end(text)]);
    const sent = await forwarder(origin, { mostBytes: 1_000 }).forward(request('POST', KEY, 'a=1'));
    expect([sent.kind, seen.length]).toEqual(['unknown', 1]);
  });

  it('waits no longer than it was told to', async () => {
    const { origin } = await scripted([() => {}]);
    expect((await forwarder(origin, { timeoutMs: 100 }).forward(request('POST', KEY, 'a=1'))).kind).toBe(
      'unknown',
    );
  });
});

describe('headers', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    [
      'of one hop are dropped',
      ['TE', 'trailers', 'Upgrade', 'h2c', 'Keep-Alive', 'x', 'Proxy-Authorization', 'x'],
      [],
    ],
    ['named by Connection are dropped', ['Connection', 'X-A , close', 'X-A', '1', 'X-B', '2'], ['X-B: 2']],
    [
      'of several Connection headers count',
      ['connection', 'x-a', 'X-A', '1', 'Connection', 'X-C', 'x-c', '3', 'X-B', '2'],
      ['X-B: 2'],
    ],
    ['that repeat are kept apart', ['X-A', '1', 'x-a', '2, 3'], ['X-A: 1', 'x-a: 2, 3']],
    ['keep their spelling and order', ['b', '1', 'A', '2'], ['b: 1', 'A: 2']],
    [
      'about the body and the host are made anew',
      ['Host', 'x', 'Content-Length', '5', 'Transfer-Encoding', 'chunked'],
      [],
    ],
  ])('%s', (_name, rawHeaders, kept) => {
    const headers = forwardedHeaders({ rawHeaders }, [['Authorization', 'Bearer own']]);
    expect(headers.map(([name, value]) => `${name}: ${value}`)).toEqual([
      ...kept,
      'Authorization: Bearer own',
    ]);
  });

  it('of the sender cannot be named away by the caller, nor doubled', () => {
    const rawHeaders = [
      'Connection',
      'authorization, idempotency-key',
      'authorization',
      'Bearer theirs',
      'Idempotency-Key',
      'x',
    ];
    expect(
      forwardedHeaders({ rawHeaders }, [
        ['Authorization', 'Bearer own'],
        ['Idempotency-Key', 'own'],
      ]),
    ).toEqual([
      ['Authorization', 'Bearer own'],
      ['Idempotency-Key', 'own'],
    ]);
  });

  it('of an answer come back apart, the body byte for byte', async () => {
    let seen: IncomingMessage | undefined;
    const bytes = Buffer.from([0, 255, 13, 10, 128]);
    const received: Buffer[] = [];
    const server = createHttp((incoming, response) => {
      seen = incoming;
      incoming.on('data', (chunk: Buffer) => received.push(chunk));
      incoming.on('end', () =>
        response
          .writeHead(201, { 'Set-Cookie': ['a=1', 'b=2'], Connection: 'x-own', 'X-Own': '1' })
          .end(bytes),
      );
    });
    const origin = await listening(server);
    closing.push(async () => {
      server.closeAllConnections();
      server.close();
    });
    const sent = await forwarder(origin).forward(
      { ...request('POST', ['X-A', '1', 'X-A', '2']), body: bytes },
      { headers: [['Authorization', 'Bearer own']] },
    );
    if (sent.kind !== 'answered') throw new Error(sent.kind);
    expect([sent.status, sent.body, Buffer.concat(received)]).toEqual([201, bytes, bytes]);
    expect(withoutHopByHop(sent.headers).filter(([name]) => /cookie|own/i.test(name))).toEqual([
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
    ]);
    expect(seen?.rawHeaders.filter((_, index, all) => all[index - 1] === 'X-A')).toEqual(['1', '2']);
    expect(seen?.headers).toMatchObject({ authorization: 'Bearer own', 'content-length': '5' });
  });

  it('follows no redirect', async () => {
    const { origin, seen } = await scripted([
      (socket) =>
        void socket.write('HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n'),
    ]);
    expect(await forwarder(origin).forward(request('GET'))).toMatchObject({ kind: 'answered', status: 302 });
    expect(seen).toHaveLength(1);
  });
});

it('serves many at once over few connections', async () => {
  const { origin, seen, connections } = await scripted([]);
  const made = new Forwarder({ origin, connections: 4 });
  closing.push(() => made.close());
  const sent = await Promise.all(Array.from({ length: 100 }, () => made.forward(request('POST', [], 'a=1'))));
  expect([sent.every(({ kind }) => kind === 'answered'), seen.length, connections()]).toEqual([true, 100, 4]);
});
