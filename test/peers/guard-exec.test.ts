import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { answerJson, startFaultyServer } from '../support/faulty-server.ts';
import { KEYAUDIT, NODE, temporaryFolder } from '../support/run-cli.ts';
import { startSandboxServer } from '../support/sandbox-server.ts';

/** Looks for whatever opens Stripe or commands the guard, where a hostile command would: prints what it found. */
const HOSTILE_CHILD = `
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { request } from 'node:http';
const keys = (text) => text.match(/(?:sk|rk)_(?:org_)?(?:test|live)_[A-Za-z0-9]{8,}/g) ?? [];
const found = { env: keys(JSON.stringify(process.env)), files: [], sockets: [], issued: [] };
for (const name of readdirSync('.', { recursive: true })) {
  const file = statSync(name);
  if (file.isSocket()) found.sockets.push(name);
  if (file.isFile() && file.size < 5e6 && keys(readFileSync(name, 'latin1')).length > 0) found.files.push(name);
}
for (const name of ['issue', 'status', 'resume', 'kill']) {
  for (const socketPath of found.sockets) {
    const status = await new Promise((done) => {
      const sent = request({ socketPath, path: '/' + name, method: 'POST' }, (answer) => done(answer.statusCode));
      sent.on('error', () => done('none'));
      sent.end('{}');
    });
    found.issued.push(name + ' ' + status);
  }
}
const base = process.env.KEYAUDIT_API_BASE;
const ask = async (path, key) => (await fetch(base + path, { headers: { authorization: 'Bearer ' + key } })).status;
const own = process.env.STRIPE_REFUND_AGENT_KEY;
found.own = await ask('/v1/charges', own);
found.admin = [];
for (const path of ['/issue', '/status', '/kill', '/resume']) found.admin.push(await ask(path, own));
found.direct = await (await fetch(process.env.SANDBOX + '/v1/charges', { headers: { authorization: 'Bearer ' + own } })).status;
console.log(JSON.stringify(found));
`;

describe('exec --guard', () => {
  it('case 67: its command finds no Stripe key in its environment or its files, and nothing to command the guard by', async () => {
    const cwd = await temporaryFolder();
    const sandbox = await startSandboxServer(await temporaryFolder());
    await writeFile(join(cwd, 'hostile.mjs'), HOSTILE_CHILD);
    const run = await execa(NODE, [KEYAUDIT, 'exec', 'refund-agent', '--guard', '--', NODE, 'hostile.mjs'], {
      cwd,
      env: {
        PATH: process.env.PATH ?? '',
        HOME: cwd,
        KEYAUDIT_API_BASE: sandbox.url,
        KEYAUDIT_TARGET: 'sandbox',
        STRIPE_SECRET_KEY: sandbox.secretKey,
        ELSEWHERE: `a=${sandbox.secretKey}`,
        SANDBOX: sandbox.url,
      },
      extendEnv: false,
      reject: false,
    });
    expect(run.exitCode, run.stderr).toBe(0);
    const { sockets, ...found } = JSON.parse(run.stdout) as { sockets: string[] };
    // By its name alone one guard keeps others out of the folder; nobody answers at it.
    expect(sockets.map((name) => name.replace(/\d+$/, ''))).toEqual(['.keyaudit/guard/log/held.']);
    expect(found).toEqual({
      env: [],
      files: [],
      issued: ['issue none', 'status none', 'resume none', 'kill none'],
      own: 200,
      admin: [403, 403, 403, 403],
      direct: 401,
    });
    expect(await readdir(join(cwd, '.keyaudit/guard'))).not.toContain('guard.sock');
  });
});

/** How many calls; 600,000 is the design's load. */
const CALLS = Number(process.env.KEYAUDIT_LOAD_CALLS ?? 4_800);

const PAYER = `
name: payer
description: pays out, often
env: STRIPE_PAYER_KEY
permissions: { charges: read, payouts: write }
widening: report
guard: { repeat: allow, caps: [{ per: run, amount: 900000.00 usd }] }
`;

