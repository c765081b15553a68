import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/run-cli.ts';
import { followGuardLog } from './follow-guard-log.ts';
import { GuardLog } from './guard-log.ts';

it('goes on with the rows that come, over the end of a day, until it is told to end', async () => {
  const folder = join(await temporaryFolder(), 'log');
  let now = Date.parse('2026-11-25T23:59:00Z');
  const { log } = await GuardLog.open({ folder, now: () => now });
  await log.durable({ kind: 'pass', code: 'n0' });
  const seen: unknown[] = [];
  const controller = new AbortController();
  let isAtEnd = 0;
  const reading = followGuardLog(
    folder,
    (row) => {
      seen.push((row as { code?: string }).code);
      if (seen.length === 4) controller.abort();
    },
    { follow: true, signal: controller.signal, atEnd: () => (isAtEnd = seen.length) },
  );
  await log.durable({ kind: 'pass', code: 'n1' });
  now += 120_000;
  await log.durable({ kind: 'pass', code: 'n2' });
  await log.durable({ kind: 'pass', code: 'n3' });
  await reading;
  expect(seen).toEqual(['n0', 'n1', 'n2', 'n3']);
  expect(isAtEnd).toBeGreaterThan(0);
  await log.close();
});
