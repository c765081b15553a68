import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readAmount } from '../../src/core/spend/amount.ts';
import type { Cap } from '../../src/core/spend/cap.ts';
import { answerJson } from '../support/faulty-server.ts';
import { guardScene } from '../support/guard-scene.ts';

const AGENT = `
permissions: { charges: read, refunds: write, payouts: write }
accept: [{ operations: [charges.create, charges.update, charges.capture], reason: shared }]
guard: { repeat: allow, caps: [{ per: run, amount: 50000.00 usd }] }
`;

function cap(per: Cap['per'], text: string): Cap {
  const amount = readAmount(text);
  if (!('minor' in amount)) throw new Error(text);
  return { per, amounts: [amount], of: [] };
}

describe('many at once', () => {
  it('case 4: two runs that take from the same counters in opposite order, 10,000 calls: all end, none is lost', async () => {
    const { guard, issue, clock } = await guardScene({
      profiles: { agent: AGENT },
      upstream: 'http://127.0.0.1:1',
    });
    const { store } = guard;
    const caps = [cap('day', '40.00 usd'), cap('24h', '90.00 usd'), cap('charge', '70.00 usd')];
    const [a, b] = [await issue(), await issue()];
    const take = (n: number) =>
      store.reserve({
        call: {
          run: n % 2 === 0 ? a.run : b.run,
          profile: 'agent',
          operation: 'payouts.create',
          method: 'POST',
        },
        scope: 'sandbox test agent',
        reservation: `rsv_${n}`,
        direction: 'out',
        amount: 1,
        currency: 'usd' as never,
        objects: { charge: 'ch_1' },
        caps: n % 2 === 0 ? caps : caps.toReversed(),
        zone: 'UTC',
        unpriced: 0,
        now: clock.now,
      });
    const taken = await Promise.all(Array.from({ length: 10_000 }, (_, n) => take(n)));
    expect(taken.filter((one) => 'event' in one)).toHaveLength(4_000);
    expect(taken.filter((one) => 'refused' in one)).toHaveLength(6_000);
    expect([...store.book.counters().values()]).toEqual([4_000, 4_000, 4_000]);
  });

  it('case 39: a Stripe that closes what is idle, and forgets no key: no call fails, each is done and counted once', async () => {
    const stripe = await impatientStripe({ idleMs: 5 });
    const { ask, issue, guard } = await guardScene({ profiles: { agent: AGENT }, upstream: stripe.url });
    await issue();
    const worker = async (first: number) => {
      for (let n = 0; n < 25; n++) {
        const form = { amount: 1 + first * 25 + n, currency: 'usd' };
        expect((await ask('POST /v1/payouts', form)).status).toBe(200);
        if (n % 5 === 0) expect((await ask('GET /v1/charges')).status).toBe(200);
        await new Promise((resolve) => setTimeout(resolve, n % 7));
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, first) => worker(first)));
    expect(stripe.closed()).toBeGreaterThan(10);
    expect(stripe.moved()).toBe((200 * 201) / 2);
    expect([...guard.store.book.counters().values()]).toEqual([stripe.moved()]);
    expect(guard.store.book.open.size).toBe(0);
  });

  it.each([
    ['done at the first sending, and said again at the second', 200],
    ['done at the first sending, and the second is refused for its pace', 429],
  ])('case 39: cut without a byte on a used connection: %s', async (_name, status) => {
    const stripe = await impatientStripe({ secondStatus: status });
    const { ask, issue, guard } = await guardScene({ profiles: { agent: AGENT }, upstream: stripe.url });
    await issue();
    await ask('GET /v1/charges');
    stripe.cutNext();
    expect((await ask('POST /v1/payouts', { amount: 70, currency: 'usd' })).status).toBe(status);
    expect([stripe.sent(), stripe.moved()]).toEqual([2, 70]);
    // What moved is counted: settled where Stripe says so, else held.
    expect([...guard.store.book.counters().values()]).toEqual([70]);
    expect(guard.store.book.open.size).toBe(status === 200 ? 0 : 1);
  });
});

/** A Stripe that remembers keys, and may close connections on which nothing was under way for so long. */
async function impatientStripe({ secondStatus = 200, idleMs }: { secondStatus?: number; idleMs?: number }) {
  const done = new Map<string, number>();
  const sockets = new Set<Socket>();
  const idle = new Map<Socket, NodeJS.Timeout>();
  let closed = 0;
  let isCut = false;
  let sent = 0;
  const server = createServer((request, response) => {
    const { socket } = request;
    clearTimeout(idle.get(socket));
    response.on('finish', () => {
      if (idleMs === undefined) return;
      const close = () => {
        if (sockets.has(socket)) closed += 1;
        socket.destroy();
      };
      idle.set(socket, setTimeout(close, idleMs));
    });
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.method === 'GET') return answerJson(response, 200, { object: 'list', data: [] });
      sent += 1;
      const key = String(request.headers['idempotency-key']);
      const known = done.get(key);
      const amount = known ?? Number(new URLSearchParams(Buffer.concat(chunks).toString()).get('amount'));
      done.set(key, amount);
      const payout = { id: `po_${key}`, object: 'payout', amount, currency: 'usd', status: 'paid' };
      if (isCut) {
        isCut = false;
        socket.destroy();
      } else if (known === undefined) answerJson(response, 200, payout);
      else if (secondStatus === 200) answerJson(response, 200, payout, { 'idempotent-replayed': 'true' });
      else answerJson(response, secondStatus, { error: { type: 'invalid_request_error' } });
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    closed: () => closed,
    sent: () => sent,
    moved: () => [...done.values()].reduce((sum, value) => sum + value, 0),
    cutNext: () => {
      isCut = true;
    },
  };
}
