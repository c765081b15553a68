import { randomBytes } from 'node:crypto';
import { Agent, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import Stripe from 'stripe';
import { Catalog } from '../src/core/catalog/catalog.ts';
import { catalogData } from '../src/core/catalog/data/catalog.ts';
import { parametersOf } from '../src/core/catalog/parameters.ts';
import { buildProbe } from '../src/core/probe/build-probe.ts';
import type { Probe } from '../src/core/probe/probe.ts';
import { SecretKey } from '../src/core/secret-key.ts';
import { type Sandbox, startSandbox } from '../src/sandbox/sandbox.ts';
import { type SendOptions, sendProbes } from '../src/stripe/send-probes.ts';
import { inTemporaryFolder, type Measurement, median, runKeyaudit, timed } from './measure.ts';

const catalog = new Catalog(catalogData);
const ROUNDS = 5;

/** How fast probes go, against the sandbox in this process, with latency, and under Stripe's rate limit. */
export async function benchProbes(): Promise<Measurement[]> {
  const probes = allProbes();
  return [
    await besideSdk(probes),
    await withLatency(probes),
    await underRateLimit(probes.slice(0, 150)),
    await inspection(),
    ...(await memory()),
    ...(await retained(probes)),
  ];
}

/** What `inspect` spends beyond one request for each permission that it resolves, at worst. */
async function inspection(): Promise<Measurement> {
  const keys: readonly (readonly string[])[] = [
    ['shipping_rate_read'],
    ['charge_write', 'customer_read'],
    ['payment_intent_write', 'webhook_write', 'payout_read', 'file_write', 'subscription_write'],
  ];
  const spent: { beyond: number; note: string }[] = [];
  await inTemporaryFolder(async (dir) => {
    await withSandbox({}, async (_options, sandbox) => {
      for (const permissions of keys) {
        const KEY = await keyWith(sandbox, permissions);
        const args = ['inspect', '--key-env', 'KEY', '--format', 'json', '--api-base', sandbox.url];
        const run = await runKeyaudit(args, dir, { KEY });
        if (run.exitCode !== 0) throw new Error(`inspect ended with ${run.exitCode}`);
        const { requests, details } = JSON.parse(run.stdout) as {
          requests: number;
          details: { state: string }[];
        };
        const resolved = details.filter(({ state }) => state !== 'undetermined').length;
        spent.push({ beyond: requests - resolved, note: `${requests} for ${resolved}` });
      }
    });
  });
  return {
    what: 'requests of inspect beyond one for each permission that it resolves',
    value: Math.max(...spent.map(({ beyond }) => beyond)),
    unit: 'requests',
    bound: { atMost: 10 },
    note: spent.map(({ note }) => note).join(', '),
  };
}

const COPIES = 20;

/** What stays in memory after many probes: nothing but their results, and these are small. */
async function retained(probes: readonly Probe[]): Promise<Measurement[]> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heap = () => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const body = JSON.stringify({
    error: { type: 'invalid_request_error', code: 'more_permissions_required', message: 'x'.repeat(2_000) },
  });
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(403, { 'content-type': 'application/json', 'request-id': 'req_bench' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const options: SendOptions = {
    key: SecretKey.of('rk_test_bench1234567890'),
    target: 'sandbox',
    apiBase: `http://127.0.0.1:${port}`,
    apiVersion: catalog.apiVersion,
  };
  const many = Array.from({ length: COPIES }, () => probes).flat();
  // Twice, since code and connections are made once.
  for (let round = 0; round < 2; round++) await sendProbes(probes, options);
  // Connections and timers of the run before are gone a moment later.
  const settled = async () => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    return heap();
  };
  const before = await settled();
  const held = await (async () => {
    const { results } = await sendProbes(many, options);
    return { bytes: (await settled()) - before, count: results.length };
  })();
  const after = (await settled()) - before;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  const { bytes, count } = held;
  if (count !== many.length) throw new Error(`${count} of ${many.length} results`);
  return [
    {
      what: 'memory of one result, its answer being 2 kB',
      value: bytes / count,
      unit: 'bytes',
      bound: { atMost: 1_000 },
      note: `${count.toLocaleString('en-US')} probes`,
    },
    {
      what: 'memory left when the results are gone',
      value: Math.max(0, after) / 1024,
      unit: 'KiB',
      bound: { atMost: 1_024 },
      note: `after ${count.toLocaleString('en-US')} probes`,
    },
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
  const key = SecretKey.of(await keyWith(sandbox, ['charge_read', 'customer_read']));
  return { key, target: 'sandbox', apiBase: sandbox.url, apiVersion: catalog.apiVersion };
}

async function keyWith(sandbox: Sandbox, permissions: readonly string[]): Promise<string> {
  const response = await fetch(`${sandbox.url}/v2/iam/api_keys`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${sandbox.secretKey.reveal()}`,
      'content-type': 'application/json',
      'stripe-version': '2026-08-26.preview',
    },
    body: JSON.stringify({ type: 'secret_key', name: 'bench', permissions }),
  });
  const { secret_key: made } = (await response.json()) as { secret_key: { token: string } };
  return made.token;
}

/** A server in this process that refuses everything in Stripe's words. */
async function withRefusingServer<T>(work: (options: SendOptions) => Promise<T>): Promise<T> {
  const body = JSON.stringify({
    error: {
      code: 'more_permissions_required',
      message: "Permission denied. The provided key 'rk_test_****' does not have the required permissions.",
      type: 'invalid_request_error',
    },
  });
  const server = createServer((request, response) => {
    request.resume();
    response
      .writeHead(403, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'request-id': 'req_bench',
      })
      .end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await work({
      key: SecretKey.of('rk_test_bench1234567890'),
      target: 'sandbox',
      apiBase: `http://127.0.0.1:${port}`,
      apiVersion: catalog.apiVersion,
    });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** As many requests at once as probes are. */
const AT_ONCE = 32;

/** The same requests by the SDK alone: no judging, no pace, nothing kept. */
async function bareSdk(probes: readonly Probe[], { key, apiBase, apiVersion }: SendOptions): Promise<void> {
  const { hostname: host, port } = new URL(apiBase);
  const httpAgent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const client = new Stripe(key.reveal(), {
    apiVersion: apiVersion as Stripe.StripeConfig['apiVersion'] & string,
    host,
    port: Number(port),
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
    httpAgent,
  });
  let next = 0;
  const worker = async () => {
    for (let probe = probes[next++]; probe !== undefined; probe = probes[next++]) {
      const { operation, path, body } = probe;
      await client
        .rawRequest(operation.method, path, body as Record<string, unknown> | undefined)
        .catch(() => {});
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  httpAgent.destroy();
}

async function besideSdk(probes: readonly Probe[]): Promise<Measurement> {
  // What the SDK alone cannot send the same way is left out on both sides.
  const plain = probes.filter(({ multipart }) => multipart !== true);
  return withRefusingServer(async (options) => {
    const ratios: number[] = [];
    const rates: number[] = [];
    // One round is not counted: code is compiled in it.
    for (let round = 0; round <= ROUNDS; round++) {
      const sdk = await timed(() => bareSdk(plain, options));
      const ours = await timed(() => sendProbes(plain, options));
      if (round === 0) continue;
      ratios.push(sdk / ours);
      rates.push((plain.length * 1000) / ours);
    }
    return {
      what: 'probes a second against a server that refuses all, beside the bare SDK',
      value: median(ratios),
      unit: '×',
      bound: { atLeast: 0.6 },
      note: `${Math.round(median(rates))} a second, both in one process`,
    };
  });
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
