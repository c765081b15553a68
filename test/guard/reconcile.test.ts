import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Catalog } from '../../src/core/catalog/catalog.ts';
import { catalogData } from '../../src/core/catalog/data/catalog.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { type GuardScene, guardScene } from '../support/guard-scene.ts';
import { keyMaker } from '../support/sandbox-server.ts';

/** What stands between the guard and Stripe does with the next refund. */
type Mischief = 'none' | 'lose-request' | 'lose-answer' | '500-before' | '500-after';

const profile = (caps: string) => `
permissions: { charges: read, refunds: write, customers: read }
checks: { allow: [charges.list, charges.retrieve, refunds.create, customers.retrieve] }
accept: [{ operations: [charges.create, charges.update, charges.capture], reason: shared }]
guard: { caps: [${caps}] }
`;

/** A guard before a sandbox, with somebody in between who loses and spoils what passes. */
async function scene(caps = '{ per: run, amount: 500.00 usd }') {
  const sandbox = await startSandbox({ catalog: new Catalog(catalogData), behaviour: {} });
  onTestFinished(() => sandbox.close());
  const between = {
    mischief: 'none' as Mischief,
    /** What refunds are said to be. */
    status: undefined as string | undefined,
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const isRefund = request.method === 'POST' && request.url === '/v1/refunds';
    const mischief = isRefund ? between.mischief : 'none';
    if (isRefund) between.mischief = 'none';
    if (mischief === 'lose-request') return void request.socket.destroy();
    const spoiled = { 'request-id': 'req_500', 'content-type': 'application/json' };
    if (mischief === '500-before')
      return void response.writeHead(500, spoiled).end('{"error":{"type":"api_error"}}');
    const headers = Object.entries(request.headers).filter(
      ([name]) => !/^(host|connection|content-length)$/.test(name),
    );
    const answer = await fetch(`${sandbox.url}${request.url}`, {
      method: request.method ?? 'GET',
      headers: headers.map(([name, value]): [string, string] => [name, String(value)]),
      ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
    });
    const text = await answer.text();
    if (mischief === 'lose-answer') return void request.socket.destroy();
    if (mischief === '500-after')
      return void response.writeHead(500, spoiled).end('{"error":{"type":"api_error"}}');
    const { status } = between;
    const told =
      status === undefined || !/refunds/.test(request.url ?? '')
        ? text
        : text.replace(/"status": ?"[a-z]+"/g, `"status":"${status}"`);
    response.writeHead(answer.status, {
      'request-id': answer.headers.get('request-id') ?? '',
      'content-type': 'application/json',
    });
    response.end(told);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const upstream = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const maker = keyMaker(sandbox.url, sandbox.shownSecretKey);
  const options = {
    upstream,
    profiles: { agent: profile(caps) },
    upstreamKey: async (permissions: readonly string[], connect: readonly string[]) =>
      (await maker.makeKey(permissions, connect)).token,
  };
  const made = await guardScene({ ...options, now: Date.now() });
  const { key } = await made.issue();
  const direct = async (line: string, form: Record<string, string>) => {
    const [method = '', path = ''] = line.split(' ');
    const headers = { authorization: `Bearer ${sandbox.shownSecretKey}` };
    const response = await fetch(`${sandbox.url}${path}`, {
      method,
      headers,
      body: new URLSearchParams(form),
    });
    return (await response.json()) as { id: string };
  };
  return {
    ...made,
    key,
    between,
    charge: async () =>
      (await direct('POST /v1/charges', { amount: '10000', currency: 'usd', source: 'tok_visa' })).id,
    direct,
    refunded: () =>
      sandbox
        .objects()
        .filter(({ object }) => object === 'refund')
        .reduce((sum, { amount }) => sum + Number(amount), 0),
    /** Another guard on the same folder, after the first was killed. */
    again: async (laterMs: number) =>
      guardScene({ ...options, folder: made.folder, now: made.clock.now + laterMs }),
  };
}

async function reconciled(scene: GuardScene) {
  const found = await scene.reconcile();
  return found.map(({ outcome, moved }) => (moved === undefined ? outcome : `${outcome} ${moved}`));
}

const counted = ({ guard }: GuardScene, part = 'per run') =>
  [...guard.store.book.counters()].filter(([name]) => name.includes(part)).map(([, value]) => value);

describe('reconcile', () => {
  it('case 43: 500 without the refund and 500 with it are held, then one is released and one settled', async () => {
    const made = await scene();
    const [one, two] = [await made.charge(), await made.charge()];
    made.between.mischief = '500-before';
    expect((await made.ask('POST /v1/refunds', { charge: one, amount: 700 })).status).toBe(500);
    made.between.mischief = '500-after';
    expect((await made.ask('POST /v1/refunds', { charge: two, amount: 300 })).status).toBe(500);
    expect(counted(made)).toEqual([1_000]);
    // What is there is settled at once; what is not may still come.
    expect((await reconciled(made)).sort()).toEqual(['settled 300', 'unknown']);
    made.clock.now += 100_000;
    expect(await reconciled(made)).toEqual(['released']);
    expect(counted(made)).toEqual([300]);
    expect(made.refunded()).toBe(300);
    expect(await reconciled(made)).toEqual([]);
  });

  it('case 47: killed before anything was sent: held after the restart, then nothing moved', async () => {
    const made = await scene();
    const charge = await made.charge();
    made.between.mischief = 'lose-request';
    expect((await made.ask('POST /v1/refunds', { charge, amount: 700 })).status).toBe(504);
    await made.stop();
    const again = await made.again(100_000);
    expect(counted(again)).toEqual([700]);
    // Nobody knows whether it was tried again right before the end.
    expect(await reconciled(again)).toEqual(['unknown']);
    again.clock.now += 100_000;
    expect(await reconciled(again)).toEqual(['released']);
    expect(counted(again)).toEqual([]);
    expect(made.refunded()).toBe(0);
  });

  it('case 48: killed between the answer and the settling: held, then what had moved', async () => {
    const made = await scene();
    const charge = await made.charge();
    made.between.mischief = 'lose-answer';
    expect((await made.ask('POST /v1/refunds', { charge, amount: 700 })).status).toBe(504);
    await made.stop();
    const again = await made.again(1_000);
    expect(counted(again)).toEqual([700]);
    expect(await reconciled(again)).toEqual(['settled 700']);
    expect(counted(again)).toEqual([700]);
    expect(made.refunded()).toBe(700);
  });

  it('two of one amount, one of which was carried out: one is settled and one released', async () => {
    const made = await scene();
    const charge = await made.charge();
    const other = await made.issue();
    made.between.mischief = 'lose-answer';
    await made.ask('POST /v1/refunds', { charge, amount: 700 });
    made.between.mischief = 'lose-request';
    await made.ask('POST /v1/refunds', { charge, amount: 700 }, { key: other.key });
    made.clock.now += 100_000;
    expect((await reconciled(made)).sort()).toEqual(['released', 'settled 700']);
    expect(made.refunded()).toBe(700);
    expect(counted(made).reduce((sum, one) => sum + one, 0)).toBe(700);
  });

  it('one that the log has settled before is no evidence', async () => {
    const made = await scene();
    const charge = await made.charge();
    expect((await made.ask('POST /v1/refunds', { charge, amount: 700 })).status).toBe(200);
    const other = await made.issue();
    made.between.mischief = '500-before';
    await made.ask('POST /v1/refunds', { charge, amount: 700 }, { key: other.key });
    made.clock.now += 100_000;
    expect(await reconciled(made)).toEqual(['released']);
  });

  it('one of another amount is no evidence that a refund of the rest was not carried out', async () => {
    const made = await scene();
    const charge = await made.charge();
    made.between.mischief = '500-before';
    expect((await made.ask('POST /v1/refunds', { charge })).status).toBe(500);
    await made.direct('POST /v1/refunds', { charge, amount: '400' });
    made.clock.now += 100_000;
    expect(await reconciled(made)).toEqual(['unknown']);
    expect(counted(made)).toEqual([10_000]);
  });

  it('case 44: a refund that was on its way and failed the next day is given back to its own day', async () => {
    const made = await scene('{ per: day, amount: 500.00 usd }');
    const charge = await made.charge();
    made.between.status = 'pending';
    expect((await made.ask('POST /v1/refunds', { charge, amount: 700 })).status).toBe(200);
    expect(await reconciled(made)).toEqual(['pending']);
    const [today = ''] = [...made.guard.store.book.counters().keys()];
    made.clock.now += 86_400_000;
    made.between.status = 'succeeded';
    const { key } = await made.issue({ run: 'tomorrow' });
    await made.ask('POST /v1/refunds', { charge, amount: 300 }, { key });
    made.between.status = 'failed';
    expect(await reconciled(made)).toEqual(['given-back']);
    const counters = [...made.guard.store.book.counters()];
    expect(counters).toHaveLength(1);
    expect(counters[0]?.[0]).not.toBe(today);
    expect(counters[0]?.[1]).toBe(300);
  });
});
