import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Behaviour } from '../../src/sandbox/faults/behaviour.ts';
import { answerJson, type Handler, openFaultyServer, stripeError } from '../support/faulty-server.ts';
import { runCli } from '../support/run-cli.ts';

/**
 * Whatever goes wrong between here and Stripe: verify never passes, says what happened, and keeps and
 * prints nothing of any answer.
 */

interface Case {
  readonly name: string;
  /** How the embedded sandbox misbehaves. */
  readonly sandbox?: Partial<Behaviour>;
  /** Or a server in its place. */
  readonly server?: Handler;
  /** Or the URL of none. */
  readonly apiBase?: string;
  readonly key?: string;
  readonly args?: readonly string[];
  /** Default 3. */
  readonly exitCode?: number;
  readonly says: RegExp;
  readonly code?: string;
}

/** In every answer of the servers below, wherever an answer has room for text. */
const MARK = 'zxmarkzx';
const error = (status: number, message: string, code?: string): Handler => {
  return (_request, response) => answerJson(response, status, stripeError(`${message} ${MARK}`, code));
};

const cases: readonly Case[] = [
  // Overload
  {
    name: 'a storm of 429',
    sandbox: { rateLimit: 0.000_001 },
    says: /rate limit \(global-rate\) was still in force/,
  },
  {
    name: 'a storm of lock timeouts',
    sandbox: { lockTimeoutEvery: 1 },
    says: /held the object \(HTTP 429, lock timeout\)/,
  },
  { name: 'a storm of 500', sandbox: { serverErrorEvery: 1 }, says: /server failed \(HTTP 500\)/ },
  {
    name: 'a 503 with HTML',
    server: (_request, response) =>
      response.writeHead(503, { 'content-type': 'text/html' }).end(`<p>${MARK}</p>`),
    says: /HTML, not Stripe's JSON/,
  },
  // The key
  {
    name: 'a key that Stripe does not know',
    key: 'rk_test_abcdefgh12345678',
    says: /Stripe does not know this key/,
    code: 'KEY_DEAD',
  },
  {
    name: 'a key that has expired',
    sandbox: { keysDieAfter: 0 },
    says: /expired or was revoked/,
    code: 'KEY_DEAD',
  },
  {
    name: 'a key that dies in mid-run',
    sandbox: { keysDieAfter: 60 },
    args: ['--depth', 'permissions'],
    says: /expired or was revoked/,
    code: 'KEY_DEAD',
  },
  {
    name: 'an address that the key may not be used from',
    sandbox: { refuseAddress: true },
    says: /this IP address may not use it/,
    code: 'KEY_DEAD',
  },
  {
    name: 'a proxy that drops the key',
    server: error(401, 'You did not provide an API key.'),
    says: /saw no key at all/,
    code: 'KEY_DEAD',
  },
  {
    name: 'a publishable key in its place',
    server: error(401, 'This API call cannot be made with a publishable API key.'),
    says: /publishable key was sent/,
    code: 'KEY_DEAD',
  },
  {
    name: 'a 401 that says nothing',
    server: error(401, ''),
    says: /not accepted \(HTTP 401\)/,
    code: 'KEY_DEAD',
  },
  { name: 'a key of another account', sandbox: { dialect: 'g' }, says: /no access to this account/ },
  { name: 'a key without Connect permissions', sandbox: { dialect: 'f' }, says: /no Connect permissions/ },
  { name: 'an account that is no platform', sandbox: { dialect: 'h' }, says: /no Connect platform/ },
  { name: 'the key of an application', sandbox: { dialect: 'i' }, says: /belongs to an application/ },
  // Strangers
  {
    name: 'a captive portal, 200 and HTML',
    sandbox: { foreign: 'captive-portal' },
    says: /HTML, not Stripe's JSON/,
  },
  { name: 'a gateway, 502 and HTML', sandbox: { foreign: 'html' }, says: /HTML, not Stripe's JSON/ },
  { name: 'a proxy that forbids', sandbox: { foreign: 'proxy-403' }, says: /not of Stripe's form/ },
  { name: 'an API that is not Stripe', sandbox: { foreign: 'not-stripe' }, says: /not of Stripe's form/ },
  { name: 'a redirect to a portal', sandbox: { foreign: 'redirect' }, says: /was a redirect/ },
  {
    name: 'the wrong host, without a Request-Id',
    sandbox: { foreign: 'no-request-id' },
    says: /no Request-Id header/,
  },
  {
    name: 'a stranger in mid-run',
    sandbox: { foreign: 'html', foreignAfter: 60 },
    args: ['--depth', 'permissions'],
    code: 'NO_ANSWER',
    says: /HTML, not Stripe's JSON/,
  },
  {
    name: 'a host that knows no URL',
    server: error(404, 'Unrecognized request URL'),
    says: /does not know this URL/,
    code: 'SAME_ANSWERS',
  },
  {
    name: 'a refusal in unknown words',
    server: error(403, 'No way.'),
    says: /none of Stripe's known refusals/,
    code: 'SAME_ANSWERS',
  },
  {
    name: 'an empty answer',
    server: (_request, response) => response.writeHead(200, { 'x-answer': MARK }).end(),
    says: /no complete JSON/,
  },
  {
    name: "an empty answer that may be Stripe's, to a write",
    server: (_request, response) => response.writeHead(200, { 'request-id': MARK }).end(),
    says: /not harmless: a write was answered HTTP 200/,
    code: 'PROBE_UNSAFE',
    exitCode: 1,
  },
  {
    name: 'a server that accepts everything',
    server: (_request, response) => answerJson(response, 200, { id: 'obj_made', object: MARK }),
    says: /not harmless: a write was answered HTTP 200 \(obj_made\)/,
    code: 'PROBE_UNSAFE',
    exitCode: 1,
  },
  // The line
  { name: 'cut connections', sandbox: { resetEvery: 1 }, says: /connection was cut/ },
  {
    name: 'a server that never answers',
    sandbox: { hangEvery: 1 },
    args: ['--timeout', '0.2s'],
    says: /No answer came in time/,
  },
  {
    name: 'a body that drips',
    sandbox: { slowBodyMs: 60_000 },
    args: ['--timeout', '0.2s'],
    says: /No answer came in time/,
  },
  { name: 'truncated JSON', sandbox: { truncateEvery: 1 }, says: /no complete JSON/ },
  {
    name: 'an answer that is cut half-way',
    server: (_request, response) => {
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': '1000',
      });
      response.write(`{"object":"${MARK}"`);
      setTimeout(() => response.destroy(), 20);
    },
    says: /connection was cut/,
  },
  {
    name: 'an answer that is no HTTP',
    server: (request) => request.socket.end(`${MARK}\r\n\r\n`),
    says: /connection failed|cut/,
  },
  {
    name: 'a name that nobody knows',
    apiBase: 'http://nowhere.invalid',
    says: /name of the server was not found/,
  },
  { name: 'a port where nobody listens', apiBase: 'http://127.0.0.1:1', says: /connection was refused/ },
  {
    name: 'a server without TLS where TLS is wanted',
    server: error(403, ''),
    apiBase: 'https:',
    says: /No secure connection/,
  },
  {
    name: 'a deadline',
    sandbox: { latencyMs: 3_000 },
    args: ['--deadline', '0.3s'],
    says: /deadline passed; this report is partial/,
    code: 'DEADLINE',
  },
  // Not a fault of the key
  {
    name: 'a clock that is a day wrong',
    sandbox: { clockSkewSeconds: 86_400 },
    args: ['--depth', 'permissions'],
    exitCode: 0,
    says: /as the profile says/,
  },
  {
    name: 'a clock that is a day wrong the other way',
    sandbox: { clockSkewSeconds: -86_400 },
    exitCode: 0,
    says: /as the profile says/,
  },
];

/** Texts of the sandbox's and of these servers' answers. */
const BODIES = new RegExp(
  [
    MARK,
    'Please sign in',
    'Bad Gateway',
    'access_denied',
    'portal\\.invalid',
    'one of our backends',
    'The provided key',
    'dashboard\\.stripe\\.com',
    'Request rate limit exceeded',
    'Learn more',
    'rk_test_\\w',
  ].join('|'),
);

let cwd = '';
const closers: (() => Promise<void>)[] = [];
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'keyaudit-faults-'));
  expect((await runCli(['provision', 'analytics'], { cwd })).exitCode).toBe(0);
});
afterAll(async () => {
  for (const close of closers) await close();
  await rm(cwd, { recursive: true, force: true });
});

