import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Catalog } from '../src/core/catalog/catalog.ts';
import { catalogData } from '../src/core/catalog/data/catalog.ts';
import { type Sandbox, startSandbox } from '../src/sandbox/sandbox.ts';
import { inTemporaryFolder, type Measurement, runKeyaudit } from './measure.ts';

const KEYS = 200;
/** So many keys are probed at the default depth; what one more costs tells what all would. */
const FEW = 5;
const SOME = 15;

/** Stripe's record of each key beside probing each key, at 100 ms of latency. */
export async function benchRecord(): Promise<Measurement[]> {
  const sandbox = await startSandbox({ catalog: new Catalog(catalogData) });
  try {
    return await inTemporaryFolder(async (dir) => [await besideProbes(dir, sandbox)]);
  } finally {
    await sandbox.close();
  }
}

async function besideProbes(dir: string, sandbox: Sandbox): Promise<Measurement> {
  const env = await keysOfProfiles(dir, sandbox);
  sandbox.behaviour.latencyMs = 100;
  const verify = async (count: number, depth: string) => {
    const names = Array.from({ length: count }, (_, index) => nameOf(index));
    const args = [
      'verify',
      ...names,
      '--depth',
      depth,
      '--target',
      'sandbox',
      '--api-base',
      sandbox.url,
      '--format',
      'json',
    ];
    const run = await runKeyaudit(args, dir, env);
    const { results } = JSON.parse(run.stdout) as { results: { findings: unknown[] }[] };
    if (results.length !== count || run.exitCode !== 0) throw new Error(`verify ended with ${run.exitCode}`);
    return run.ms;
  };
  const few = await verify(FEW, 'permissions');
  const some = await verify(SOME, 'permissions');
  const each = (some - few) / (SOME - FEW);
  const all = few + (KEYS - FEW) * each;
  const record = await verify(KEYS, 'record');
  return {
    what: `--depth record of ${KEYS} keys at 100 ms of latency, beside the default depth`,
    value: record / all,
    unit: '×',
    bound: { atMost: 1 / 20 },
    note: `${(record / 1000).toFixed(1)} s beside ${(all / 1000).toFixed(0)} s (from ${FEW} and ${SOME} keys)`,
  };
}

const nameOf = (index: number) => `agent-${index}`;

/** As many profiles, each with a key of its own in its variable. */
async function keysOfProfiles(dir: string, sandbox: Sandbox): Promise<Record<string, string>> {
  await mkdir(join(dir, 'profiles'));
  const env: Record<string, string> = { HOME: dir, STRIPE_SECRET_KEY: sandbox.secretKey.reveal() };
  for (let index = 0; index < KEYS; index++) {
    const variable = `AGENT_${index}_KEY`;
    await writeFile(
      join(dir, 'profiles', `${nameOf(index)}.yaml`),
      `name: ${nameOf(index)}\nenv: ${variable}\npermissions:\n  products: read\n  coupons: read\n`,
    );
    const response = await fetch(`${sandbox.url}/v2/iam/api_keys`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${sandbox.secretKey.reveal()}`,
        'content-type': 'application/json',
        'stripe-version': '2026-08-26.preview',
      },
      body: JSON.stringify({
        type: 'secret_key',
        name: nameOf(index),
        permissions: ['product_read', 'coupon_read'],
      }),
    });
    const { secret_key: made } = (await response.json()) as { secret_key: { token: string } };
    env[variable] = made.token;
  }
  return env;
}
