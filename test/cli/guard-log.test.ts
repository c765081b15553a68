import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, temporaryFolder } from '../support/run-cli.ts';
import { writtenLog } from '../support/written-log.ts';

const LOG = '.keyaudit/guard/log';

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
