import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runCli, temporaryFolder } from '../support/run-cli.ts';
import { writtenLog } from '../support/written-log.ts';

const LOG = '.keyaudit/guard/log';

/** A refund agent with caps, beside a log of three refunds of 1.00 usd each in one run. */
async function folder(guard: string, checks = 'allow: [refunds.create]'): Promise<string> {
  const cwd = await temporaryFolder();
  await writtenLog(join(cwd, LOG));
  await mkdir(join(cwd, 'profiles'));
  await writeFile(
    join(cwd, 'profiles/p.yaml'),
    `name: p
description: Refunds
env: STRIPE_P_KEY
permissions: { charges: read, refunds: write }
checks: { ${checks} }
accept: [{ operations: [charges.create, charges.update, charges.capture], reason: shared }]
guard: ${guard}
`,
  );
  return cwd;
}

it.each<[guard: string, exitCode: number, refused: readonly (readonly [number, string])[]]>([
  ['{ repeat: allow, caps: [{ per: run, amount: 3.00 usd }] }', 0, []],
  ['{ repeat: allow, caps: [{ per: run, amount: 2.00 usd }] }', 1, [[6, 'keyaudit_spend_cap_exceeded']]],
  [
    '{ repeat: allow, caps: [{ per: day, amount: 9.00 usd, calls: 1 }] }',
    1,
    [
      [4, 'keyaudit_spend_cap_exceeded'],
      [6, 'keyaudit_spend_cap_exceeded'],
    ],
  ],
  [
    '{ repeat: allow, caps: [{ per: run, amount: 9.00 eur }] }',
    1,
    [2, 4, 6].map((seq) => [seq, 'keyaudit_currency_not_capped'] as const),
  ],
  [
    '{ caps: [{ per: run, amount: 9.00 usd }] }',
    1,
    [
      [4, 'keyaudit_repeated_call'],
      [6, 'keyaudit_repeated_call'],
    ],
  ],
])('guard simulate with %s: exit %i', async (guard, exitCode, refused) => {
  const cwd = await folder(guard);
  const run = await runCli(['guard', 'simulate', LOG, '--format', 'json'], { cwd });
  expect(run.exitCode, run.stderr).toBe(exitCode);
  const { found, calls, ok } = JSON.parse(run.stdout) as {
    ok: boolean;
    calls: number;
    found: { seq: number; code: string }[];
  };
  expect([calls, ok]).toEqual([3, exitCode === 0]);
  expect(found.map(({ seq, code }) => [seq, code])).toEqual(refused);
});

it('guard simulate refuses what a profile does not ask for any more, and cannot tell without a policy or rows', async () => {
  const cwd = await folder(
    '{ only: checks, caps: [{ per: run, amount: 9.00 usd }] }',
    'allow: [charges.list]',
  );
  const run = await runCli(['guard', 'simulate', LOG], { cwd });
  expect(run).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('3 would have been refused') });
  expect(run.stdout).toContain('does not ask for it');
  expect((await runCli(['guard', 'simulate', 'nowhere'], { cwd })).exitCode).toBe(3);
  const other = await runCli(['guard', 'simulate', LOG, '--profile', 'nobody'], { cwd });
  expect(other).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('nobody') });
});
