import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { catalog } from '../../../test/support/profiles.ts';
import { verifyResult } from '../../../test/support/verify-report-factory.ts';
import { LOG_TIME, writtenLog } from '../../../test/support/written-log.ts';
import { type NotedCall, type RunHead, RunRecorder } from '../../core/draft/runs/recorded-run.ts';
import { guardLogFolder } from '../../store/guard-log/guard-folder.ts';
import { writeRun } from '../../store/run-files.ts';
import { withLastUse } from './last-use.ts';

const GRANT = ['charge_write', 'customer_read'];
const charges: NotedCall = { method: 'GET', path: '/v1/charges', status: 200 };
const refund: NotedCall = { method: 'POST', path: '/v1/refunds', status: 200 };

/** A working folder, and what `verify` of the profile `p` says of uses there. */
async function folder() {
  const cwd = await mkdtemp(join(tmpdir(), 'keyaudit-last-use-'));
  onTestFinished(() => rm(cwd, { recursive: true, force: true }));
  const warnings: string[] = [];
  const record = async (day: number, calls: readonly NotedCall[], changes: Partial<RunHead> = {}) => {
    const recorder = new RunRecorder(catalog);
    for (const call of calls) recorder.note(call);
    const startedAt = new Date(Date.UTC(2026, 10, day)).toISOString();
    await writeRun(cwd, {
      schema: 'keyaudit.run/1',
      name: 'p',
      startedAt,
      endedAt: startedAt,
      catalog: catalog.source,
      seenBy: ['node'],
      granted: GRANT,
      unseen: [],
      calls: recorder.calls,
      ...changes,
    });
  };
  const uses = async () => {
    const [result] = await withLastUse([verifyResult({ profile: 'p', permissions: GRANT })], {
      cwd,
      catalog,
      beyondSdk: undefined,
      now: () => new Date(LOG_TIME),
      stderr: { write: (text: string) => warnings.push(text), columns: undefined, colour: false },
    } as unknown as Parameters<typeof withLastUse>[1]);
    return result?.lastUse;
  };
  return { cwd, warnings, record, uses };
}

describe('withLastUse', () => {
  it('is absent where nothing was recorded and no guard has run', async () => {
    const { uses, warnings } = await folder();
    expect(await uses()).toBeUndefined();
    expect(warnings).toEqual([]);
  });

  it('takes recorded runs, and says what was never used first', async () => {
    const { record, uses } = await folder();
    await record(1, [charges, refund]);
    await record(2, [charges]);
    expect(await uses()).toMatchObject({
      witnesses: ['recordings'],
      runs: 2,
      from: '2026-11-01T00:00:00.000Z',
      permissions: [
        { permission: 'customer_read', state: 'unused', runs: 0, had: 2, lastUsed: null },
        { permission: 'charge_write', state: 'used', runs: 2, lastUsed: '2026-11-02T00:00:00.000Z' },
      ],
    });
  });

  it("takes the guard's log, and names what it does not tell", async () => {
    const { cwd, record, uses } = await folder();
    await writtenLog(guardLogFolder(cwd));
    await record(1, [charges]);
    expect(await uses()).toMatchObject({
      witnesses: ['recordings', 'guard-log'],
      runs: 2,
      permissions: [
        { permission: 'customer_read', state: 'unknown', had: 2 },
        { permission: 'charge_write', runs: 2, lastUsed: new Date(LOG_TIME).toISOString() },
      ],
      unseen: [expect.stringMatching(/what a call expands/)],
    });
  });

  it.each<[string, Partial<RunHead>]>([
    ['recorded around it', { startedAt: '2026-11-25T11:00:00.000Z', endedAt: '2026-11-25T13:00:00.000Z' }],
    ['imported from that log', { startedAt: new Date(LOG_TIME).toISOString(), seenBy: ['guard'] }],
  ])("counts a run of the guard's once: %s", async (_name, changes) => {
    const { cwd, record, uses } = await folder();
    await writtenLog(guardLogFolder(cwd));
    await record(25, [refund], changes);
    expect((await uses())?.runs).toBe(1);
  });

  it.each<[string, (cwd: string) => Promise<unknown>]>([
    ['a run file that is none', (cwd) => writeFile(join(cwd, '.keyaudit/records/p/0.jsonl'), '{"a":1}\n')],
    ['a folder for a run file', (cwd) => mkdir(join(cwd, '.keyaudit/records/p/0.jsonl'))],
    ['a device for a run file', (cwd) => symlink('/dev/zero', join(cwd, '.keyaudit/records/p/0.jsonl'))],
  ])('is left out with a warning for %s, and nothing else fails', async (_name, spoil) => {
    const { cwd, record, uses, warnings } = await folder();
    await record(1, [charges]);
    await spoil(cwd);
    expect(await uses()).toBeUndefined();
    expect(warnings.join('')).toMatch(/^warning: when permissions were last used is not shown in full: /);
  });

  it("is taken from what is whole of a guard's log that was changed", async () => {
    const { cwd, uses } = await folder();
    const file = await writtenLog(guardLogFolder(cwd));
    const lines = (await readFile(file, 'utf8')).split('\n');
    const at = lines.findLastIndex((line) => line.includes('refunds'));
    lines[at] = lines[at]?.replace('refunds', 'payouts') ?? '';
    await writeFile(file, lines.join('\n'));
    expect((await uses())?.unseen).toContainEqual(expect.stringMatching(/is read to line \d alone/));
  });
});
