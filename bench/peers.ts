import { existsSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { openStripeMock, type StripeMock } from '../src/targets/stripe-mock.ts';
import { inTemporaryFolder, LeftOut, type Measurement, median, timed } from './measure.ts';
import { type Server, startServer } from './server.ts';

const AUTOCANNON = fileURLToPath(new URL('../node_modules/.bin/autocannon', import.meta.url));
const MOCKS = fileURLToPath(new URL('../node_modules/.cache/peers/bin', import.meta.url));
const CONNECTIONS = 8;
const SECONDS = 1;
/** Many and short, since a neighbour on a shared machine spoils some. */
const ROUNDS = 11;

/** The sandbox, and the gate in front of stripe-mock, beside stripe-mock alone: one machine, one run, in turns. */
export async function benchPeers(): Promise<Measurement[]> {
  const PATH = `${existsSync(MOCKS) ? `${MOCKS}:` : ''}${process.env.PATH}`;
  const mock = await openStripeMock({ ...process.env, PATH }).catch((error: Error) => {
    throw new LeftOut(`the sandbox and the gate beside stripe-mock: ${error.message}`);
  });
  try {
    return await besideStripeMock(mock);
  } finally {
    await mock.close();
  }
}

/** One kind of request to one server. */
interface Load {
  readonly url: string;
  readonly key: string;
  readonly method: 'GET' | 'POST';
  readonly body?: string;
  readonly status: number;
}

async function besideStripeMock(mock: StripeMock): Promise<Measurement[]> {
  return inTemporaryFolder(async (dir) => {
    const alone = await startServer(dir, []);
    const gate = await startServer(dir, ['--upstream', 'stripe-mock'], { STRIPE_MOCK_URL: mock.url });
    try {
      const charge = await makeCharge(alone);
      const may = await makeKey(alone, ['charge_write']);
      const mayNot = await makeKey(alone, ['customer_read']);
      const list = { method: 'GET', status: 200 } as const;
      const refund = { method: 'POST', status: 200, body: `charge=${charge}&amount=1` } as const;
      const at = (base: string, key: string, one: typeof list | typeof refund): Load => ({
        ...one,
        url: `${base}${one.method === 'GET' ? '/v1/charges' : '/v1/refunds'}`,
        key,
      });
      const names = ['GET /v1/charges', 'POST /v1/refunds'] as const;
      const found: Measurement[] = [];
      for (const [index, one] of [list, refund].entries()) {
        const what = names[index];
        const rates = await inTurns(
          [at(mock.url, 'sk_test_123', one), at(alone.url, may, one), at(gate.url, may, one)],
          rateOf,
        );
        const [theirs = 0, ours = 0, gated = 0] = rates.map(median);
        found.push({
          what: `${what}: requests a second, sandbox beside stripe-mock`,
          // Round by round, since a shared machine is faster in one than in the next.
          value: median((rates[1] ?? []).map((rate, round) => rate / (rates[0]?.[round] ?? Number.NaN))),
          unit: '×',
          bound: { atLeast: 1 },
          note: `${Math.round(ours)}/s beside ${Math.round(theirs)}/s, ${Math.round(gated)}/s through the gate`,
        });
        const [direct = 0, through = 0] = await medians([
          at(mock.url, 'sk_test_123', one),
          at(gate.url, may, one),
        ]);
        found.push({
          what: `${what}: one request at a time through the gate, beside stripe-mock alone`,
          value: through / direct,
          unit: '×',
          bound: { atMost: 3 },
          note: `${through.toFixed(2)} ms beside ${direct.toFixed(2)} ms at the median`,
        });
        const refused = { ...at(alone.url, mayNot, one), status: 403 };
        const [refusals = [], answers = []] = await inTurns([refused, at(alone.url, may, one)], (load) =>
          processorTimeOf(load, alone),
        );
        found.push({
          what: `${what}: a refusal beside an answer, by the processor time of the sandbox`,
          value: median(refusals.map((refusal, round) => refusal / (answers[round] ?? Number.NaN))),
          unit: '×',
          bound: { atMost: 1 },
          note: `${median(refusals).toFixed(1)} µs beside ${median(answers).toFixed(1)} µs`,
        });
      }
      return found;
    } finally {
      await alone.stop();
      await gate.stop();
    }
  });
}

/** Each load in turn, round by round and back and forth, so that all see the same noise. */
async function inTurns(
  loads: readonly Load[],
  measure: (load: Load) => Promise<number>,
): Promise<number[][]> {
  const found: number[][] = loads.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    const order = [...loads.entries()];
    if (round % 2 === 1) order.reverse();
    for (const [index, load] of order) found[index]?.push(await measure(load));
  }
  return found;
}

