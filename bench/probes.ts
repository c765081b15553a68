import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { execa } from 'execa';
import Stripe from 'stripe';
import { Catalog } from '../src/core/catalog/catalog.ts';
import { catalogData } from '../src/core/catalog/data/catalog.ts';
import { parametersOf } from '../src/core/catalog/parameters.ts';
import { buildProbe } from '../src/core/probe/build-probe.ts';
import type { Probe } from '../src/core/probe/probe.ts';
import { SecretKey } from '../src/core/secret-key.ts';
import { type Sandbox, startSandbox } from '../src/sandbox/sandbox.ts';
import { type SendOptions, sendProbes } from '../src/stripe/send-probes.ts';
import { inTemporaryFolder, type Measurement, median, medianRatio, runKeyaudit, timed } from './measure.ts';

const catalog = new Catalog(catalogData);
const ROUNDS = 5;
/** As many requests at once as the sender has. */
const CONCURRENCY = 32;
const KEY = 'rk_test_bench1234567890';

/** How fast probes go, against the sandbox in this process, with latency, and under Stripe's rate limit. */
export async function benchProbes(): Promise<Measurement[]> {
  const probes = allProbes();
  return [
    await besideBareSdk(probes),
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
        const token = await keyWith(sandbox, permissions);
        const args = ['inspect', '--key-env', 'KEY', '--format', 'json', '--api-base', sandbox.url];
        const run = await runKeyaudit(args, dir, { KEY: token });
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
    key: SecretKey.of(KEY),
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

/** Answers 403 in Stripe's words, in a process of its own, so that its time counts for neither side. */
const REFUSES = `
  const { createServer } = require('node:http');
  const message = "The provided key 'rk_test_*********7890' does not have the required permissions for this endpoint on account 'acct_1'. Having the 'rak_charge_read' permission would allow this request to continue.";
  const body = JSON.stringify({ error: { type: 'invalid_request_error', code: 'more_permissions_required', message } });
  const headers = { 'content-type': 'application/json', 'request-id': 'req_bench' };
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(403, headers).end(body);
  });
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
`;

/** The same calls by the SDK alone, as many at once, on connections kept alive. */
async function sendByBareSdk(probes: readonly Probe[], port: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY });
  const client = new Stripe(KEY, {
    host: '127.0.0.1',
    port,
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
    httpClient: Stripe.createNodeHttpClient(agent),
  });
  const waiting = [...probes];
  const worker = async () => {
    for (let probe = waiting.pop(); probe !== undefined; probe = waiting.pop()) {
      const { operation, path, body } = probe;
      const refused = await client.rawRequest(operation.method, path, body as Record<string, unknown>).then(
        () => false,
        (error: unknown) => error instanceof Stripe.errors.StripePermissionError,
      );
      if (!refused) throw new Error(`${operation.name} was not refused`);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  agent.destroy();
}

/** What pace, retries, deadlines, observing and judging cost beside the SDK alone: in one process and run, in turns. */
async function besideBareSdk(all: readonly Probe[]): Promise<Measurement> {
  const probes = all.filter(({ operation, multipart }) => operation.host === 'api' && multipart !== true);
  const server = execa(process.execPath, ['-e', REFUSES], { reject: false, buffer: false });
  const [line] = (await once(createInterface(server.stdout), 'line')) as [string];
  const port = Number(line);
  const options: SendOptions = {
    key: SecretKey.of(KEY),
    target: 'sandbox',
    apiBase: `http://127.0.0.1:${port}`,
    apiVersion: catalog.apiVersion,
  };
  const bare: number[] = [];
  const ours: number[] = [];
  try {
    for (let round = 0; round < 3 * ROUNDS; round++) {
      bare.push(await timed(() => sendByBareSdk(probes, port)));
      ours.push(
        await timed(async () => {
          const { results } = await sendProbes(probes, options);
          if (!results.every(({ verdict }) => verdict.kind === 'forbidden'))
            throw new Error('not all refused');
        }),
      );
    }
  } finally {
    server.kill();
    await server;
  }
  const rate = (times: readonly number[]) => ((probes.length * 1000) / median(times)).toFixed(0);
  return {
    what: 'probes a second, beside the bare SDK',
    value: medianRatio(bare, ours),
    unit: '×',
    bound: { atLeast: 0.6 },
    note: `${rate(ours)}/s beside ${rate(bare)}/s`,
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
    await runKeyaudit(['provision', '--examples', '--quiet'], dir);
    const peaks: number[] = [];
    const bare: number[] = [];
    for (let round = 0; round < 3; round++) {
      bare.push((await runKeyaudit(['--version'], dir)).peakMiB);
      const run = await runKeyaudit(['verify', '--examples', '--depth', 'endpoints', '--quiet'], dir);
      if (run.exitCode !== 0) throw new Error(`verify ended with ${run.exitCode}`);
      peaks.push(run.peakMiB);
    }
    return [
      {
        what: 'peak memory of verify --all --depth endpoints, beside --version',
        value: medianRatio(peaks, bare),
        unit: '×',
        bound: { atMost: 4 },
        note: `${median(peaks).toFixed(0)} MiB beside ${median(bare).toFixed(0)} MiB; sandbox, SDK and report in one process`,
      },
    ];
  });
}
