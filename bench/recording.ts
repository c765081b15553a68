import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { Catalog } from '../src/core/catalog/catalog.ts';
import { catalogData } from '../src/core/catalog/data/catalog.ts';
import { knownWords } from '../src/core/draft/runs/known-words.ts';
import { RunRecorder } from '../src/core/draft/runs/recorded-run.ts';
import { hookEnvironment } from '../src/record/child-environment.ts';
import { makeCertificates } from '../src/record/proxy/make-certificates.ts';
import { startRecorderServer } from '../src/record/proxy/recorder-server.ts';
import { recordedRun } from '../test/support/recorded-run.ts';
import { inTemporaryFolder, type Measurement, median, medianRatio, runKeyaudit } from './measure.ts';
import { startServer } from './server.ts';

/** What recording costs the agent, and folding the person. */
export async function benchRecording(): Promise<Measurement[]> {
  return [...(await ways()), ...(await folding())];
}

const CALLS = 1_000;
const ROUNDS = 9;

/** Makes its calls one after another on one connection, and prints how long they took, and how much of a
 * processor, in ms. */
const AGENT = `
const http = require('node:http'), https = require('node:https'), tls = require('node:tls'), { once } = require('node:events');
const { BASE, KEY, PROXY, CA } = process.env;
const { hostname, port } = new URL(BASE);
async function connection() {
  const [, socket] = await once(http.request(PROXY, { method: 'CONNECT', path: 'api.stripe.com:443' }).end(), 'connect');
  const open = tls.connect({ socket, servername: 'api.stripe.com', ca: CA });
  await once(open, 'secureConnect');
  return open;
}
(async () => {
  const agent = PROXY ? new https.Agent({ keepAlive: true, maxSockets: 1 }) : new http.Agent({ keepAlive: true, maxSockets: 1 });
  if (PROXY) { const open = await connection(); agent.createConnection = () => open; }
  const call = async (index) => {
    const body = index % 2 ? 'email=a@example.com&metadata[a]=b' : undefined;
    const sent = (PROXY ? https : http).request({ agent, hostname: PROXY ? 'api.stripe.com' : hostname, port: PROXY ? 443 : port, method: body ? 'POST' : 'GET', path: body ? '/v1/customers' : '/v1/charges?limit=1', headers: { authorization: 'Bearer ' + KEY, ...(body && { 'content-type': 'application/x-www-form-urlencoded', 'content-length': body.length }) } }).end(body);
    const [answer] = await once(sent, 'response');
    for await (const _chunk of answer);
  };
  for (let index = 0; index < 50; index++) await call(index);
  const start = performance.now(), before = process.cpuUsage();
  for (let index = 0; index < ${CALLS}; index++) await call(index);
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify([performance.now() - start, (user + system) / 1000]));
  agent.destroy();
})();`;

async function ways(): Promise<Measurement[]> {
  return inTemporaryFolder(async (cwd) => {
    const catalog = new Catalog(catalogData);
    const server = await startServer(cwd, []);
    const hooks = await hookEnvironment(knownWords(catalog), process.env);
    const certificates = await makeCertificates(new Date());
    const recorder = await startRecorderServer({
      catalog,
      recorder: new RunRecorder(catalog),
      upstream: server.url,
      certificates,
    });
    const env = { BASE: server.url, KEY: server.secretKey };
    const agentMs = async (more: Record<string, string>) =>
      JSON.parse((await execa(process.execPath, ['-e', AGENT], { env: { ...env, ...more } })).stdout) as [
        ms: number,
        processorMs: number,
      ];
    const [plain, hooked, proxied]: [number[], number[], number[]] = [[], [], []];
    const [plainProcessor, hookedProcessor]: [number[], number[]] = [[], []];
    const ownMs: number[] = [];
    try {
      for (let round = 0; round < ROUNDS; round++) {
        const [ms, processorMs] = await agentMs({});
        plain.push(ms);
        plainProcessor.push(processorMs);
        const [hookedMs, hookedProcessorMs] = await agentMs(hooks.env);
        hooked.push(hookedMs);
        hookedProcessor.push(hookedProcessorMs);
        const before = process.cpuUsage();
        const [proxiedMs] = await agentMs({ PROXY: recorder.url, CA: certificates.authority });
        proxied.push(proxiedMs);
        const { user, system } = process.cpuUsage(before);
        ownMs.push((user + system) / 1_000 / CALLS);
      }
    } finally {
      await recorder.close();
      await hooks.close();
      await server.stop();
    }
    const addedMs = median(proxied.map((ms, round) => (ms - (plain[round] ?? Number.NaN)) / CALLS));
    return [
      {
        what: `an agent of ${CALLS} calls on loopback with hooks, beside without`,
        value: medianRatio(hookedProcessor, plainProcessor),
        unit: '×',
        bound: { atMost: 1.05 },
        note: `by processor time; ${median(hooked).toFixed(0)} ms beside ${median(plain).toFixed(0)} ms`,
      },
      {
        what: 'what the proxy adds to a call',
        value: addedMs,
        unit: 'ms',
        bound: { atMost: 1 },
        note: `TLS included; ${median(ownMs).toFixed(2)} ms of processor time; ${(median(plain) / CALLS).toFixed(2)} ms without`,
      },
    ];
  });
}

const RUNS = 1_000;

/** The whole command: reading, folding, the profile. */
async function folding(): Promise<Measurement[]> {
  return inTemporaryFolder(async (cwd) => {
    const catalog = new Catalog(catalogData);
    const words = knownWords(catalog);
    const folder = join(cwd, '.keyaudit/records/agent');
    await mkdir(folder, { recursive: true });
    for (let run = 0; run < RUNS; run++) {
      const calls = Array.from({ length: CALLS }, (_, call) => {
        const operation = catalog.operations[(run + call * 7) % 60];
        if (operation === undefined) throw new Error('the catalog has fewer operations');
        return { ...operation, status: call % 10 === 0 ? 404 : 200, parameters: ['limit'] };
      });
      const recorder = new RunRecorder(catalog, words);
      const at = new Date(Date.UTC(2026, 0, 1) + run * 60_000);
      const { calls: lines, ...head } = recordedRun(at, calls, { recorder });
      const text = [head, ...lines].map((line) => `${JSON.stringify(line)}\n`).join('');
      await writeFile(join(folder, `${run}.jsonl`), text);
    }
    const times: number[] = [];
    for (let round = 0; round < 5; round++) {
      const { ms, exitCode } = await runKeyaudit(['record', 'profile'], cwd);
      if (exitCode !== 0) throw new Error(`record profile ended with ${exitCode}`);
      times.push(ms);
    }
    return [
      {
        what: `a profile of ${RUNS} runs of ${CALLS} calls`,
        value: median(times) / 1_000,
        unit: 's',
        bound: { atMost: 2 },
        note: 'the whole command, on a warm disk',
      },
    ];
  });
}