async function baseOf({ server, apiBase }: Case): Promise<string | undefined> {
  if (server === undefined) return apiBase;
  const { url, close } = await openFaultyServer(server);
  closers.push(close);
  return apiBase === 'https:' ? url.replace('http:', 'https:') : url;
}

// Retries and patience take seconds, and more on a busy machine.
describe('verify', () => {
  it.concurrent.each(cases.map((one, index) => [one.name, index, one] as const))(
    'says what happened: %s',
    async (_name, index, one) => {
      const behaviour = join(cwd, `behaviour-${index}.json`);
      await writeFile(behaviour, JSON.stringify(one.sandbox ?? {}));
      const apiBase = await baseOf(one);
      const needsKey = one.key ?? (apiBase === undefined ? undefined : 'rk_test_abcdefgh12345678');
      const report = join(cwd, `report-${index}.json`);
      const run = await runCli(
        [
          'verify',
          'analytics',
          ...['--depth', 'checks', '--verbose', '--report', `json=${report}`],
          ...(apiBase === undefined ? [] : ['--api-base', apiBase]),
          ...(one.args ?? []),
        ],
        {
          cwd,
          env: {
            KEYAUDIT_SANDBOX_BEHAVIOUR: behaviour,
            ...(needsKey === undefined ? {} : { STRIPE_ANALYTICS_KEY: needsKey }),
          },
        },
      );
      const kept = await readFile(report, 'utf8');
      const { ok, results } = JSON.parse(kept);
      expect(run.stdout.replace(/\s+/g, ' ')).toMatch(one.says);
      expect(run.exitCode).toBe(one.exitCode ?? 3);
      expect(ok).toBe(one.exitCode === 0);
      expect(results[0].stopped?.code).toBe(one.code);
      for (const text of [run.stdout, run.stderr, kept]) expect(text).not.toMatch(BODIES);
    },
  );

  it('is held against at least twenty faults', () => {
    expect(cases.filter(({ exitCode }) => exitCode !== 0).length).toBeGreaterThanOrEqual(20);
  });
});

