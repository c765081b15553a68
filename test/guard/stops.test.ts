import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DAY_MS } from '../../src/core/duration.ts';
import type { LogFile } from '../../src/store/guard-log/day-files.ts';
import { GuardLog } from '../../src/store/guard-log/guard-log.ts';
import { answerJson, startFaultyServer } from '../support/faulty-server.ts';
import { guardScene } from '../support/guard-scene.ts';

const AGENT = (guard = 'caps: [{ per: run, amount: 5000.00 usd }]') => `
permissions: { charges: read, refunds: write, payouts: write }
accept: [{ operations: [charges.create, charges.update, charges.capture], reason: shared }]
guard: { repeat: allow, ${guard} }
`;

/** A Stripe that pays out when it is told to: `wait` holds its answers back. */
async function scene(options: { guard?: string; folder?: string; now?: number; log?: object } = {}) {
  const waiting: (() => void)[] = [];
  const stripe = { isWaiting: false };
  const upstream = await startFaultyServer((request, response) => {
    const amount = Number(new URLSearchParams(request.body).get('amount') ?? 0);
    const answer = () =>
      answerJson(response, 200, {
        id: `po_${waiting.length}`,
        object: 'payout',
        amount,
        currency: 'usd',
        status: 'paid',
      });
    if (stripe.isWaiting) waiting.push(answer);
    else answer();
  });
  const { guard, ...rest } = options;
  const made = await guardScene({ profiles: { agent: AGENT(guard) }, upstream: upstream.url, ...rest });
  const pay = (key: string, amount: number, more = '') =>
    made.ask('POST /v1/payouts', `amount=${amount}&currency=usd${more}`, { key });
  const until = async (is: () => boolean) => {
    while (!is()) await new Promise((resolve) => setTimeout(resolve, 2));
  };
  const counted = () => [...made.guard.store.book.counters().values()].reduce((sum, value) => sum + value, 0);
  return {
    ...made,
    upstream,
    stripe,
    pay,
    until,
    counted,
    answerAll: () => {
      for (const answer of waiting.splice(0)) answer();
    },
  };
}

const code = ({ status, body }: { status: number; body: { error?: { code?: string } } }) => [
  status,
  body.error?.code,
];

describe('kill', () => {
  it('case 59: nothing leaves after it, and what it lists is what Stripe saw', async () => {
    const made = await scene();
    const { key, run } = await made.issue();
    made.stripe.isWaiting = true;
    const calls = Array.from({ length: 200 }, (_, n) => made.pay(key, n + 1));
    await made.until(() => made.upstream.requests.length >= 20);
    const killing = made.guard.control.kill({ of: 'run', name: run }, 40 * DAY_MS);
    const atKill = performance.now();
    expect(code(await made.pay(key, 9_999))).toEqual([401, 'keyaudit_run_killed']);
    void atKill;
    made.stripe.isWaiting = false;
    const answering = setInterval(made.answerAll, 5);
    const killed = await killing;
    const seen = made.upstream.requests.length;
    clearInterval(answering);
    expect(killed.isQuiet).toBe(true);
    expect(killed.calls.map(({ ended }) => ended)).toEqual(killed.calls.map(() => 'settled'));
    const answers = await Promise.all(calls);
    expect(made.upstream.requests.length).toBe(seen);
    expect(killed.calls.length).toBe(seen);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 401]));
    expect(made.counted()).toBe(killed.calls.reduce((sum, { amount = 0 }) => sum + amount, 0));
  });

  it('case 60: between reserve and send: released, 401, nothing sent', async () => {
    let write = () => {};
    let isHeld = false;
    const openFile = async (path: string): Promise<LogFile> => {
      const handle = await open(path, 'a', 0o600);
      const file: LogFile = {
        write: handle.write.bind(handle) as LogFile['write'],
        truncate: handle.truncate.bind(handle),
        stat: handle.stat.bind(handle) as LogFile['stat'],
        close: handle.close.bind(handle),
        datasync: async () => {
          if (isHeld)
            await new Promise<void>((resolve) => {
              write = resolve;
            });
          await handle.datasync();
        },
      };
      return file;
    };
    const made = await scene({ log: { openFile } });
    const { key, run } = await made.issue();
    isHeld = true;
    const paying = made.pay(key, 50);
    await made.until(() => made.guard.store.book.open.size === 1);
    const killing = made.guard.control.kill({ of: 'run', name: run }, 0);
    isHeld = false;
    write();
    expect(code(await paying)).toEqual([401, 'keyaudit_run_killed']);
    await killing;
    expect([made.upstream.requests.length, made.counted(), made.guard.store.book.open.size]).toEqual([
      0, 0, 0,
    ]);
  });

  it('case 61: one run leaves others alone; all survives a restart; resume needs the epoch', async () => {
    const made = await scene();
    const [a, b] = [await made.issue(), await made.issue()];
    const one = await made.guard.control.kill({ of: 'run', name: a.run }, 0);
    expect(code(await made.pay(a.key, 1))).toEqual([401, 'keyaudit_run_killed']);
    expect((await made.pay(b.key, 1)).status).toBe(200);
    const all = await made.guard.control.kill({ of: 'all' }, 0);
    expect(all.epoch).toBe(one.epoch + 1);
    await made.stop();
    const again = await scene({ folder: made.folder });
    expect(code(await again.pay(b.key, 1))).toEqual([401, 'keyaudit_run_killed']);
    expect(await again.guard.control.resume({ of: 'all' }, one.epoch)).toHaveProperty('problem');
    expect(await again.guard.control.resume({ of: 'all' }, all.epoch)).toEqual({ epoch: all.epoch + 1 });
    expect((await again.pay(b.key, 1)).status).toBe(200);
    expect(code(await again.pay(a.key, 1))).toEqual([401, 'keyaudit_run_killed']);
  });

  it('case 62: a kill that cannot be written holds all the same, and says so', async () => {
    const disk = { isFull: false };
    const made = await scene({ log: { openFile: fullDisk(disk) } });
    const { key, run } = await made.issue();
    disk.isFull = true;
    const killed = await made.guard.control.kill({ of: 'run', name: run }, 0);
    expect(killed.unwritten).toMatch(/ENOSPC/);
    expect(code(await made.pay(key, 1))).toEqual([401, 'keyaudit_run_killed']);
  });
});

