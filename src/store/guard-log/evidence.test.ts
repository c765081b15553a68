import { hash } from 'node:crypto';
import { appendFile, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LOG_TIME, writtenLog } from '../../../test/support/written-log.ts';
import { GuardLog } from './guard-log.ts';
import { verifyGuardLog } from './verify-guard-log.ts';

const now = () => LOG_TIME;

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'keyaudit-guard-log-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return join(dir, 'log');
}

/** Rows as somebody writes them who knows how they are chained, and has no key. */
function chained(lines: readonly string[]): string {
  let prev = 'none';
  const rows = lines.map((line, at) => {
    const text = JSON.stringify({ ...(JSON.parse(line) as object), seq: at + 1, prev });
    prev = hash('sha256', `\0${text}`, 'base64url');
    return `${text}\n`;
  });
  return rows.join('');
}

describe('checkpoints', () => {
  it('come every 1,000 rows and at the end, are told, and are checked', async () => {
    const dir = await folder();
    const told: string[] = [];
    const { log } = await GuardLog.open({ folder: dir, now, onCheckpoint: (jws) => told.push(jws) });
    const all = Array.from({ length: 2_500 }, (_, n) => log.durable({ kind: 'pass', code: `n${n}` }));
    await Promise.all(all);
    expect(told).toHaveLength(2);
    await log.close();
    expect(told).toHaveLength(3);
    const verdict = await verifyGuardLog(dir);
    expect(verdict).toMatchObject({ rows: 2_503, checkpoints: 3, unsigned: 0, problems: [], unknown: [] });
    const key = JSON.parse(await readFile(join(dir, 'key.pub.json'), 'utf8')) as object;
    expect(Object.keys(key).sort()).toEqual(['crv', 'kty', 'x', 'y']);
    expect((await stat(join(dirname(dir), 'log-key.json'))).mode & 0o077).toBe(0);
    // Each that was kept shows that the log still begins as it did then.
    for (const kept of told) expect((await verifyGuardLog(dir, { kept })).problems).toEqual([]);
    const other = await folder();
    await writtenLog(other);
    expect((await verifyGuardLog(other, { kept: told[0] })).problems).toEqual([
      expect.stringContaining('what was kept is not in the log'),
    ]);
  });

  it('[case 51] find a log that was cut to an earlier state, and one that was chained anew', async () => {
    const dir = await folder();
    const told: string[] = [];
    const file = await writtenLog(dir, 4, (jws) => told.push(jws));
    const text = await readFile(file, 'utf8');
    const lines = text.trimEnd().split('\n');
    // Cut off in front of its checkpoint, the chain is whole; whoever kept the checkpoint sees it.
    await writeFile(file, `${lines.slice(0, 5).join('\n')}\n`);
    expect((await verifyGuardLog(dir)).problems).toEqual([]);
    expect((await verifyGuardLog(dir, { kept: told[0] })).problems).toEqual([
      expect.stringContaining('it was cut off'),
    ]);
    // Without a row, chained anew: the checkpoint has another root.
    await writeFile(file, chained(lines.filter((_, at) => at !== 6)));
    expect((await verifyGuardLog(dir)).problems.join()).toMatch(/row 9: the checkpoint's root is not that/);
    // Without its checkpoint too, and with one that somebody else signed.
    const other = await folder();
    const forged = (await readFile(await writtenLog(other, 3), 'utf8')).trimEnd().split('\n');
    await writeFile(file, `${forged.join('\n')}\n`);
    expect((await verifyGuardLog(dir)).problems).toEqual([
      "row 8: the checkpoint is not signed by the log's key",
    ]);
    await writeFile(file, text);
    expect((await verifyGuardLog(dir)).problems).toEqual([]);
  });

  it('that are missing where there must be some are a problem', async () => {
    const dir = await folder();
    await writtenLog(dir);
    const rows = Array.from({ length: 3_000 }, () => '{"time":"2026-11-25T12:00:00.000Z","kind":"pass"}');
    await writeFile(join(dir, '2026-11-25.jsonl'), chained(rows));
    expect((await verifyGuardLog(dir)).problems).toEqual(['no checkpoint covers the rows behind 0']);
  });

  it.each(Array.from({ length: 40 }, (_, n) => n))('find a flipped bit (%i)', async (n) => {
    const dir = await folder();
    const file = await writtenLog(dir, 2);
    const bytes = await readFile(file);
    const at = Math.floor((bytes.length - 1) * ((n * 0.6180339887) % 1));
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (n % 8));
    await writeFile(file, bytes);
    const { problems } = await verifyGuardLog(dir);
    expect(problems.length).toBeGreaterThan(0);
  });

  it('are not signed by a new key because the old one is gone', async () => {
    const dir = await folder();
    await writtenLog(dir);
    await rm(join(dirname(dir), 'log-key.json'));
    await expect(GuardLog.open({ folder: dir, now })).rejects.toMatchObject({
      code: 'GUARD_LOG_KEY',
      exitCode: 3,
    });
  });
});

describe('a snapshot', () => {
  /** A log of so many rows, closed, so that it has one. */
  async function long(dir: string): Promise<string> {
    const file = await writtenLog(dir, 600);
    expect(await readdir(dirname(dir))).toContain('snapshot.json');
    return file;
  }
  const counters = async (dir: string) => {
    const { log, book } = await GuardLog.open({ folder: dir, now });
    await log.close();
    return [...book.counters()].sort();
  };

  it('is gone on from, and comes to the same as the log', async () => {
    const dir = await folder();
    const file = await long(dir);
    // What lies before it is not read.
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('"amount":100', '"amount":999'));
    const fast = await counters(dir);
    await writeFile(file, text);
    expect(fast.length).toBeGreaterThan(0);
    const { log } = await GuardLog.open({ folder: dir, now });
    await log.durable({ kind: 'pass', code: 'more' });
    await log.close();
    expect(await counters(dir)).toEqual(fast);
    await rm(join(dirname(dir), 'snapshot.json'));
    expect(await counters(dir)).toEqual(fast);
    expect((await verifyGuardLog(dir)).problems).toEqual([]);
  });

  it.each<[string, (text: string) => string]>([
    ['changed', (text) => text.replace(/60000/g, '10')],
    ['cut', (text) => text.slice(0, -20)],
    ['empty', () => ''],
    ['signed by nobody', (text) => text.replace(/^[^\n]*/, 'a.b.c')],
  ])('that was %s is not believed', async (_name, change) => {
    const dir = await folder();
    await long(dir);
    const right = await counters(dir);
    const file = join(dirname(dir), 'snapshot.json');
    const text = await readFile(file, 'utf8');
    expect(change(text)).not.toBe(text);
    await writeFile(file, change(text));
    expect(await counters(dir)).toEqual(right);
  });

  it('[case 51] shows that rows are gone which it has counted', async () => {
    const dir = await folder();
    const file = await long(dir);
    const text = await readFile(file, 'utf8');
    await truncate(file, text.lastIndexOf('\n', text.length - 2) + 1);
    await expect(GuardLog.open({ folder: dir, now })).rejects.toMatchObject({ code: 'GUARD_LOG_BROKEN' });
    await rm(file);
    await expect(GuardLog.open({ folder: dir, now })).rejects.toMatchObject({ code: 'GUARD_LOG_BROKEN' });
    await writeFile(file, text);
    await appendFile(file, '{}\n');
    await expect(GuardLog.open({ folder: dir, now })).rejects.toMatchObject({ code: 'GUARD_LOG_BROKEN' });
  });
});
