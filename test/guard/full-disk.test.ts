import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { GuardLog } from '../../src/store/guard-log/guard-log.ts';
import { verifyGuardLog } from '../../src/store/guard-log/verify-guard-log.ts';
import { answerJson, startFaultyServer } from '../support/faulty-server.ts';
import { guardScene } from '../support/guard-scene.ts';

const PAYER = `
permissions: { charges: read, payouts: write }
widening: report
guard: { repeat: allow, caps: [{ per: run, amount: 500.00 usd }] }
`;

/** A small disk of its own; undefined with the reason where none can be mounted. */
async function disk(): Promise<{ folder: string } | { why: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'keyaudit-disk-'));
  const mounted = await execa('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', folder], {
    reject: false,
  });
  onTestFinished(async () => {
    if (mounted.exitCode === 0) await execa('umount', ['-l', folder], { reject: false });
    await rm(folder, { recursive: true, force: true });
  });
  return mounted.exitCode === 0 ? { folder } : { why: `a disk needs a mount of its own: ${mounted.stderr}` };
}

describe('a real disk', () => {
  it('case 50: is full: money is refused, nothing half written is believed, and it goes on after', async ({
    skip,
  }) => {
    const small = await disk();
    if ('why' in small) return skip(small.why);
    const upstream = await startFaultyServer((request, response) => {
      const amount = Number(new URLSearchParams(request.body).get('amount'));
      answerJson(response, 200, { id: 'po_1', object: 'payout', amount, currency: 'usd', status: 'paid' });
    });
    const log = join(small.folder, 'log');
    const made = await guardScene({ profiles: { payer: PAYER }, upstream: upstream.url, folder: log });
    await made.issue();
    const pay = () => made.ask('POST /v1/payouts', 'amount=1&currency=usd');
    const posts = () => upstream.requests.filter(({ method }) => method === 'POST').length;
    const counted = () => [...made.guard.store.book.counters().values()].reduce((sum, one) => sum + one, 0);
    expect((await pay()).status).toBe(200);
    const { bavail, bsize } = await statfs(small.folder);
    const filler = join(small.folder, 'filler');
    await writeFile(filler, Buffer.alloc(bavail * bsize - 2 * bsize));
    // The last pages of the disk take some more rows; what is let through is counted, what is not is not sent.
    let paid = 1;
    let refused = 0;
    for (let n = 0; refused < 3 && n < 200; n++) {
      const { status, body } = await pay();
      if (status === 200) paid += 1;
      else {
        expect([status, body.error.code]).toEqual([503, 'keyaudit_unavailable']);
        refused += 1;
      }
      expect(posts()).toBe(paid);
    }
    expect(refused).toBe(3);
    expect(counted()).toBe(paid);
    await rm(filler);
    expect((await pay()).status).toBe(200);
    await made.stop();
    expect((await verifyGuardLog(log)).problems).toEqual([]);
    const opened = await GuardLog.open({ folder: log, now: () => made.clock.now });
    await opened.log.close();
    expect([...opened.book.counters().values()]).toEqual([paid + 1]);
  });

  it('case 50: may only be read: no guard starts on it', async ({ skip }) => {
    const small = await disk();
    if ('why' in small) return skip(small.why);
    const folder = join(small.folder, 'log');
    const now = () => Date.parse('2026-11-25T12:00:00Z');
    const { log } = await GuardLog.open({ folder, now });
    await log.durable({ kind: 'pass' });
    await log.close();
    await execa('mount', ['-o', 'remount,ro', small.folder]);
    await expect(GuardLog.open({ folder, now })).rejects.toMatchObject({ code: 'STORE_UNWRITABLE' });
  });
});