/** A disk that is full when it is told to be. */
function fullDisk(disk: { isFull: boolean; code?: string }) {
  return async (path: string): Promise<LogFile> => {
    const handle = await open(path, 'a', 0o600);
    return {
      write: (async (...args: Parameters<LogFile['write']>) => {
        if (disk.isFull)
          throw Object.assign(new Error(disk.code ?? 'ENOSPC'), { code: disk.code ?? 'ENOSPC' });
        return (handle.write as (...all: unknown[]) => unknown)(...args);
      }) as LogFile['write'],
      datasync: handle.datasync.bind(handle),
      truncate: handle.truncate.bind(handle),
      stat: handle.stat.bind(handle) as LogFile['stat'],
      close: handle.close.bind(handle),
    };
  };
}

describe('the disk', () => {
  it.each(['ENOSPC', 'EROFS', 'EIO'])(
    'case 50: %s: money and all writes are refused, nothing is counted, and it goes on after',
    async (why) => {
      const disk = { isFull: false, code: why };
      const made = await scene({ log: { openFile: fullDisk(disk) } });
      const { key } = await made.issue();
      disk.isFull = true;
      const refused = await made.pay(key, 100);
      expect([...code(refused), refused.headers.get('stripe-should-retry')]).toEqual([
        503,
        'keyaudit_unavailable',
        'true',
      ]);
      expect(code(await made.ask('POST /v1/payouts/po_1', 'metadata[a]=b', { key }))).toEqual([
        503,
        'keyaudit_unavailable',
      ]);
      expect((await made.ask('GET /v1/charges', undefined, { key })).status).toBe(200);
      expect(made.counted()).toBe(0);
      disk.isFull = false;
      // What was being written when it emptied may have failed yet: the answer says to try again.
      let answered = await made.pay(key, 100);
      while (answered.headers.get('stripe-should-retry') === 'true') answered = await made.pay(key, 100);
      expect(answered.status).toBe(200);
      expect(made.counted()).toBe(100);
    },
  );

  it('case 50: with `reads: closed` reads are refused as well', async () => {
    const disk = { isFull: false };
    const made = await scene({
      guard: 'reads: closed, caps: [{ per: run, amount: 500.00 usd }]',
      log: { openFile: fullDisk(disk) },
    });
    const { key } = await made.issue();
    disk.isFull = true;
    await made.pay(key, 100);
    expect(code(await made.ask('GET /v1/charges', undefined, { key }))).toEqual([
      503,
      'keyaudit_unavailable',
    ]);
    disk.isFull = false;
    expect((await made.ask('GET /v1/charges', undefined, { key })).status).toBe(200);
  });

  it('case 52: a second guard on one folder refuses to start', async () => {
    const made = await scene();
    await expect(GuardLog.open({ folder: made.folder, now: Date.now })).rejects.toMatchObject({
      code: 'GUARD_RUNNING',
    });
  });

  it('case 47 and 48: what was under way when the guard died is held, and stays counted', async () => {
    const made = await scene();
    const { key } = await made.issue();
    made.stripe.isWaiting = true;
    void made.pay(key, 700).catch(() => undefined);
    await made.until(() => made.upstream.requests.length === 1);
    await made.stop();
    const again = await scene({ folder: made.folder });
    expect([...again.guard.store.book.open.values()].map(({ state }) => state)).toEqual(['held']);
    expect(again.counted()).toBe(700);
    expect((await again.pay(key, 1)).status).toBe(200);
    expect(again.counted()).toBe(701);
  });
});

