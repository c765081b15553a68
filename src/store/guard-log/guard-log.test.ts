import { appendFile, mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LOG_TIME, writtenLog } from '../../../test/support/written-log.ts';
import type { LogEvent, LogRow } from '../../core/spend/log-row.ts';
import type { LogFile } from './day-files.ts';
import { GuardLog } from './guard-log.ts';
import { readGuardLog } from './read-guard-log.ts';
import { verifyGuardLog } from './verify-guard-log.ts';

const AT = LOG_TIME;
const FILE = '2026-11-25.jsonl';

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'keyaudit-guard-log-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return join(dir, 'log');
}

const put = (all: readonly string[], at: number, line: string) =>
  all.map((one, n) => (n === at ? line : one));

const note = (n: number): LogEvent => ({
  kind: 'pass',
  run: 'r',
  profile: 'p',
  method: 'GET',
  code: `n${n}`,
});

/** The codes of all rows but the checkpoints. */
function codes(rows: readonly LogRow[]): unknown[] {
  return rows.filter(({ kind }) => kind !== 'checkpoint').map((row) => (row as { code?: string }).code);
}

/** A file of the log as it was before its guard ended. */
async function beforeCheckpoint(file: string): Promise<Buffer> {
  const whole = await readFile(file);
  return whole.subarray(0, whole.lastIndexOf(0x0a, whole.length - 2) + 1);
}

async function rowsOf(dir: string): Promise<LogRow[]> {
  const rows: LogRow[] = [];
  await readGuardLog(dir, (row) => rows.push(row));
  return rows;
}