/** Requests a second under autocannon. */
async function rateOf(load: Load): Promise<number> {
  const { requests, seconds } = await sendMany(load);
  return requests / seconds;
}

/** What one request costs the server in processor time, its system calls included, in µs, under autocannon. */
async function processorTimeOf(load: Load, server: Server): Promise<number> {
  const before = await server.processorTime();
  const { requests } = await sendMany(load);
  return ((await server.processorTime()) - before) / requests;
}

async function sendMany({
  url,
  key,
  method,
  body,
  status,
}: Load): Promise<{ readonly requests: number; readonly seconds: number }> {
  const args = ['-c', `${CONNECTIONS}`, '-d', `${SECONDS}`, '-j', '-m', method];
  args.push('-H', `Authorization=Bearer ${key}`);
  if (body !== undefined) args.push('-H', 'Content-Type=application/x-www-form-urlencoded', '-b', body);
  const { stdout } = await execa(AUTOCANNON, [...args, url]);
  const run = JSON.parse(stdout) as {
    duration: number;
    errors: number;
    requests: { total: number };
    statusCodeStats: Record<string, { count: number }>;
  };
  const good = run.statusCodeStats[status]?.count ?? 0;
  if (run.errors > 0 || good !== run.requests.total) {
    throw new Error(`${method} ${url}: ${JSON.stringify(run.statusCodeStats)}, ${run.errors} errors`);
  }
  return { requests: good, seconds: run.duration };
}

/** Median times in ms, one request at a time on one connection, the loads taking turns. */
async function medians(loads: readonly Load[]): Promise<number[]> {
  const agents = loads.map(() => new Agent({ keepAlive: true, maxSockets: 1 }));
  const times: number[][] = loads.map(() => []);
  for (let turn = 0; turn < 600; turn++) {
    for (const [index, load] of loads.entries()) {
      const ms = await timed(() => exchange(load, agents[index] as Agent));
      // The first ones warm up.
      if (turn >= 100) times[index]?.push(ms);
    }
  }
  for (const agent of agents) agent.destroy();
  return times.map(median);
}

function exchange({ url, key, method, body = '', status }: Load, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${key}`,
      ...(body === ''
        ? {}
        : { 'content-type': 'application/x-www-form-urlencoded', 'content-length': body.length }),
    };
    const sent = request(url, { method, headers, agent }, (response) => {
      response.resume();
      response.on('end', () =>
        response.statusCode === status
          ? resolve()
          : reject(new Error(`${method} ${url}: ${response.statusCode}`)),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function post({ url, secretKey }: Server, path: string, body: string | URLSearchParams) {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${secretKey}`,
      ...(typeof body === 'string' ? { 'content-type': 'application/json' } : {}),
      ...(path.startsWith('/v2/') ? { 'stripe-version': '2026-08-26.preview' } : {}),
    },
    body,
  });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return (await response.json()) as { id: string; secret_key: { token: string } };
}

async function makeCharge(server: Server): Promise<string> {
  const form = new URLSearchParams({ amount: '99999999', currency: 'usd', source: 'tok_visa' });
  return (await post(server, '/v1/charges', form)).id;
}

async function makeKey(server: Server, permissions: readonly string[]): Promise<string> {
  const made = await post(
    server,
    '/v2/iam/api_keys',
    JSON.stringify({ type: 'secret_key', name: 'bench', permissions }),
  );
  return made.secret_key.token;
}
