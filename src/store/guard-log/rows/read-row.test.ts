import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { writtenLog } from '../../../../test/support/written-log.ts';
import { type Depth, isPlainRow, RowReader } from './read-row.ts';

async function lines(): Promise<string[]> {
  const dir = await mkdtemp(join(tmpdir(), 'keyaudit-rows-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const text = await readFile(await writtenLog(join(dir, 'log'), 2), 'utf8');
  return text.trimEnd().split('\n');
}

const SHORT: ReadonlySet<unknown> = new Set(['reserve', 'settle']);

it('reads the short way what the guard writes most', async () => {
  for (const line of await lines())
    expect(isPlainRow(line), line).toBe(SHORT.has((JSON.parse(line) as { kind: string }).kind));
  const rows = [
    '{"seq":7,"time":"2026-11-25T12:00:00.000Z","prev":"a-_B","kind":"pass","instance":"0a","run":"r","profile":"p","policy":"x","operation":"charges.retrieve","method":"GET","path":"/v1/charges/{id}","ids":["ch_1","ch_2"],"account":"acct_1","status":200,"requestId":"req_1","msStripe":1.5}',
    '{"seq":8,"time":"2026-11-25T12:00:00.000Z","prev":"a-_B","kind":"look-up","run":"r","profile":"p","operation":"refunds.create","method":"POST","path":"/v1/refunds","code":"no_answer"}',
    '{"seq":9,"time":"2026-11-25T12:00:00.000Z","prev":"a-_B","kind":"refuse","run":"r","profile":"p","policy":"x","method":"POST","operation":"refunds.create","path":"/v1/refunds","status":403,"code":"keyaudit_spend_cap_exceeded","verdict":"refused","msGuard":0.4}',
  ];
  for (const row of rows) {
    expect(isPlainRow(row), row).toBe(true);
    const { seq, time, prev, kind } = JSON.parse(row) as Record<string, unknown>;
    expect(new RowReader('sums').row(row)).toEqual({ seq, time, prev, kind });
  }
});

it.each<Depth>(['whole', 'counted', 'sums'])(
  'reads the same at the depth "%s", or part of it',
  async (depth) => {
    const reader = new RowReader(depth);
    for (const line of await lines()) {
      const whole = JSON.parse(line) as Record<string, unknown>;
      const read = (reader.row(line) ?? {}) as unknown as Record<string, unknown>;
      for (const name of ['seq', 'time', 'prev', 'kind', 'reservation', 'scope', 'amount', 'takes', 'calls'])
        expect(read[name], `${name} of ${line}`).toEqual(whole[name]);
      if (depth === 'whole') expect(read).toEqual(whole);
    }
  },
);

const ROW =
  '{"seq":1,"time":"2026-11-25T12:00:00.000Z","prev":"none","kind":"settle","reservation":"x","amount":1}';

it.each([
  [ROW, true],
  [ROW.replace('"amount":1', '"amount":1,"amount":2'), false],
  [ROW.replace('"reservation":"x"', '"reservation":"y","reservation":"x"'), false],
  [ROW.replace('"amount":1', '"amount": 1'), false],
  [ROW.replace('"amount":1', '"amount":01'), false],
  [ROW.replace('"amount":1', '"amount":1.0'), false],
  [ROW.replace('"amount":1', '"amount":1e0'), false],
  [ROW.replace('"x"', '"\\u0078"'), false],
  [ROW.replace('"seq":1', '"seq":"1"'), false],
  [ROW.replace('settle', 'settled'), false],
  [`${ROW} `, false],
  [`[${ROW}]`, false],
  ['null', false],
  // What is written otherwise, and as JSON writes it, is read the long way.
  [ROW.replace('"x"', '"a\\"b é \\ud800"'), true],
])('takes %s for a row: %s', (line, isRow) => {
  for (const depth of ['whole', 'counted', 'sums'] as const)
    expect(new RowReader(depth).row(line) !== undefined).toBe(isRow);
});
