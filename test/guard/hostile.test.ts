import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { answerJson, type Handler, startFaultyServer } from '../support/faulty-server.ts';
import { guardScene } from '../support/guard-scene.ts';

const PAYER = `
permissions: { charges: read, payouts: write }
widening: report
guard: { repeat: allow, accounts: [acct_ours], caps: [{ per: run, amount: 500.00 usd }] }
`;
const FORM = 'application/x-www-form-urlencoded';
const BODY = 'amount=7&currency=usd';

async function scene(answer: Handler = paid) {
  const upstream = await startFaultyServer((request, response) =>
    request.method === 'GET'
      ? answerJson(response, 200, { object: 'list', data: [] })
      : answer(request, response),
  );
  const made = await guardScene({ profiles: { payer: PAYER }, upstream: upstream.url });
  const { key, run } = await made.issue();
  const counted = () => [...made.guard.store.book.counters().values()].reduce((sum, value) => sum + value, 0);
  const posts = () => upstream.requests.filter(({ method }) => method !== 'GET');
  return { ...made, key, run, upstream, counted, posts };
}

const paid: Handler = (request, response) => {
  const amount = Number(new URLSearchParams(request.body).get('amount'));
  answerJson(response, 200, { id: 'po_1', object: 'payout', amount, currency: 'usd', status: 'paid' });
};

/** Sends bytes as they are. @returns all that came back until the end, or a moment after the first head */
async function raw(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  let got = '';
  const ended = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString('latin1');
      if (got.includes('\r\n\r\n')) setTimeout(resolve, 60);
    });
    socket.on('close', () => resolve());
    socket.on('error', () => resolve());
  });
  socket.write(text);
  await ended;
  return got;
}

/** What an agent writes on the wire; KEY is its run key. */
const LENGTH = `Content-Length: ${BODY.length}\r\n`;
const post = (headers: string, body = BODY, line = 'POST /v1/payouts HTTP/1.1') =>
  `${line}\r\nHost: guard\r\nAuthorization: Bearer KEY\r\nContent-Type: ${FORM}\r\n${headers}\r\n${body}`;
const CHUNKS = `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`;
const HIDDEN = 'POST /v1/payouts HTTP/1.1\r\nHost: guard\r\nAuthorization: Bearer KEY\r\n\r\n';