describe('time', () => {
  it('case 56: a clock that goes a day ahead and back opens no day again', async () => {
    const made = await scene({ guard: 'caps: [{ per: day, amount: 1.00 usd }]' });
    const { key } = await made.issue({ ttlMs: 8 * 3_600_000 });
    const start = made.clock.now;
    expect((await made.pay(key, 100)).status).toBe(200);
    made.clock.now += 86_400_000;
    const { key: later } = await made.issue();
    expect((await made.pay(later, 100)).status).toBe(200);
    made.clock.now = start + 5_000;
    expect(code(await made.pay(later, 1))).toEqual([503, 'keyaudit_unavailable']);
    made.clock.now = start + 86_400_000 + 1_000;
    expect(code(await made.pay(later, 1))).toEqual([403, 'keyaudit_spend_cap_exceeded']);
  });

  it('case 57: reserved before midnight and settled after it is of the first day; a rolling cap holds across', async () => {
    const made = await scene({
      guard: 'caps: [{ per: day, amount: 1.00 usd }, { per: 24h, amount: 1.50 usd }]',
      now: Date.parse('2026-11-25T23:59:59.999Z'),
    });
    const { key } = await made.issue();
    made.stripe.isWaiting = true;
    const first = made.pay(key, 100);
    await made.until(() => made.upstream.requests.length === 1);
    made.clock.now += 2;
    made.stripe.isWaiting = false;
    made.answerAll();
    expect((await first).status).toBe(200);
    const counters = [...made.guard.store.book.counters()];
    expect(
      counters
        .filter(([name]) => name.includes('day'))
        .map(([name, value]) => [name.includes('2026-11-25'), value]),
    ).toEqual([[true, 100]]);
    const refused = await made.pay(key, 60);
    expect(refused.body.error.message).toMatch(/0\.60 usd asked, 0\.50 usd left of 1\.50 usd per 24h/);
    expect((await made.pay(key, 50)).status).toBe(200);
  });

  it('case 58: a key that expires while its call is at Stripe: the call is settled, the next one is 401', async () => {
    const made = await scene();
    const { key } = await made.issue({ ttlMs: 60_000 });
    made.stripe.isWaiting = true;
    const first = made.pay(key, 100);
    await made.until(() => made.upstream.requests.length === 1);
    made.clock.now += 61_000;
    made.stripe.isWaiting = false;
    made.answerAll();
    expect((await first).status).toBe(200);
    expect([made.counted(), made.guard.store.book.open.size]).toEqual([100, 0]);
    expect(code(await made.pay(key, 1))).toEqual([401, 'keyaudit_run_expired']);
  });
});

describe('scope', () => {
  it("case 64: a run's own cap above the profile's is refused, below it narrows; a lowered policy bites at once", async () => {
    const made = await scene();
    await expect(made.issue({ caps: ['6000.00 usd'] })).rejects.toThrow(/more than agent allows per run/);
    const { key } = await made.issue({ caps: ['1.00 usd'] });
    expect(code(await made.pay(key, 101))).toEqual([403, 'keyaudit_spend_cap_exceeded']);
    expect((await made.pay(key, 100)).status).toBe(200);
    const { key: free } = await made.issue();
    made.guard.profiles.replace(made.serve(AGENT('caps: [{ per: run, amount: 2.00 usd }]')));
    expect(code(await made.pay(free, 201))).toEqual([403, 'keyaudit_spend_cap_exceeded']);
    // What is widened is for new runs.
    made.guard.profiles.replace(made.serve(AGENT('caps: [{ per: run, amount: 9000.00 usd }]')));
    expect(code(await made.pay(free, 500_001))).toEqual([403, 'keyaudit_spend_cap_exceeded']);
    const { key: fresh } = await made.issue();
    expect((await made.pay(fresh, 600_000)).status).toBe(200);
  });

  it('a run that rolls begins anew, and several processes share one run', async () => {
    const made = await scene({ guard: 'ttl: 30d, caps: [{ per: run, amount: 1.00 usd }]' });
    const { key } = await made.issue({ run: 'worker', rollMs: 3_600_000 });
    const { key: second } = await made.issue({ run: 'worker' });
    expect((await made.pay(key, 60)).status).toBe(200);
    expect(code(await made.pay(second, 60))).toEqual([403, 'keyaudit_spend_cap_exceeded']);
    made.clock.now += 3_600_000;
    expect((await made.pay(second, 60)).status).toBe(200);
  });

  it('case 66: neither key stands in the log, in answers, or in the status', async () => {
    const made = await scene();
    const { key } = await made.issue();
    const answers = [
      await made.pay(key, 1),
      await made.pay(key, 1_000_000),
      await made.ask('GET /v1/charges', undefined, { key: 'rk_test_upstream' }),
    ];
    await made.stop();
    const files = await readdir(made.folder);
    const text = (
      await Promise.all(
        files
          .filter((name) => name.endsWith('.jsonl'))
          .map((name) => readFile(join(made.folder, name), 'utf8')),
      )
    ).join('');
    expect(text.length).toBeGreaterThan(100);
    for (const secret of [key, 'rk_test_upstream']) {
      expect(text).not.toContain(secret);
      for (const { body, headers } of answers)
        expect(JSON.stringify([body, [...headers]])).not.toContain(secret);
    }
  });
});
