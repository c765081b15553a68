import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, temporaryFolder } from '../support/run-cli.ts';
import { writtenLog } from '../support/written-log.ts';

const LOG = '.keyaudit/guard/log';

describe('without a log', () => {
  it.each([
    ['guard log', 0, /^There is no row yet in .*\.keyaudit\/guard\/log\.\n$/],
    ['guard log --run run_1', 0, /^There is no row of the run run_1 yet in /],
    ['guard log accept 2026-11-25.jsonl:1 --reason x', 2, /^error: There is no log of a guard in /],
  ])('%s says so, and makes none', async (words, exitCode, said) => {
    const cwd = await temporaryFolder();
    expect(await runCli(words.split(' '), { cwd })).toMatchObject({
      exitCode,
      stdout: '',
      stderr: expect.stringMatching(said),
    });
    expect(await readdir(cwd)).toEqual([]);
  });
});

describe('keyaudit guard log verify', () => {
  it('says that a log is intact, and what to keep of it', async () => {
    const cwd = await temporaryFolder();
    await writtenLog(join(cwd, LOG));
    const json = await runCli(['guard', 'log', 'verify', '--format', 'json'], { cwd });
    expect(json).toMatchObject({ exitCode: 0, stderr: '' });
    const verdict = JSON.parse(json.stdout) as { lastHash: string };
    expect(verdict).toMatchObject({
      schema: 'keyaudit.guard-log/1',
      ok: true,
      rows: 8,
      checkpoints: 1,
      unsigned: 0,
      problems: [],
      unknown: [],
    });
    const kept = await runCli(['guard', 'log', 'verify', LOG, '--kept', verdict.lastHash], { cwd });
    expect(kept).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('is intact: 8 rows, 1 checkpoint.'),
    });
    const other = await runCli(['guard', 'log', 'verify', LOG, '--kept', 'x'], { cwd });
    expect(other).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('cut off') });
  });

  it('says where one is not, and that it is not', async () => {
    const cwd = await temporaryFolder();
    const file = await writtenLog(join(cwd, LOG));
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('"amount":100', '"amount":1'));
    const run = await runCli(['guard', 'log', 'verify'], { cwd });
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toMatch(/✘ 2026-11-25\.jsonl:3: the row before it is not the one/);
    expect(run.stdout).toContain('is not as it was written');
  });

  it('cannot tell where there is no log, or only a part of one', async () => {
    const cwd = await temporaryFolder();
    expect(await runCli(['guard', 'log', 'verify'], { cwd })).toMatchObject({
      exitCode: 3,
      stdout: expect.stringContaining('there are no rows'),
    });
    const file = await writtenLog(join(cwd, LOG));
    const lines = (await readFile(file, 'utf8')).split('\n');
    await writeFile(join(cwd, 'rest.jsonl'), lines.slice(3).join('\n'));
    expect(await runCli(['guard', 'log', 'verify', 'rest.jsonl'], { cwd })).toMatchObject({
      exitCode: 3,
      stdout: expect.stringContaining('begins with row 4'),
    });
    await rename(file, join(cwd, 'whole.jsonl'));
    expect(await runCli(['guard', 'log', 'verify', 'whole.jsonl'], { cwd })).toMatchObject({
      exitCode: 3,
      stdout: expect.stringContaining('no key to check the checkpoints by'),
    });
    const key = ['--key', join(LOG, 'key.pub.json')];
    expect((await runCli(['guard', 'log', 'verify', 'whole.jsonl', ...key], { cwd })).exitCode).toBe(0);
    const none = await runCli(['guard', 'log', 'verify', LOG, '--key', 'whole.jsonl'], { cwd });
    expect(none).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('no public P-256 key') });
  });
});

