import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LOG_TIME, writtenLog } from '../../../../test/support/written-log.ts';
import { GuardLog } from '../guard-log.ts';
import { verifyGuardLog } from '../verify-guard-log.ts';
import { acceptBreak } from './accept-break.ts';

const now = () => LOG_TIME;
const FILE = '2026-11-25.jsonl';

/** A log of three refunds of 100, changed as it is told. */
async function changed(change: (lines: string[]) => string[]): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'keyaudit-accept-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const folder = join(dir, 'log');
  const file = await writtenLog(folder);
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  await writeFile(file, `${change(lines).join('\n')}\n`);
  return folder;
}

const accept = (folder: string, line: number) =>
  acceptBreak({ folder, place: `${FILE}:${line}`, reason: 'looked into', now });

async function counted(folder: string): Promise<number> {
  const { log, book } = await GuardLog.open({ folder, now });
  await log.close();
  return [...book.counters().values()].reduce((sum, value) => sum + value, 0);
}

describe('a break that a person accepts by its name', () => {
  // Rows: 1 issue, then a reservation and its settling for each of three refunds, then the checkpoint.
  it.each<[string, (lines: string[]) => string[], number, number]>([
    [
      'an amount that was raised',
      (l) => l.with(2, (l[2] ?? '').replace('"amount":100', '"amount":900')),
      4,
      1_100,
    ],
    ['a reservation that was cut out', (l) => l.toSpliced(3, 1), 4, 200],
    ['a settling that was cut out: it stays reserved', (l) => l.toSpliced(4, 1), 5, 300],
    ['a line that is no row', (l) => l.toSpliced(3, 0, 'nonsense'), 4, 300],
  ])('%s: a guard starts on what the rows say', async (_name, change, line, sum) => {
    const folder = await changed(change);
    await expect(GuardLog.open({ folder, now })).rejects.toMatchObject({
      code: 'GUARD_LOG_BROKEN',
      hint: expect.stringContaining(`keyaudit guard log accept ${FILE}:${line}`),
    });
    await accept(folder, line);
    expect(await counted(folder)).toBe(sum);
    // What is written from here on holds, and the log says what was taken.
    const { log } = await GuardLog.open({ folder, now });
    await log.durable({ kind: 'pass' });
    await log.close();
    expect(await counted(folder)).toBe(sum);
    expect(await readFile(join(folder, FILE), 'utf8')).toContain(`"place":"${FILE}:${line}"`);
    expect((await verifyGuardLog(folder)).problems[0]).toContain(`${FILE}:${line}`);
  });

  it('is that one as it stands, and no other', async () => {
    const folder = await changed((l) => l.toSpliced(3, 1));
    await expect(accept(folder, 3)).rejects.toMatchObject({
      code: 'GUARD_LOG_BROKEN',
      hint: expect.stringContaining(`The first break is ${FILE}:4`),
    });
    await accept(folder, 4);
    await expect(accept(folder, 4)).rejects.toMatchObject({ code: 'GUARD_LOG_WHOLE' });
    // Another change at the same place is another break.
    const file = join(folder, FILE);
    const lines = (await readFile(file, 'utf8')).split('\n');
    await writeFile(file, lines.with(3, (lines[3] ?? '').replace('"amount":100', '"amount":1')).join('\n'));
    await expect(GuardLog.open({ folder, now })).rejects.toMatchObject({ code: 'GUARD_LOG_BROKEN' });
  });

  it('takes nothing that the key of the log has not signed', async () => {
    const folder = await changed((l) => l.toSpliced(3, 1));
    const other = await changed((l) => l.toSpliced(3, 1));
    await accept(other, 4);
    const signed = await readFile(join(dirname(other), 'accepted-breaks'), 'utf8');
    await appendFile(join(dirname(folder), 'accepted-breaks'), signed);
    await expect(GuardLog.open({ folder, now })).rejects.toMatchObject({ code: 'GUARD_LOG_BROKEN' });
  });
});
