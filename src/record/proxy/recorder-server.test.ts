import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as secure } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Catalog } from '../../core/catalog/catalog.ts';
import { catalogData } from '../../core/catalog/data/catalog.ts';
import { RunRecorder } from '../../core/draft/runs/recorded-run.ts';
import { makeCertificates } from './make-certificates.ts';
import { startRecorderServer } from './recorder-server.ts';

const catalog = new Catalog(catalogData);
const certificates = await makeCertificates(new Date());

/** A recorder before a server that answers 402 with what it was sent, compressed. */
async function scene() {
  const seen: string[] = [];
  const upstream = createServer(async (incoming, response) => {
    seen.push(`${incoming.method} ${incoming.url} ${incoming.headers.authorization} ${await text(incoming)}`);
    const body = gzipSync(JSON.stringify({ error: { type: 'card_error', code: 'card_declined' } }));
    response.writeHead(402, {
      'content-encoding': 'gzip',
      'request-id': 'req_1',
      'set-cookie': ['a=1', 'b=2'],
    });
    response.end(body);
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const recorder = new RunRecorder(catalog);
  const origin = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const server = await startRecorderServer({ catalog, recorder, upstream: origin, certificates });
  onTestFinished(async () => {
    await server.close();
    upstream.close();
  });
  return { seen, recorder, server, origin };
}

/** The connection that a proxy opens for CONNECT. */
async function connected(proxy: string, authority: string): Promise<Socket> {
  const asked = request(proxy, { method: 'CONNECT', path: authority }).end();
  const [response, socket] = (await once(asked, 'connect')) as [{ statusCode: number }, Socket];
  onTestFinished(() => void socket.destroy());
  expect(response.statusCode).toBe(200);
  return socket;
}

const BODY = 'charge=ch_secret&amount=500&currency=usd&metadata[jane]=doe&expand[]=charge';
const REQUEST = [
  'POST /v1/refunds?jane=1 HTTP/1.1',
  'Host: api.stripe.com',
  'Authorization: Bearer rk_test_marker',
  'Stripe-Account: acct_marker',
  'Content-Type: application/x-www-form-urlencoded',
  `Content-Length: ${BODY.length}`,
  'Connection: close',
  '',
  BODY,
].join('\r\n');
const NOTED = {
  operation: 'refunds.create',
  account: true,
  status: 402,
  code: 'card_declined',
  expand: ['charge'],
  parameters: ['(other)', 'amount', 'charge', 'currency', 'metadata'],
  money: [{ currency: 'usd', largest: 500, sum: 500 }],
};

describe('the recorder between a command and Stripe', () => {
  it("opens Stripe's hosts for who trusts its authority, changes nothing of a call, and notes no value", async () => {
    const { seen, recorder, server } = await scene();
    for (const host of ['api.stripe.com', 'files.stripe.com']) {
      const open = secure({
        socket: await connected(server.url, `${host}:443`),
        servername: host,
        ca: certificates.authority,
      });
      open.write(REQUEST.replace('api.stripe.com', host));
      const answer = await text(open);
      expect(answer).toMatch(/^HTTP\/1\.1 402 /);
      expect(answer.match(/set-cookie: /gi)).toHaveLength(2);
      expect(answer).toMatch(/request-id: req_1/i);
    }
    await server.settled();
    expect(seen[0]).toBe(`POST /v1/refunds?jane=1 Bearer rk_test_marker ${BODY}`);
    expect(recorder.calls).toEqual([
      expect.objectContaining({ ...NOTED, count: 2, money: [{ currency: 'usd', largest: 500, sum: 1_000 }] }),
    ]);
    expect(JSON.stringify(recorder.calls)).not.toMatch(/marker|secret|jane|doe/);
    expect(server.seen).toEqual({ byBase: 0, byProxy: 2, refusedBy: [] });
  });

  it('takes calls at its own address, and whole URLs as some clients ask proxies for', async () => {
    const { recorder, server, origin } = await scene();
    for (const path of [
      '/v1/charges/ch_1',
      'https://api.stripe.com/v1/charges/ch_1',
      `${origin}/v1/charges`,
    ]) {
      const [answer] = await once(request(server.url, { path }).end(), 'response');
      expect(answer.statusCode).toBe(402);
      answer.resume();
    }
    await server.settled();
    // The last one is to another server, and none of Stripe's.
    expect(recorder.calls).toEqual([expect.objectContaining({ operation: 'charges.retrieve', count: 2 })]);
    expect(server.seen).toMatchObject({ byBase: 1, byProxy: 1 });
  });

  it('hands other hosts through byte for byte', async () => {
    const { recorder, server } = await scene();
    const echo = createTcpServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
    await once(echo, 'listening');
    onTestFinished(() => void echo.close());
    const socket = await connected(server.url, `127.0.0.1:${(echo.address() as AddressInfo).port}`);
    socket.write('\u0016\u0003\u0001 as it is');
    const [bytes] = await once(socket, 'data');
    expect(String(bytes)).toBe('\u0016\u0003\u0001 as it is');
    expect(recorder.calls).toEqual([]);
  });

  it('names a host whose client trusts certificates of its own alone', async () => {
    const { recorder, server } = await scene();
    const socket = await connected(server.url, 'api.stripe.com:443');
    const open = secure({ socket, servername: 'api.stripe.com' });
    await expect(once(open, 'secureConnect')).rejects.toThrow(/certificate/i);
    socket.destroy();
    await expect.poll(() => server.seen.refusedBy).toEqual(['api.stripe.com']);
    expect(recorder.calls).toEqual([]);
  });

  it.each(['', 'x', ':0', '[::1]:99999', '127.0.0.1:1'])('CONNECT %j ends cleanly', async (authority) => {
    const { server } = await scene();
    const asked = request(server.url, { method: 'CONNECT', path: authority || '/' }).end();
    const ended = await once(asked, 'connect').then(
      ([{ statusCode }]) => statusCode,
      () => 'error',
    );
    expect([400, 502, 'error']).toContain(ended);
  });
});
