import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { inTemporaryFolder, type Measurement, median, medianRatio, runKeyaudit, timed } from './measure.ts';

const ROUNDS = 3;

/** A thousand profiles, beside parsing their YAML and nothing else, and beside a hundred of them. */
export async function benchLint(): Promise<Measurement[]> {
  return inProfiles(100, (few) =>
    inProfiles(1_000, async (many) => {
      const small: number[] = [];
      const large: number[] = [];
      const parsing: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        small.push(await lintMs(few));
        large.push(await lintMs(many));
        parsing.push(await timed(() => execa(process.execPath, ['--input-type=module', '-e', PARSE, many])));
      }
      return [
        {
          what: 'profiles lint of 1,000 profiles, beside parsing their YAML alone',
          value: medianRatio(large, parsing),
          unit: '×',
          bound: { atMost: 3 },
          note: `${(median(large) / 1000).toFixed(2)} s beside ${(median(parsing) / 1000).toFixed(2)} s`,
        },
        {
          what: 'its growth, for ten times the profiles',
          value: medianRatio(large, small),
          unit: '×',
          bound: { atMost: 10 },
          note: 'start-up included',
        },
      ];
    }),
  );
}

/** Reads and parses, in a process of its own as lint does. */
const PARSE = `
  import { readdirSync, readFileSync } from 'node:fs';
  import { parseDocument } from ${JSON.stringify(import.meta.resolve('yaml'))};
  const dir = process.argv[1] + '/profiles/';
  for (const file of readdirSync(dir)) parseDocument(readFileSync(dir + file, 'utf8'));
`;

async function inProfiles<T>(count: number, work: (dir: string) => Promise<T>): Promise<T> {
  return inTemporaryFolder(async (dir) => {
    await mkdir(join(dir, 'profiles'));
    for (let index = 0; index < count; index++) {
      await writeFile(join(dir, 'profiles', `agent-${index}.yaml`), profile(index));
    }
    return work(dir);
  });
}

async function lintMs(dir: string): Promise<number> {
  const run = await runKeyaudit(['profiles', 'lint'], dir);
  if (run.exitCode !== 0) throw new Error(`lint ended with ${run.exitCode}: ${run.stdout.slice(0, 300)}`);
  return run.ms;
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