describe('keyaudit guard log', () => {
  it('shows the last rows, of all runs or of one, and as they stand', async () => {
    const cwd = await temporaryFolder();
    await writtenLog(join(cwd, LOG));
    const all = await runCli(['guard', 'log'], { cwd });
    expect(all).toMatchObject({ exitCode: 0, stderr: '' });
    expect(all.stdout.split('\n')[1]).toBe(
      '2026-11-25T12:00:00.000Z  reserve     r  refunds.create  1.00 usd',
    );
    expect(all.stdout.split('\n')[2]).toBe(
      '2026-11-25T12:00:00.000Z  settle      r  refunds.create  1.00 usd',
    );
    const last = await runCli(['guard', 'log', '--last', '2', '--run', 'r', '--format', 'json'], { cwd });
    const rows = last.stdout.trimEnd().split('\n');
    const file = await readFile(join(cwd, LOG, '2026-11-25.jsonl'), 'utf8');
    expect(rows).toEqual(file.split('\n').slice(5, 7));
    expect((await runCli(['guard', 'log', '--run', 'other'], { cwd })).stdout).toBe('');
  });

  it('shows rows only up to the one that is not as it was written', async () => {
    const cwd = await temporaryFolder();
    const file = await writtenLog(join(cwd, LOG));
    await writeFile(file, (await readFile(file, 'utf8')).replace('"amount":100', '"amount":1'));
    const run = await runCli(['guard', 'log', 'export', '--format', 'csv'], { cwd });
    expect(run).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('is not as it was written') });
  });
});

describe('keyaudit guard log export', () => {
  async function exported(format: string): Promise<string[]> {
    const cwd = await temporaryFolder();
    await writtenLog(join(cwd, LOG));
    const run = await runCli(['guard', 'log', 'export', '--format', format], { cwd });
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    return run.stdout.trimEnd().split('\n');
  }

  it('writes CSV with amounts in minor units and in words', async () => {
    const [head = '', , reserve = '', settle = '', ...rest] = await exported('csv');
    expect(rest).toHaveLength(5);
    const named = (line: string) =>
      Object.fromEntries(line.split(',').map((value, at) => [head.split(',')[at], value]));
    expect(named(reserve)).toMatchObject({
      seq: '2',
      kind: 'reserve',
      run: 'r',
      operation: 'refunds.create',
      direction: 'out',
      amount_minor: '100',
      amount: '1.00 usd',
    });
    // What ends a call says what it was for.
    expect(named(settle)).toMatchObject({ kind: 'settle', operation: 'refunds.create', amount: '1.00 usd' });
  });

  it('writes CloudEvents with all that they require', async () => {
    const events = (await exported('cloudevents')).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events).toHaveLength(8);
    expect(new Set(events.map(({ id, source }) => `${String(source)} ${String(id)}`)).size).toBe(8);
    for (const event of events) {
      expect(event).toMatchObject({ specversion: '1.0', datacontenttype: 'application/json' });
      expect(event.type).toMatch(/^keyaudit\.guard\.[a-z-]+$/);
      expect(Number.isNaN(Date.parse(String(event.time)))).toBe(false);
      // Names of attributes are lower-case letters and digits.
      for (const name of Object.keys(event)) expect(name).toMatch(/^[a-z0-9]+$/);
    }
    expect(events[1]).toMatchObject({
      subject: 'r',
      data: { operation: 'refunds.create', amount: { minor: 100, currency: 'usd' } },
    });
  });

  it('writes OCSF API Activity with all that it requires', async () => {
    const events = (await exported('ocsf')).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events).toHaveLength(8);
    for (const event of events) {
      const { class_uid: ofClass, activity_id: activity, type_uid: type } = event as Record<string, number>;
      expect([ofClass, event.category_uid]).toEqual([6003, 6]);
      expect(type).toBe(6003 * 100 + Number(activity));
      for (const name of ['time', 'severity_id', 'metadata', 'actor', 'api', 'src_endpoint'])
        expect(event[name]).toBeDefined();
      expect(event.metadata).toMatchObject({ version: '1.7.0', product: { vendor_name: 'keyaudit' } });
    }
    expect(events[1]).toMatchObject({ activity_id: 1, api: { operation: 'refunds.create' } });
  });

  it('has no other format', async () => {
    const run = await runCli(['guard', 'log', 'export'], { cwd: await temporaryFolder() });
    expect(run).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('ocsf, cloudevents, csv') });
  });
});
