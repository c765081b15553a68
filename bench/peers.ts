import { on, once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { KeyStore } from '../src/sandbox/keys/key-store.ts';
import { openStripeMock, type StripeMock } from '../src/targets/stripe-mock.ts';
import { bareNodeMs, inTemporaryFolder, KEYAUDIT, type Measurement, median, timed } from './measure.ts';

const AUTOCANNON = fileURLToPath(new URL('../node_modules/.bin/autocannon', import.meta.url));
const MOCKS = fileURLToPath(new URL('../node_modules/.cache/peers/bin', import.meta.url));
const CONNECTIONS = 8;
const SECONDS = 1;
/** Many and short, since a neighbour on a shared machine spoils some. */
const ROUNDS = 11;

/** The sandbox, and the gate in front of stripe-mock, beside stripe-mock alone: one machine, one run, in turns. */
export async function benchPeers(): Promise<Measurement[]> {
  const PATH = `${existsSync(MOCKS) ? `${MOCKS}:` : ''}${process.env.PATH}`;
  const own = [...(await manyKeys()), ...(await startUp())];
  const mock = await openStripeMock({ ...process.env, PATH }).catch(() => undefined);
  if (mock === undefined) {
    console.log(
      'LEFT OUT: stripe-mock is missing, so nothing is measured beside it. scripts/install-peers.sh installs it.',
    );
    return own;
  }
  try {
    return [...(await besideStripeMock(mock)), ...own];
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
          what: `${what}: through the gate beside direct, at the median`,
          value: through / direct,
          unit: '×',
          bound: { atMost: 3 },
          note: `${through.toFixed(2)} ms beside ${direct.toFixed(2)} ms, one request at a time`,
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

interface Server {
  readonly url: string;
  readonly secretKey: string;
  /** Processor time that it has taken so far, in µs. */
  processorTime(): Promise<number>;
  stop(): Promise<void>;
}

/** Loaded into the server: it tells its processor time when asked by a signal. */
const TELLS_TIME = `data:text/javascript,${encodeURIComponent(`
  process.on('SIGUSR2', () => {
    const { user, system } = process.cpuUsage();
    process.stderr.write(\`time \${user + system}\\n\`);
  });
`)}`;

async function startServer(
  cwd: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Server> {
  const child = execa(
    process.execPath,
    ['--import', TELLS_TIME, KEYAUDIT, 'sandbox', '--port', '0', '--format', 'json', ...args],
    { cwd, env, reject: false, buffer: false },
  );
  const notes = createInterface(child.stderr);
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const { url, secretKey } = JSON.parse(line) as { url: string; secretKey: string };
  return {
    url,
    secretKey,
    processorTime: async () => {
      child.kill('SIGUSR2');
      for await (const [note] of on(notes, 'line')) {
        const time = /^time (\d+)$/.exec(note)?.[1];
        if (time !== undefined) return Number(time);
      }
      throw new Error('the sandbox ended');
    },
    stop: async () => {
      child.kill('SIGTERM');
      await child;
    },
  };
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

const MANY = 10_000;

/** A `.keyaudit/sandbox.json` with so many keys, in a folder of its own. */
async function withKeys<T>(count: number, work: (dir: string) => Promise<T>): Promise<T> {
  return inTemporaryFolder(async (dir) => {
    await mkdir(join(dir, '.keyaudit'), { recursive: true, mode: 0o700 });
    const keys = Array.from({ length: count }, (_, index) => ({
      id: `mk_1${String(index).padStart(23, '0')}`,
      name: `key ${index}`,
      note: null,
      permissions: ['charge_read', 'customer_read'],
      connectPermissions: [],
      livemode: false,
      madeBy: 'managed',
      createdAt: 0,
      expiresAt: null,
      expiredAt: null,
      deadAt: null,
      before: null,
    }));
    const state = { version: 1, seed: Buffer.alloc(32, 7).toString('base64'), keys };
    await writeFile(join(dir, '.keyaudit/sandbox.json'), JSON.stringify(state), { mode: 0o600 });
    return work(dir);
  });
}

async function lookUpMs(store: KeyStore, tokens: readonly string[]): Promise<number> {
  return timed(async () => {
    for (let index = 0; index < LOOK_UPS; index++) {
      const caller = store.authenticate(tokens[(index * 7919) % tokens.length] ?? '');
      if (typeof caller !== 'object') throw new Error('a key was not found');
    }
  });
}

const LOOK_UPS = 20_000;

async function manyKeys(): Promise<Measurement[]> {
  return withKeys(10, (few) =>
    withKeys(MANY, async (many) => {
      const sides = [];
      for (const dir of [few, many]) {
        const store = await KeyStore.open(dir, Date.now);
        const tokens = store.all().map((key) => store.tokenOf(key));
        sides.push({ store, tokens, found: [] as number[] });
      }
      for (let round = 0; round < 15; round++) {
        for (const { store, tokens, found } of sides) found.push(await lookUpMs(store, tokens));
      }
      const [ofFew = 0, ofMany = 0] = sides.map(({ found }) => median(found) / LOOK_UPS);
      return [
        {
          what: `look-up of a key among ${MANY}, beside one among 10`,
          // 10,000 keys do not fit the processor's nearest cache. A search through all of them would be a thousand
          // times as long.
          value: ofMany / ofFew,
          unit: '×',
          bound: { atMost: 4 },
          note: `${(ofMany * 1000).toFixed(1)} µs beside ${(ofFew * 1000).toFixed(1)} µs`,
        },
      ];
    }),
  );
}

async function startUp(): Promise<Measurement[]> {
  const started = async (dir: string) => {
    let server: Server | undefined;
    const ms = await timed(async () => {
      server = await startServer(dir, []);
    });
    await server?.stop();
    return ms;
  };
  return inTemporaryFolder((empty) =>
    withKeys(MANY, async (full) => {
      const rounds: { bare: number; ofEmpty: number; ofFull: number }[] = [];
      for (let round = 0; round < 9; round++) {
        const bare = await bareNodeMs();
        rounds.push({ bare, ofEmpty: await started(empty), ofFull: await started(full) });
      }
      const measurement = (what: string, of: 'ofEmpty' | 'ofFull', atMost: number): Measurement => ({
        what,
        value: median(rounds.map((round) => round[of] / round.bare)),
        unit: '×',
        bound: { atMost },
        note: `${median(rounds.map((round) => round[of])).toFixed(0)} ms beside ${median(rounds.map(({ bare }) => bare)).toFixed(0)} ms`,
      });
      return [
        measurement('keyaudit sandbox until it listens, beside node -e 0', 'ofEmpty', 5),
        measurement(`the same with ${MANY} keys in .keyaudit, beside node -e 0`, 'ofFull', 7),
      ];
    }),
  );
}
