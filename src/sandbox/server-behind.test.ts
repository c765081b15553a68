import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { Catalog } from '../core/catalog/catalog.ts';
import { catalogData } from '../core/catalog/data/catalog.ts';
import { type Sandbox, startSandbox } from './sandbox.ts';

const catalog = new Catalog(catalogData);
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

interface Seen {
  readonly line: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A gate in front of a server that notes what it sees. */
async function gate(
  answer: (response: ServerResponse) => void,
): Promise<{ sandbox: Sandbox; seen: Seen[]; server: Server; stop: () => Promise<unknown> }> {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('latin1');
    seen.push({ line: `${request.method} ${request.url}`, headers: request.headers, body });
    answer(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const sandbox = await startSandbox({ catalog, upstream: `http://127.0.0.1:${port}` });
  closing.push(() => sandbox.close(), stop);
  return { sandbox, seen, server, stop };
}

async function makeKey({ url, secretKey }: Sandbox, permissions: readonly string[]): Promise<string> {
  const response = await fetch(`${url}/v2/iam/api_keys`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${secretKey.reveal()}`,
      'content-type': 'application/json',
      'stripe-version': '2026-08-26.preview',
    },
    body: JSON.stringify({ type: 'secret_key', name: 'test', permissions }),
  });
  return ((await response.json()) as { secret_key: { token: string } }).secret_key.token;
}

const BODY = Buffer.from('{\n  "object": "list",\u00a0\n  "data" : [ ]\n}\n');

describe('a server behind the gate', () => {
  it('sees the request as it came, under its own key, and its answer comes back as it is', async () => {
    const { sandbox, seen } = await gate((response) =>
      response
        .writeHead(202, { 'content-type': 'text/odd', 'request-id': 'req_123', 'x-own': 'yes' })
        .end(BODY),
    );
    const key = await makeKey(sandbox, ['charge_write']);
    const form = 'amount=100&currency=usd&metadata[a]=%20b&list[]=1&list[]=2';
    const answer = await fetch(`${sandbox.url}/v1/charges/?expand[]=refunds`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/x-www-form-urlencoded',
        'stripe-version': catalog.apiVersion,
        'idempotency-key': 'once',
      },
      body: form,
    });
    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('x-own')]).toEqual([
      202,
      'text/odd',
      'yes',
    ]);
    expect(answer.headers.get('request-id')).toBe('req_123');
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(BODY);
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ line: 'POST /v1/charges/?expand[]=refunds', body: form });
    expect(seen[0]?.headers).toMatchObject({
      authorization: 'Bearer sk_test_123',
      'content-type': 'application/x-www-form-urlencoded',
      'stripe-version': catalog.apiVersion,
      'idempotency-key': 'once',
    });
    expect(JSON.stringify(seen)).not.toContain(key);
  });

  it('gets a request id when the answer has none, since a stranger is told by that', async () => {
    const { sandbox } = await gate((response) => response.writeHead(200).end('{}'));
    const answer = await fetch(`${sandbox.url}/v1/balance`, {
      headers: { authorization: `Bearer ${sandbox.secretKey.reveal()}` },
    });
    expect(answer.headers.get('request-id')).toMatch(/^req_\w{14}$/);
  });

  const refused: readonly [string, number, (key: string) => Record<string, string>, string][] = [
    ['a call that the key may not make', 403, (key) => ({ authorization: `Bearer ${key}` }), '/v1/customers'],
    [
      'an expansion that it may not read',
      403,
      (key) => ({ authorization: `Bearer ${key}` }),
      '/v1/charges?expand[]=data.customer',
    ],
    ['no key', 401, () => ({}), '/v1/charges'],
    ['an unknown key', 401, () => ({ authorization: 'Bearer rk_test_1234567890abcdef' }), '/v1/charges'],
    [
      'a call that the catalog does not know',
      404,
      (key) => ({ authorization: `Bearer ${key}` }),
      '/v1/new_things',
    ],
  ];
  it.each(refused)('never sees %s', async (_name, status, headers, path) => {
    const { sandbox, seen } = await gate((response) => response.end('{}'));
    const key = await makeKey(sandbox, ['charge_read']);
    const answer = await fetch(`${sandbox.url}${path}`, { headers: headers(key) });
    expect([answer.status, seen]).toEqual([status, []]);
  });

  const FORM = 'application/x-www-form-urlencoded';
  const many = Array.from({ length: 101 }, (_, index) => `expand[]=data${index}`).join('&');
  const hidden: readonly [status: number, line: string, type?: string, body?: string][] = [
    // A server that decodes the path, as stripe-mock does, sees another call than the gate.
    [404, 'GET /v1/charges/ch_1%2Frefunds'],
    [404, 'POST /v1/charges/ch_1%2fcapture', FORM, 'amount=1'],
    [404, 'GET //v1/charges'],
    [404, 'GET /v1/%63harges'],
    [404, 'GET /v1/charges/../refunds'],
    [404, 'GET /v1/charges/%2e%2e/refunds'],
    [404, 'GET /v1/charges/.'],
    // Each of these expands what the key may not read, somewhere.
    [403, 'POST /v1/charges/ch_1?expand[]=customer', FORM, 'expand[]=billing_details'],
    [403, 'POST /v1/charges/ch_1?expand[]=billing_details', FORM, 'expand[]=customer'],
    [403, 'GET /v1/charges/ch_1', FORM, 'expand[]=customer'],
    [403, 'GET /v1/charges/ch_1?expand=customer&expand[]=billing_details'],
    [403, 'GET /v1/charges/ch_1?expand[]=billing_details&expand[a]=customer'],
    [403, 'GET /v1/charges/ch_1?expand[0][x]=customer'],
    [403, 'GET /v1/charges/ch_1?expand[=customer'],
    [403, 'GET /v1/charges/ch_1?%65xpand%5B%5D=customer'],
    [403, 'POST /v1/charges/ch_1', 'application/json', '{"expand":{"a":["customer"]}}'],
    [
      403,
      'POST /v1/charges/ch_1',
      'multipart/form-data; boundary=b',
      '--b\r\ncontent-disposition: form-data; name="expand[]"\r\n\r\ncustomer\r\n--b--\r\n',
    ],
    [400, `GET /v1/charges/ch_1?${many}&expand[]=customer`],
  ];
  it.each(hidden)('never sees what is hidden from the gate: %s for %s', async (status, line, type, body) => {
    const { sandbox, seen } = await gate((response) => response.end('{}'));
    const authorization = `Bearer ${await makeKey(sandbox, ['charge_write'])}`;
    const [method = '', path = ''] = line.split(' ');
    const headers = {
      authorization,
      ...(type === undefined ? {} : { 'content-type': type, 'content-length': `${body?.length}` }),
    };
    const { port } = new URL(sandbox.url);
    const sent = request({ host: '127.0.0.1', port, method, path, headers });
    sent.end(body);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    answer.resume();
    expect([answer.statusCode, seen]).toEqual([status, []]);
  });

  it('is asked by a secret key about calls that the catalog does not know', async () => {
    const { sandbox, seen } = await gate((response) => response.end('{}'));
    await fetch(`${sandbox.url}/v1/new_things`, {
      headers: { authorization: `Bearer ${sandbox.secretKey.reveal()}` },
    });
    expect(seen.map(({ line }) => line)).toEqual(['GET /v1/new_things']);
  });

  it('never sees the endpoints about keys', async () => {
    const { sandbox, seen } = await gate((response) => response.end('{}'));
    await makeKey(sandbox, ['charge_read']);
    expect(seen).toEqual([]);
  });

  it('is asked anew when it has closed a connection that was kept', async () => {
    const { sandbox, seen, server } = await gate((response) => response.end('{}'));
    const ask = async () => {
      const headers = { authorization: `Bearer ${sandbox.secretKey.reveal()}` };
      return (await fetch(`${sandbox.url}/v1/balance`, { headers })).status;
    };
    expect(await ask()).toBe(200);
    // The next request meets a connection that is cut when it arrives.
    server.once('request', (request) => request.socket.destroy());
    expect(await ask()).toBe(200);
    expect(seen.length).toBeGreaterThanOrEqual(2);
  });

  it('is reported as HTTP 502 when it is gone, which passes for no permission', async () => {
    const { sandbox, stop } = await gate((response) => response.end('{}'));
    await stop();
    const answer = await fetch(`${sandbox.url}/v1/balance`, {
      headers: { authorization: `Bearer ${sandbox.secretKey.reveal()}` },
    });
    expect([answer.status, ((await answer.json()) as { error: { type: string } }).error.type]).toEqual([
      502,
      'api_error',
    ]);
  });
});
