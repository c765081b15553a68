import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  inTemporaryFolder,
  KEYAUDIT,
  type Measurement,
  median,
  medianRatio,
  processorMs,
} from './measure.ts';

const ROUNDS = 5;

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
        parsing.push(await processorMs(['--input-type=module', '-e', PARSE, many], many));
      }
      return [
        {
          what: 'profiles lint of 1,000 profiles, beside parsing their YAML alone',
          value: medianRatio(large, parsing),
          unit: '×',
          bound: { atMost: 2.7 },
          note: `${(median(large) / 1000).toFixed(2)} s of processor time beside ${(median(parsing) / 1000).toFixed(2)} s`,
        },
        {
          what: 'its growth, for ten times the profiles',
          value: medianRatio(large, small),
          unit: '×',
          bound: { atMost: 10 },
          note: 'start-up included',
        },
        await mistakes(),
      ];
    }),
  );
}

/** A file with a thousand mistakes, beside a start that does nothing. */
async function mistakes(): Promise<Measurement> {
  return inTemporaryFolder(async (dir) => {
    await mkdir(join(dir, 'profiles'));
    const lines = Array.from({ length: 1_000 }, (_, index) => `    - payment_intents.creat${index}\n`).join(
      '',
    );
    await writeFile(join(dir, 'profiles', 'wrong.yaml'), `name: wrong\nchecks:\n  allow:\n${lines}`);
    const wrong: number[] = [];
    const bare: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      wrong.push(await processorMs([KEYAUDIT, 'profiles', 'lint'], dir, 2));
      bare.push(await processorMs([KEYAUDIT, '--version'], dir));
    }
    return {
      what: 'profiles lint of a file with a thousand mistakes, beside keyaudit --version',
      value: medianRatio(wrong, bare),
      unit: '×',
      bound: { atMost: 7 },
      note: `${median(wrong).toFixed(0)} ms of processor time beside ${median(bare).toFixed(0)} ms`,
    };
  });
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

const lintMs = (dir: string): Promise<number> => processorMs([KEYAUDIT, 'profiles', 'lint'], dir);

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
