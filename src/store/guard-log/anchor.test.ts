import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/run-cli.ts';
import { writtenLog } from '../../../test/support/written-log.ts';
import { Anchor } from './anchor.ts';
import { verifyGuardLog } from './verify-guard-log.ts';

it('hands checkpoints to a command, by which a log that was cut is found; no Stripe key goes with them', async () => {
  const cwd = await temporaryFolder();
  const alarms: string[] = [];
  const env = { PATH: process.env.PATH, STRIPE_SECRET_KEY: 'sk_test_x', OTHER: 'y' };
  const command = 'cat > kept; echo "$STRIPE_SECRET_KEY$OTHER" > seen';
  const anchor = new Anchor({ command, cwd, env, alarm: (text) => alarms.push(text) });
  const folder = join(cwd, 'guard', 'log');
  await writtenLog(folder, 3, { onCheckpoint: (jws) => anchor.take(jws) });
  await anchor.close();
  expect(alarms).toEqual([]);
  expect(await readFile(join(cwd, 'seen'), 'utf8')).toBe('y\n');
  const kept = (await readFile(join(cwd, 'kept'), 'utf8')).trim();
  expect((await verifyGuardLog(folder, { kept })).problems).toEqual([]);
});

it('hands over the latest of those that came in the meantime, and tells of each that failed', async () => {
  const cwd = await temporaryFolder();
  const alarms: string[] = [];
  const alarm = (text: string) => alarms.push(text);
  const slow = new Anchor({ command: 'cat >> kept; sleep 0.2', cwd, env: { PATH: process.env.PATH }, alarm });
  for (const jws of ['a', 'b', 'c']) slow.take(jws);
  await slow.close();
  expect((await readFile(join(cwd, 'kept'), 'utf8')).trim().split('\n').at(-1)).toBe('c');
  const failing = new Anchor({ command: 'exit 4', cwd, env: { PATH: process.env.PATH }, alarm });
  failing.take('a');
  await failing.close();
  expect(alarms).toEqual(['a checkpoint of the log was not anchored (exit code 4)']);
});
