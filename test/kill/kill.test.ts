import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/run-cli.ts';
import { startSandboxServer } from '../support/sandbox-server.ts';
import { COMMANDS, type KilledCommand, killAndRecover, type Moment } from './kill-run.ts';

/**
 * Kills each command at every change that it makes in `.keyaudit/`, and at random moments. `KILL_RUNS`
 * random ones are done for each command (a few here; hundreds by `KILL_RUNS=100 npx vitest run test/kill`).
 */
const RANDOM_RUNS = Number(process.env.KILL_RUNS ?? 3);
/** Changes that a watcher sees in one run: temporary files, renames and locks are changes too. */
const CHANGES: Readonly<Record<KilledCommand, number>> = { provision: 24, rotate: 36, revoke: 20, exec: 14 };
/** Every so many changes one run; all of them when many random runs are asked for. */
const STRIDE = RANDOM_RUNS > 10 ? 1 : 4;
const LONGEST_RUN_MS = 1_200;
const AT_ONCE = 6;

it('killed at any moment, leaves one working published key and none that nobody knows', async () => {
  const sandbox = await startSandboxServer(await temporaryFolder(), [
    '--set',
    'expiryDelayMs=0',
    '--set',
    'narrowingDelayMs=0',
  ]);
  const runs: { command: KilledCommand; moment: Moment }[] = COMMANDS.flatMap((command) => [
    ...Array.from({ length: Math.ceil(CHANGES[command] / STRIDE) }, (_, index) => ({
      command,
      moment: { change: 1 + index * STRIDE },
    })),
    ...Array.from({ length: RANDOM_RUNS }, () => ({
      command,
      moment: { afterMs: Math.round(150 + Math.random() * LONGEST_RUN_MS) },
    })),
  ]);
  const wrong: string[] = [];
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < runs.length; index = next++) {
      const run = runs[index];
      if (run === undefined) return;
      const problems = await killAndRecover(run.command, run.moment, sandbox, `agent-${index}`);
      wrong.push(...problems.map((problem) => `${run.command} ${JSON.stringify(run.moment)}: ${problem}`));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  expect(wrong).toEqual([]);
}, 1_800_000);
