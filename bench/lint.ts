import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inTemporaryFolder, type Measurement, runKeyaudit } from './measure.ts';

/** A thousand profiles, and a hundred beside them to see how time grows. */
export async function benchLint(): Promise<Measurement[]> {
  const small = await lintTime(100);
  const large = await lintTime(1_000);
  return [
    {
      what: 'profiles lint of 1,000 profiles',
      value: large / 1000,
      unit: 's',
      bound: { atMost: 3 },
      note: `100 take ${(small / 1000).toFixed(2)} s`,
    },
    {
      what: 'its growth, for ten times the profiles',
      value: large / small,
      unit: '×',
      bound: { atMost: 10 },
      note: 'start-up included',
    },
  ];
}

async function lintTime(count: number): Promise<number> {
  return inTemporaryFolder(async (dir) => {
    await mkdir(join(dir, 'profiles'));
    for (let index = 0; index < count; index++) {
      await writeFile(join(dir, 'profiles', `agent-${index}.yaml`), profile(index));
    }
    const run = await runKeyaudit(['profiles', 'lint'], dir);
    if (run.exitCode !== 0) throw new Error(`lint ended with ${run.exitCode}: ${run.stdout.slice(0, 300)}`);
    return run.ms;
  });
}

function profile(index: number): string {
  return `name: agent-${index}
description: Looks up purchases and issues refunds
env: STRIPE_AGENT_${index}_KEY
permissions:
  charges: { level: read, why: Look up the charge }
  refunds: { level: write, why: Refund it }
  customers: read
checks:
  allow: [charges.list, refunds.create, customers.retrieve]
  forbid: [payment_intents.create, subscriptions.update]
accept:
  - operations: [charges.create, charges.update, charges.capture]
    reason: Stripe grants refunds only together with charges
`;
}
