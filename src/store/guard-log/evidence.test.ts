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
    const file = await writtenLog(dir, 4, { onCheckpoint: (jws) => told.push(jws) });
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

  it('find a flipped bit, wherever it is', async () => {
    const dir = await folder();
    const file = await writtenLog(dir, 2, { instance: 'cafe0001' });
    const bytes = await readFile(file);
    const lastRow = bytes.lastIndexOf(0x0a, bytes.length - 2);
    const step = Number(process.env.KEYAUDIT_FLIP_STEP ?? 43);
    const unseen: string[] = [];
    for (let bit = 0; bit < bytes.length * 8; bit += bit < lastRow * 8 ? step * 8 + 1 : step + 2) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await writeFile(file, flipped);
      const { problems } = await verifyGuardLog(dir);
      if (problems.length === 0) unseen.push(`bit ${bit & 7} of byte ${bit >> 3} of ${bytes.length}`);
    }
    expect(unseen).toEqual([]);
  });

  it.each<[string, (row: string) => string]>([
    ['blanks between', (row) => row.replaceAll(',"', ', "')],
    ['a blank behind', (row) => `${row} `],
    ['a name twice', (row) => row.replace('{', '{"seq":0,')],
    ['the same name twice, with the same value', (row) => row.replace('}', ',"kind":"checkpoint"}')],
    ['a letter written as its number', (row) => row.replace('"checkpoint"', '"\\u0063heckpoint"')],
    ['a number written otherwise', (row) => row.replace(/"size":(\d+)/, '"size":$1.0')],
    ['its line ended as elsewhere', (row) => `${row}\r`],
  ])('find a last row that says the same with %s', async (_name, change) => {
    const dir = await folder();
    const file = await writtenLog(dir, 2);
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    const last = lines.pop() ?? '';
    await writeFile(file, `${lines.join('\n')}\n${change(last)}\n`);
    expect((await verifyGuardLog(dir)).problems).toEqual([
      expect.stringContaining('it is no row of the log'),
    ]);
  });

  it('find any two rows swapped, any row doubled, any one taken out, but the last', async () => {
    const dir = await folder();
    const file = await writtenLog(dir, 2);
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    const changes = lines.flatMap((line, at) => [
      lines.toSpliced(at, 0, line),
      ...(at < lines.length - 1 ? [lines.toSpliced(at, 1)] : []),
      ...lines.slice(at + 1).map((other, n) => lines.with(at, other).with(at + 1 + n, line)),
    ]);
    for (const changed of changes) {
      await writeFile(file, `${changed.join('\n')}\n`);
      expect((await verifyGuardLog(dir)).problems).not.toEqual([]);
    }
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