/** A guard as a program that serves the payer, before a Stripe, with a run of it. */
async function payingGuard(cwd: string, upstream: string) {
  await mkdir(join(cwd, 'profiles'));
  await writeFile(join(cwd, 'profiles', 'payer.yaml'), PAYER);
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: cwd,
    KEYAUDIT_API_BASE: upstream,
    KEYAUDIT_TARGET: 'sandbox',
    // The guard's key for the profile, which this Stripe does not look at.
    STRIPE_PAYER_KEY: 'rk_test_loadloadloadloadload',
  };
  const guard = spawn(NODE, [KEYAUDIT, 'guard', 'payer', '--listen', '127.0.0.1:0', '--format', 'json'], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void guard.kill('SIGKILL'));
  const [line] = (await once(createInterface({ input: guard.stdout }), 'line')) as [string];
  const { url } = JSON.parse(line) as { url: string };
  const keyaudit = (...words: string[]) =>
    execa(NODE, [KEYAUDIT, ...words], { cwd, env, extendEnv: false, reject: false });
  const words = ['guard', 'issue', 'payer', '--store', 'stdout', '--reveal', '--format', 'json'];
  const { key } = JSON.parse((await keyaudit(...words)).stdout) as { key: string };
  let said = '';
  guard.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8');
  });
  return { guard, url, key, keyaudit, said: () => said.replace(/\s+/g, ' ') };
}

describe('a profile that changes while its guard runs', () => {
  it('bites at once where it is narrower, and one that is wrong changes nothing, with an alarm', async () => {
    const cwd = await temporaryFolder();
    const stripe = await startFaultyServer((request, response) => {
      const amount = Number(new URLSearchParams(request.body).get('amount'));
      answerJson(response, 200, { id: 'po_1', object: 'payout', amount, currency: 'usd', status: 'paid' });
    });
    const { url, key, said } = await payingGuard(cwd, stripe.url);
    const file = join(cwd, 'profiles', 'payer.yaml');
    const pay = async (amount: number) => {
      const answer = await fetch(`${url}/v1/payouts`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}` },
        body: new URLSearchParams({ amount: String(amount), currency: 'usd' }),
      });
      await answer.arrayBuffer();
      return answer.status;
    };
    const patient = { timeout: 120_000, interval: 200 };
    expect(await pay(300)).toBe(200);
    await writeFile(file, PAYER.replace('900000.00', '3.00'));
    await expect.poll(() => pay(1), patient).toBe(403);
    await writeFile(file, PAYER.replace('900000.00', '4.000000'));
    await expect.poll(said, patient).toContain('What held before holds on.');
    expect(await pay(1)).toBe(403);
    // As it was when the run began: it goes on.
    await writeFile(file, PAYER);
    await expect.poll(() => pay(1), patient).toBe(200);
  });
});

describe('load', () => {
  it('case 72: many calls one after the other: nothing stays held, memory does not grow with them, the log verifies', async () => {
    const cwd = await temporaryFolder();
    const stripe = await startFaultyServer((request, response) => {
      const amount = Number(new URLSearchParams(request.body).get('amount'));
      answerJson(response, 200, { id: 'po_1', object: 'payout', amount, currency: 'usd', status: 'paid' });
    });
    const { guard, url, key, keyaudit } = await payingGuard(cwd, stripe.url);
    let next = 0;
    let good = 0;
    const memory: number[] = [];
    const worker = async () => {
      while (next < CALLS) {
        const n = next++;
        if (n % (CALLS / 12) === 0) memory.push(await residentBytes(guard.pid));
        const answer = await fetch(`${url}/v1/payouts`, {
          method: 'POST',
          headers: { authorization: `Bearer ${key}` },
          body: new URLSearchParams({ amount: '1', currency: 'usd', 'metadata[n]': String(n) }),
        });
        await answer.arrayBuffer();
        if (answer.status === 200) good += 1;
      }
    };
    await Promise.all(Array.from({ length: 32 }, worker));
    memory.push(await residentBytes(guard.pid));
    expect(good).toBe(CALLS);
    const { stdout } = await keyaudit('guard', 'status', '--format', 'json');
    const status = JSON.parse(stdout) as { held: unknown[]; counters: Record<string, number> };
    expect([status.held, Object.values(status.counters)]).toEqual([[], [CALLS]]);
    const exited = once(guard, 'exit');
    guard.kill('SIGTERM');
    expect((await exited)[0]).toBe(0);
    const verified = await keyaudit('guard', 'log', 'verify', '--format', 'json');
    expect(verified.exitCode, verified.stdout).toBe(0);
    // Keys of the last calls are remembered, a few hundred bytes each; an answer or a row for each would be kilobytes.
    const [early = 0, late = 0] = [Math.max(...memory.slice(0, 4)), Math.max(...memory.slice(-3))];
    expect(late - early, memory.join()).toBeLessThan(32 * 1024 * 1024 + CALLS * 512);
  });
});

async function residentBytes(pid = 0): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}
