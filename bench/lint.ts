import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { inTemporaryFolder, type Measurement, median, runKeyaudit, timed } from './measure.ts';

/** A thousand profiles, beside reading them as YAML alone, and a hundred to see how time grows. */
export async function benchLint(): Promise<Measurement[]> {
  const yaml: number[] = [];
  const lint: { small: number; large: number }[] = [];
  for (let round = 0; round < 3; round++) {
    yaml.push(
      await timed(async () => {
        for (let index = 0; index < 1_000; index++) parseDocument(profile(index));
      }),
    );
    lint.push({ small: await lintTime(100), large: await lintTime(1_000) });
  }
  const large = median(lint.map((round) => round.large));
  const parsing = Math.min(...yaml);
  return [
    {
      what: 'profiles lint of 1,000 profiles, beside reading them as YAML alone',
      value: large / parsing,
      unit: '×',
      bound: { atMost: 10 },
      note: `${large.toFixed(0)} ms beside ${parsing.toFixed(0)} ms, start-up included`,
    },
    {
      what: 'its growth, for ten times the profiles',
      value: median(lint.map((round) => round.large / round.small)),
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