describe('the log of the guard', () => {
  it('is read back as it was written, by day, for its owner alone', async () => {
    const dir = await folder();
    let now = AT;
    const first = await GuardLog.open({ folder: dir, now: () => now });
    await Promise.all(Array.from({ length: 50 }, (_, n) => first.log.durable(note(n))));
    now += 86_400_000;
    await first.log.durable(note(50));
    now -= 86_400_000;
    await first.log.durable(note(51));
    await first.log.close();
    const { log } = await GuardLog.open({ folder: dir, now: () => now });
    const rows = await rowsOf(dir);
    expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: 53 }, (_, n) => n + 1));
    expect(codes(rows)).toEqual(Array.from({ length: 52 }, (_, n) => `n${n}`));
    expect(rows.at(-1)?.kind).toBe('checkpoint');
    expect(log.lastHash).toBe(first.log.lastHash);
    const lines = async (name: string) =>
      (await readFile(join(dir, name), 'utf8')).trimEnd().split('\n').length;
    // The day that was closed stays so, though the clock went back.
    expect([await lines(FILE), await lines('2026-11-26.jsonl')]).toEqual([50, 3]);
    expect((await stat(join(dir, FILE))).mode & 0o777).toBe(0o600);
    await log.close();
  });

  it('[case 49] cuts off a line that was being written, wherever it was torn, and keeps all before it', async () => {
    const dir = await folder();
    const file = await writtenLog(dir);
    const whole = await beforeCheckpoint(file);
    const lastLine = whole.lastIndexOf(0x0a, whole.length - 2) + 1;
    for (let cut = lastLine; cut < whole.length; cut += 7) {
      await writeFile(file, whole.subarray(0, cut));
      const { log, book } = await GuardLog.open({ folder: dir, now: () => AT });
      expect(await rowsOf(dir)).toHaveLength(6);
      expect([...book.open.keys()]).toEqual(['x2']);
      await log.durable(note(1));
      await log.close();
      expect(await verifyGuardLog(dir)).toMatchObject({ rows: 8, problems: [], unknown: [] });
    }
  });

  it('[case 50] says so when the disk is full, believes no partial row, and goes on when there is room', async () => {
    const dir = await folder();
    let isFull = false;
    const openFile = async (path: string): Promise<LogFile> => {
      const handle = await open(path, 'a', 0o600);
      const write = async (...given: unknown[]) => {
        if (!isFull) return (handle.write as (...all: unknown[]) => Promise<unknown>).apply(handle, given);
        await handle.write(given[0] as Buffer, 0, 20, null);
        throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
      };
      return new Proxy(handle, {
        get: (target, name) => {
          if (name === 'write') return write;
          const value = Reflect.get(target, name) as unknown;
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    };
    const { log } = await GuardLog.open({ folder: dir, now: () => AT, openFile });
    await log.durable(note(0));
    isFull = true;
    log.note(note(1));
    await expect(log.durable(note(2))).rejects.toMatchObject({ code: 'ENOSPC' });
    isFull = false;
    await log.durable(note(3));
    await log.close();
    const rows = await rowsOf(dir);
    // What had to be durable and was not is not there; what only had to be told is.
    expect(codes(rows)).toEqual(['n0', 'n1', 'n3']);
  });

  it('[case 50] writes nothing more after a sync that failed', async () => {
    const dir = await folder();
    const openFile = async (path: string): Promise<LogFile> => {
      const handle = await open(path, 'a', 0o600);
      return new Proxy(handle, {
        get: (target, name) => {
          if (name === 'datasync')
            return () => Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' }));
          const value = Reflect.get(target, name) as unknown;
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    };
    const { log } = await GuardLog.open({ folder: dir, now: () => AT, openFile });
    await expect(log.durable(note(0))).rejects.toMatchObject({ code: 'EIO' });
    await expect(log.durable(note(1))).rejects.toMatchObject({ code: 'EIO' });
    expect(log.failure).toMatchObject({ code: 'EIO' });
    await log.close();
  });

  it('stops when somebody else writes to its file', async () => {
    const dir = await folder();
    const { log } = await GuardLog.open({ folder: dir, now: () => AT });
    await log.durable(note(0));
    await appendFile(join(dir, FILE), 'x');
    await expect(log.durable(note(1))).rejects.toThrow('somebody else wrote');
    await expect(log.durable(note(2))).rejects.toThrow('somebody else wrote');
    await log.close();
  });

  it.each<[string, (lines: string[]) => string[], RegExp]>([
    [
      'a row that was edited',
      (all) => put(all, 2, (all[2] ?? '').replace('"amount":100', '"amount":1')),
      /:4: the row before it/,
    ],
    ['a row that was deleted', (all) => all.filter((_, at) => at !== 2), /:3: the row before it/],
    [
      'two rows that were swapped',
      (all) => put(put(all, 2, all[3] ?? ''), 3, all[2] ?? ''),
      /:3: the row before it/,
    ],
    ['a row that is none', (all) => put(all, 4, '{}'), /:5: it is no row/],
    ['the first row gone', (all) => all.slice(1), /:1: the row before it/],
  ])('[case 51] says where %s', async (_name, change, why) => {
    const dir = await folder();
    const file = await writtenLog(dir);
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    await writeFile(file, `${change(lines).join('\n')}\n`);
    expect((await verifyGuardLog(dir)).problems[0]).toMatch(why);
    await expect(GuardLog.open({ folder: dir, now: () => AT })).rejects.toMatchObject({
      code: 'GUARD_LOG_BROKEN',
      exitCode: 3,
    });
  });

  it('[case 51] finds a log that was cut to an earlier state, by a hash that was kept', async () => {
    const dir = await folder();
    const file = await writtenLog(dir);
    const { lastHash, problems } = await verifyGuardLog(dir);
    expect(problems).toEqual([]);
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    await writeFile(file, `${lines.slice(0, 3).join('\n')}\n`);
    expect((await verifyGuardLog(dir)).problems).toEqual([]);
    expect((await verifyGuardLog(dir, { kept: lastHash })).problems).toEqual([
      expect.stringContaining('cut off'),
    ]);
  });

  it('adds the amounts up again: a chain that is whole and a sum that is wrong', async () => {
    const dir = await folder();
    await writtenLog(dir);
    const { log } = await GuardLog.open({ folder: dir, now: () => AT });
    const take = { counter: 's per run run r usd', cap: 1_000, before: 100, after: 200 };
    await log.durable({
      kind: 'reserve',
      run: 'r',
      profile: 'p',
      method: 'POST',
      operation: 'refunds.create',
      reservation: 'false',
      scope: 's',
      amount: 100,
      currency: 'usd',
      direction: 'out',
      takes: [take],
      calls: [],
    });
    await log.close();
    expect((await verifyGuardLog(dir)).problems).toEqual([
      'row 9: s per run run r usd had come to 300, not 100',
    ]);
  });
});
