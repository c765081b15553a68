import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { Catalog } from '../../src/core/catalog/catalog.ts';
import { catalogData } from '../../src/core/catalog/data/catalog.ts';
import { agentFor, serveInProcess } from '../../src/http/in-process.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { Chance, SEED } from './chance.ts';
import { hostileJson, hostileText } from './hostile-json.ts';
import { hostilePlace } from './hostile-run.ts';

// A server whose answers about keys are Stripe's but for a place or two, are cut off, or lead elsewhere.

const ROUNDS = Number(process.env.KEYAUDIT_FUZZ_ANSWERS ?? 10);

const LIVES: readonly (readonly (readonly string[])[])[] = [
  [
    ['provision', 'mine', '--again'],
    ['keys', 'list'],
    ['revoke', 'mine', '--no-wait'],
  ],
  [
    ['provision', 'mine', '--again', '--store', 'exec:exit 1'],
    ['keys', 'clean-up'],
  ],
  [
    ['provision', 'mine', '--again'],
    ['revoke', 'mine', '--timeout', '1s'],
    ['keys', 'clean-up'],
  ],
  [
    ['provision', 'mine', '--again', '--key-api', 'restricted_keys'],
    ['revoke', 'mine', '--no-wait'],
  ],
];

it(`are believed or refused, in ${ROUNDS} lives of a key`, async () => {
  const chance = new Chance(SEED);
  const sandbox = await startSandbox({
    catalog: new Catalog(catalogData),
    isPrivate: true,
    behaviour: { expiryDelayMs: 0, narrowingDelayMs: 0 },
  });
  let unnamed = '';
  let share = 0;
  const front = createServer((incoming, response) => {
    void forwarded(incoming, sandbox.url).then(({ status, text }) => {
      if (chance.is(share)) answerOddly(response, { status, text }, unnamed, chance);
      else response.writeHead(status, { 'content-type': 'application/json' }).end(text);
    });
  });
  const { url, close } = serveInProcess(front);
  onTestFinished(close);
  const place = await hostilePlace({
    STRIPE_SECRET_KEY: sandbox.shownSecretKey,
    KEYAUDIT_API_BASE: url,
    KEYAUDIT_TARGET: 'sandbox',
  });
  unnamed = place.unnamed.url;
  await writeFile(
    join(place.cwd, 'profiles/mine.yaml'),
    'name: mine\nenv: STRIPE_MINE_KEY\npermissions:\n  coupons: read\n',
  );
  const wrong: string[] = [];
  const earlier = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    await rm(join(place.cwd, '.keyaudit'), { recursive: true, force: true });
    for (const args of chance.of(LIVES)) {
      share = chance.of([0, 0.2, 0.6]);
      for (const problem of await place.run(args)) wrong.push(`round ${round}: ${problem}`);
    }
    const notes = await notesIn(place.cwd);
    for (const name of await activeNames(sandbox)) {
      if (!earlier.has(name) && !notes.includes(name)) wrong.push(`round ${round}: nobody knows ${name}`);
      earlier.add(name);
    }
  }
  await sandbox.close();
  expect(wrong).toEqual([]);
});

/** What is written down of keys, and of those that are being made or ended. */
async function notesIn(cwd: string): Promise<string> {
  const files = ['journal.json', 'keys.json'].map((name) => join(cwd, '.keyaudit', name));
  return (await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')))).join('\n');
}

async function activeNames({ url, shownSecretKey }: Sandbox): Promise<readonly string[]> {
  const names: string[] = [];
  const headers = { authorization: `Bearer ${shownSecretKey}`, 'stripe-version': '2026-08-26.preview' };
  for (let path: string | null = '/v2/iam/api_keys?limit=100'; path !== null; ) {
    const { text } = await ask(url, { path, headers });
    const page = JSON.parse(text) as { data: { name: string }[]; next_page_url: string | null };
    names.push(...page.data.map(({ name }) => name));
    path = page.next_page_url;
  }
  return names;
}

function ask(
  to: string,
  { path, headers }: { path: string; headers: Record<string, string> },
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const agent = agentFor(to, { keepAlive: false });
    request(new URL(path, to), { headers, agent }, (answer) => void whole(answer).then(resolve))
      .on('error', reject)
      .end();
  });
}

async function whole(answer: IncomingMessage): Promise<Answered> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return { status: answer.statusCode ?? 502, text: Buffer.concat(chunks).toString('utf8') };
}

interface Answered {
  readonly status: number;
  readonly text: string;
}

function forwarded(incoming: IncomingMessage, to: string): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const { method, headers } = incoming;
    const agent = agentFor(to, { keepAlive: false });
    const sent = request(new URL(incoming.url ?? '/', to), { method, headers, agent }, (answer) => {
      void whole(answer).then(resolve, reject);
    });
    sent.on('error', reject);
    incoming.pipe(sent);
  });
}

function answerOddly(response: ServerResponse, { status, text }: Answered, unnamed: string, chance: Chance) {
  const headers = { 'content-type': 'application/json' };
  switch (chance.upTo(8)) {
    case 0:
      return response.writeHead(chance.of([301, 302, 307, 308]), { location: `${unnamed}/v1/account` }).end();
    case 1:
      return response.writeHead(status, headers).end(hostileText(text, chance));
    case 2:
      return response
        .writeHead(chance.of([200, 204, 400, 401, 403, 404, 409, 429, 500, 503]), headers)
        .end(text);
    case 3:
      return response.destroy();
    default: {
      const odd = hostileJson(JSON.parse(text || 'null'), unnamed, chance);
      return response.writeHead(status, headers).end(JSON.stringify(odd));
    }
  }
}