describe('inspect and calibrate', () => {
  const quick = [
    'a key that dies in mid-run',
    'a key of another account',
    'a captive portal, 200 and HTML',
    'truncated JSON',
  ];
  it.concurrent.each(
    quick.flatMap((name, index) =>
      // calibrate sends ten times as many requests, and judges by the same table.
      (index % 2 === 0 ? (['inspect', 'calibrate'] as const) : (['inspect'] as const)).map(
        (command) => [command, name] as const,
      ),
    ),
  )('%s says what happened: %s', async (command, name) => {
    const { sandbox, says } = cases.find((one) => one.name === name) ?? expect.fail(name);
    const behaviour = join(cwd, `behaviour-${command}-${name.replace(/\W+/g, '-')}.json`);
    await writeFile(behaviour, JSON.stringify(sandbox));
    const token = /rk_test_\w+/.exec(await readFile(join(cwd, '.keyaudit', 'keys.env'), 'utf8'))?.[0] ?? '';
    const args = { inspect: ['--key-env', 'KEY'], calibrate: ['--bare-key-env', 'KEY', '--only', 'probes'] };
    const run = await runCli([command, ...args[command], '--verbose'], {
      cwd,
      env: { KEY: token, KEYAUDIT_SANDBOX_BEHAVIOUR: behaviour, XDG_CONFIG_HOME: join(cwd, name) },
    });
    const text = `${run.stdout}${run.stderr}`;
    expect(run.exitCode).toBe(3);
    if (command === 'inspect') {
      expect(text.replace(/\s+/g, ' ')).toMatch(says);
    } else {
      // Not one probe may count as telling on the word of a stranger.
      expect(text).not.toMatch(/^ {2}\d+ (?:telling|blind)/m);
    }
    expect(text).not.toMatch(BODIES);
  });
});

describe('what is kept', () => {
  it('holds nothing of any answer', async () => {
    const names = await readdir(cwd, { recursive: true, withFileTypes: true });
    const files = names.filter((one) => one.isFile() && one.name !== 'keys.env');
    expect(files.length).toBeGreaterThan(cases.length);
    for (const one of files.filter(({ name }) => !/^sandbox/.test(name))) {
      expect(await readFile(join(one.parentPath, one.name), 'utf8'), one.name).not.toMatch(BODIES);
    }
  });
});