describe('an agent on the wire', () => {
  it.each<[string, string]>([
    ['chunks of another name', post('Transfer-Encoding: xchunked\r\n', CHUNKS)],
    ['chunks behind something else', post('Transfer-Encoding: gzip, chunked\r\n', CHUNKS)],
    ['chunks, and then not', post('Transfer-Encoding: chunked, identity\r\n', CHUNKS)],
    [
      'chunks twice, beside a length',
      post(`Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n${LENGTH}`, CHUNKS),
    ],
    ['a length with a sign', post(`Content-Length: +${BODY.length}\r\n`)],
    ['a length in two ways', post(`Content-Length: ${BODY.length}, ${BODY.length + 9}\r\n`)],
    ['a chunk with another length', post('Transfer-Encoding: chunked\r\n', `0x15\r\n${BODY}\r\n0\r\n\r\n`)],
    ['a header without a name', post(`: x\r\n${LENGTH}`)],
    ['a blank in front of the colon', post(`Content-Length : 3\r\n${LENGTH}`)],
    ['a zero byte in a header', post(`X: a\0b\r\n${LENGTH}`)],
    [
      'a GET with a call behind it',
      post(`Content-Length: ${HIDDEN.length}\r\n`, HIDDEN, 'GET /v1/charges HTTP/1.1'),
    ],
    ['CONNECT', post('', '', 'CONNECT api.stripe.com:443 HTTP/1.1')],
    ['an address for a path', post(LENGTH, BODY, 'POST https://api.stripe.com/v1/payouts HTTP/1.1')],
    ['a star for a path', post('', '', 'OPTIONS * HTTP/1.1')],
    ['another protocol', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['two accounts', post(`Stripe-Account: acct_ours\r\nStripe-Account: acct_theirs\r\n${LENGTH}`)],
    [
      'two versions',
      post(`Stripe-Version: 2026-10-28.endive\r\nStripe-Version: 2026-08-26.preview\r\n${LENGTH}`),
    ],
    ['a bearer with two keys', post(LENGTH).replace('Bearer KEY', 'Bearer KEY rk_test_x')],
    [
      'a key in the form',
      post('', `${BODY}&key=sk_test_x`).replace(
        '\r\n\r\n',
        `\r\nContent-Length: ${BODY.length + 14}\r\n\r\n`,
      ),
    ],
  ])('%s: nothing reaches Stripe, nothing is counted', async (_name, text) => {
    const made = await scene();
    const answer = await raw(made.url, text.replaceAll('KEY', made.key));
    if (answer !== '') expect(answer).toMatch(/^HTTP\/1\.1 [45]\d\d/);
    expect(made.posts()).toEqual([]);
    expect(made.counted()).toBe(0);
  });

  it.each<[string, string]>([
    ['an upgrade', post(`Connection: Upgrade\r\nUpgrade: websocket\r\n${LENGTH}`)],
    [
      'an upgrade to HTTP/2',
      post(`Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n${LENGTH}`),
    ],
    ['a second Authorization', post(`Authorization: Bearer sk_test_x\r\n${LENGTH}`)],
    ['an old HTTP', post(LENGTH, BODY, 'POST /v1/payouts HTTP/1.0')],
    ['two calls in one go', post(LENGTH)],
  ])('%s: is the call that it is, once', async (_name, text) => {
    const made = await scene();
    const answer = await raw(made.url, text.replaceAll('KEY', made.key));
    expect(answer).toMatch(/^HTTP\/1\.1 200/);
    expect(made.posts()).toHaveLength(1);
    expect(made.posts()[0]?.headers).toMatchObject({ authorization: 'Bearer rk_test_upstream' });
    expect(made.posts()[0]?.headers.upgrade).toBeUndefined();
    expect(made.counted()).toBe(7);
  });

  it('a run that holds back its bodies shuts out no other run', async () => {
    const made = await scene();
    const other = await made.issue();
    const { hostname, port } = new URL(made.url);
    const head = post('Content-Length: 1048576\r\n', 'amount=').replaceAll('KEY', made.key);
    const sockets = Array.from({ length: 140 }, () => connect(Number(port), hostname));
    onTestFinished(() => sockets.forEach((socket) => void socket.destroy()));
    let refused = 0;
    for (const socket of sockets) {
      socket.on('error', () => {});
      socket.on('data', (chunk: Buffer) => {
        if (chunk.toString('latin1').includes('keyaudit_unavailable')) refused += 1;
      });
      socket.write(head);
    }
    await expect.poll(() => refused, { timeout: 60_000 }).toBeGreaterThan(60);
    expect((await made.ask('POST /v1/payouts', BODY, { key: other.key })).status).toBe(200);
    for (const socket of sockets) socket.destroy();
    await expect
      .poll(async () => (await made.ask('POST /v1/payouts', BODY)).status, { timeout: 60_000 })
      .toBe(200);
  });
});

describe('a Stripe that is none', () => {
  const told =
    (json: object): Handler =>
    (_q, r) =>
      answerJson(r, 200, json);
  const stream =
    (piece: string, headers: string): Handler =>
    (request) => {
      const { socket } = request;
      socket.write(
        `HTTP/1.1 200 OK\r\nRequest-Id: req_1\r\nContent-Type: application/json\r\n${headers}\r\n`,
      );
      const go = () => {
        while (!socket.destroyed && socket.write(piece));
        if (!socket.destroyed) socket.once('drain', go);
      };
      go();
    };
  const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;

  it.each<[string, Handler, number, number, number]>([
    ['an answer without end', stream(chunk, 'Transfer-Encoding: chunked\r\n'), 504, 7, 1],
    ['headers without end', stream('X-More: 1\r\n'.repeat(2_000), ''), 504, 7, 1],
    ['an error in a 200', told({ error: { type: 'api_error', message: 'no' } }), 200, 7, 0],
    ['an amount below zero', told({ id: 'po_1', object: 'payout', amount: -7, currency: 'usd' }), 200, 7, 0],
    [
      'an amount beyond all numbers',
      told({ id: 'po_1', object: 'payout', amount: 1e300, currency: 'usd' }),
      200,
      7,
      0,
    ],
    [
      'an amount in another currency',
      told({ id: 'po_1', object: 'payout', amount: 1, currency: 'jpy' }),
      200,
      7,
      0,
    ],
    ['a list', (_q, r) => answerJson(r, 200, []), 504, 7, 1],
    ['204', (_q, r) => void r.writeHead(204, { 'request-id': 'req_1' }).end(), 504, 7, 1],
    [
      'a prototype',
      (_q, r) =>
        void r.writeHead(200, { 'request-id': 'req_1' }).end('{"__proto__":{"amount":0},"id":"po_1"}'),
      200,
      7,
      0,
    ],
  ])('%s: at least what was asked for is counted', async (_name, answer, status, counted, open) => {
    const made = await scene(answer);
    expect((await made.ask('POST /v1/payouts', BODY)).status).toBe(status);
    expect([made.counted(), made.guard.store.book.open.size]).toEqual([counted, open]);
    expect((await made.ask('GET /v1/charges')).status).toBe(200);
  });
});
