import { randomBytes } from 'node:crypto';
import { buildProbe } from '../src/core/build-probe.ts';
import { Catalog } from '../src/core/catalog.ts';
import { parametersOf } from '../src/core/parameters.ts';
import type { Probe } from '../src/core/probe.ts';
import { SecretKey } from '../src/core/secret-key.ts';
import { catalogData } from '../src/data/catalog.ts';
import { type Sandbox, startSandbox } from '../src/sandbox/sandbox.ts';
import { type SendOptions, sendProbes } from '../src/stripe/send-probes.ts';
import { inTemporaryFolder, type Measurement, median, runKeyaudit, timed } from './measure.ts';

const catalog = new Catalog(catalogData);
const ROUNDS = 5;

/** How fast probes go, against the sandbox in this process, with latency, and under Stripe's rate limit. */
export async function benchProbes(): Promise<Measurement[]> {
  const probes = allProbes();
  return [
    await plainRate(probes),
    await withLatency(probes),
    await underRateLimit(probes.slice(0, 150)),
    ...(await memory()),
  ];
}

function allProbes(): Probe[] {
  const nonce = randomBytes(6).toString('hex');
  return catalog.operations.map((operation) =>
    buildProbe(operation, { parameters: parametersOf(operation.name), nonce }),
  );
}

async function withSandbox<T>(
  behaviour: Partial<Sandbox['behaviour']>,
  work: (options: SendOptions, sandbox: Sandbox) => Promise<T>,
): Promise<T> {
  const sandbox = await startSandbox({ catalog, behaviour });
  try {
    return await work(await optionsFor(sandbox), sandbox);
  } finally {
    await sandbox.close();
  }
}

async function optionsFor(sandbox: Sandbox): Promise<SendOptions> {
  const response = await fetch(`${sandbox.url}/v2/iam/api_keys`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${sandbox.secretKey.reveal()}`,
      'content-type': 'application/json',
      'stripe-version': '2026-08-26.preview',
    },
    body: JSON.stringify({
      type: 'secret_key',
      name: 'bench',
      permissions: ['charge_read', 'customer_read'],
    }),
  });
  const { secret_key: made } = (await response.json()) as { secret_key: { token: string } };
  const key = SecretKey.of(made.token);
  return { key, target: 'sandbox', apiBase: sandbox.url, apiVersion: catalog.apiVersion };
}

async function plainRate(probes: readonly Probe[]): Promise<Measurement> {
  const rates = await withSandbox({}, async (options) => {
    const found: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const ms = await timed(() => sendProbes(probes, options));
      found.push((probes.length * 1000) / ms);
    }
    return found;
  });
  return {
    what: 'probes against the sandbox in one process',
    value: median(rates),
    unit: '/s',
    bound: { atLeast: 2_000 },
    note: `${ROUNDS} × ${probes.length} probes`,
  };
}

async function withLatency(probes: readonly Probe[]): Promise<Measurement> {
  return withSandbox({ latencyMs: 100 }, async (options) => {
    const ours = await timed(() => sendProbes(probes, options));
    const sequential = await timed(() => sendProbes(probes, { ...options, concurrency: 1 }));
    return {
      what: 'all operations at 100 ms of latency, beside one request at a time',
      value: ours / sequential,
      unit: '×',
      bound: { atMost: 0.1 },
      note: `${(ours / 1000).toFixed(1)} s beside ${(sequential / 1000).toFixed(1)} s`,
    };
  });
}

async function underRateLimit(probes: readonly Probe[]): Promise<Measurement> {
  return withSandbox({ rateLimit: 25 }, async (options, sandbox) => {
    // Making the key was a request too; its second must pass.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const ms = await timed(() => sendProbes(probes, { ...options, ratePerSecond: 25 }));
    const refused = [...sandbox.requests()].filter(([what]) => what.endsWith(' 429'));
    const floor = (probes.length * 1000) / 25;
    return {
      what: '--rate 25 under a limit of 25, beside the floor N/25',
      value: refused.length > 0 ? Number.POSITIVE_INFINITY : ms / floor,
      unit: '×',
      bound: { atMost: 1.1 },
      note: `${probes.length} probes in ${(ms / 1000).toFixed(2)} s, ${refused.length} answers of 429`,
    };
  });
}

async function memory(): Promise<Measurement[]> {
  return inTemporaryFolder(async (dir) => {
    await runKeyaudit(['provision', '--all', '--quiet'], dir);
    const peaks: number[] = [];
    for (let round = 0; round < 3; round++) {
      const run = await runKeyaudit(['verify', '--all', '--depth', 'endpoints', '--quiet'], dir);
      if (run.exitCode !== 0) throw new Error(`verify ended with ${run.exitCode}`);
      peaks.push(run.peakMiB);
    }
    return [
      {
        what: 'peak memory of verify --all --depth endpoints',
        value: median(peaks),
        unit: 'MiB',
        bound: { atMost: 200 },
        note: 'sandbox, SDK and report in one process',
      },
    ];
  });
}
