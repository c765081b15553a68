import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import Stripe from 'stripe';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Catalog, isWrite } from '../../src/core/catalog/catalog.ts';
import { catalogData } from '../../src/core/catalog/data/catalog.ts';
import { encodedAnswers, encodedFields } from '../../src/core/catalog/data/expansions.ts';
import { decodeFields } from '../../src/core/catalog/expansion.ts';
import { collectionOf, objectKindOf } from '../../src/core/catalog/id-prefix.ts';
import { parametersOf } from '../../src/core/catalog/parameters.ts';
import { buildProbe } from '../../src/core/probe/build-probe.ts';
import { unansweredBy } from '../../src/core/probe/unanswered.ts';
import { SecretKey } from '../../src/core/secret-key.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { type SentProbe, sendProbes } from '../../src/stripe/send-probes.ts';
import { openStripeMock } from '../../src/targets/stripe-mock.ts';
import { findStripeMock } from '../support/peer.ts';
import { KEYAUDIT, runCli, temporaryFolder } from '../support/run-cli.ts';
import {
  expandedOtherwiseByStripeMock,
  harmlessWritesAnswered,
  namedOtherwiseByStripeMock,
  notJsonFromStripeMock,
} from './stripe-mock-answers.ts';

const mock = await findStripeMock('the tests of --target stripe-mock, and of catalog and probes against it');
const withMock = `${dirname(mock.file)}:/usr/bin:/bin`;
const catalog = new Catalog(catalogData);

/** Whether stripe-mock answers there. */
async function answers(url: string): Promise<boolean> {
  return fetch(`${url}/v1/balance`, { headers: { authorization: 'Bearer sk_test_123' } }).then(
    (response) => response.headers.has('stripe-mock-version'),
    () => false,
  );
}

/** stripe-mock gives what is created an id by chance. */
function withoutMadeId(text: string): string {
  return text.replace(/"id": ?"re_\w+"/, '"id":"re_"');
}

async function falls(question: () => Promise<boolean>): Promise<boolean> {
  for (let turn = 0; turn < 50; turn++) {
    if (!(await question())) return true;
    await delay(100);
  }
  return false;
}

describe.skipIf(mock.missing)('--target stripe-mock', () => {
  it('proves the five profiles, each key made at the same gate', async () => {
    const cwd = await temporaryFolder();
    const env = { PATH: withMock };
    const made = await runCli(['provision', '--examples', '--target', 'stripe-mock'], { cwd, env });
    expect(made.exitCode, made.stderr).toBe(0);
    const run = await runCli(['verify', '--examples', '--target', 'stripe-mock', '--format', 'json'], {
      cwd,
      env,
    });
    expect(run.exitCode, run.stderr).toBe(0);
    const report = JSON.parse(run.stdout) as {
      ok: boolean;
      target: string;
      results: { profile: string; summary: Record<string, number> }[];
    };
    expect(report).toMatchObject({ ok: true, target: 'stripe-mock' });
    expect(report.results.map((one) => one.profile)).toEqual([
      'analytics',
      'dispute-handler',
      'payment-capture',
      'refund-agent',
      'subscription-manager',
    ]);
    for (const { summary } of report.results) {
      expect(summary.probes).toBeGreaterThan(140);
      expect(summary).toMatchObject({ overGrants: 0, underGrants: 0, inconclusive: 0 });
    }
  });

  it('finds a permission too many', async () => {
    const cwd = await temporaryFolder();
    const env = { PATH: withMock, KEYAUDIT_SANDBOX_BEHAVIOUR: 'more.yaml' };
    await writeFile(join(cwd, 'more.yaml'), 'grantsMore: [payout_write]\n');
    await runCli(['provision', 'analytics', '--target', 'stripe-mock'], { cwd, env });
    const run = await runCli(['verify', 'analytics', '--target', 'stripe-mock', '--format', 'json'], {
      cwd,
      env,
    });
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toMatch(/"kind": "over-grant",\s+"operation": "payouts/);
  });

  it('is what stripe-mock says, to the byte, for what the key may do', async () => {
    const direct = await openStripeMock({ PATH: withMock });
    onTestFinished(() => direct.close());
    const sandbox = await startSandbox({ catalog, upstream: direct.url });
    onTestFinished(() => sandbox.close());
    const requests: readonly [string, string, string?][] = [
      ['GET', '/v1/charges?limit=3'],
      ['GET', '/v1/customers/cus_123?expand[]=default_source'],
      ['POST', '/v1/refunds', 'charge=ch_123&amount=5'],
      ['POST', '/v1/refunds', 'amount=none'],
      ['DELETE', '/v1/customers/cus_123'],
      ['GET', '/v1/no_such_thing'],
    ];
    for (const [method, path, body] of requests) {
      const ask = async (url: string, key: string) => {
        const type = 'application/x-www-form-urlencoded';
        const headers = { authorization: `Bearer ${key}`, 'content-type': type };
        const response = await fetch(`${url}${path}`, { method, headers, ...(body ? { body } : {}) });
        return {
          status: response.status,
          id: response.headers.get('request-id'),
          text: withoutMadeId(await response.text()),
        };
      };
      const gated = await ask(sandbox.url, sandbox.secretKey.reveal());
      expect(gated).toEqual(await ask(direct.url, 'sk_test_123'));
      expect(gated.id).toBe('req_123');
    }
  });

  it('serves stripe-node whole objects, uploads, and refusals of its own', async () => {
    const direct = await openStripeMock({ PATH: withMock });
    onTestFinished(() => direct.close());
    const sandbox = await startSandbox({ catalog, upstream: direct.url });
    onTestFinished(() => sandbox.close());
    const { hostname: host, port } = new URL(sandbox.url);
    const clientOf = (key: string) => new Stripe(key, { host, port, protocol: 'http', maxNetworkRetries: 0 });
    const maker = clientOf(sandbox.secretKey.reveal());
    const made = (await maker.rawRequest('POST', '/v1/restricted_keys', {
      name: 'reader',
      restrictions: { charges: 'read', files: 'write' },
    })) as unknown as { secret: string };
    const client = clientOf(made.secret);
    const charge = await client.charges.retrieve('ch_any');
    expect(charge).toMatchObject({
      id: 'ch_any',
      object: 'charge',
      billing_details: { name: 'Jenny Rosen' },
    });
    const bytes = Buffer.from(Array.from({ length: 1024 }, (_, index) => index % 256));
    const file = await client.files.create({
      purpose: 'dispute_evidence',
      file: { data: bytes, name: 'receipt.png', type: 'application/octet-stream' },
    });
    expect(file).toMatchObject({ object: 'file', purpose: 'dispute_evidence' });
    await expect(client.charges.create({ amount: 100, currency: 'usd' })).rejects.toBeInstanceOf(
      Stripe.errors.StripePermissionError,
    );
    await expect(
      maker.paymentIntents.create({ currency: 'usd' } as Stripe.PaymentIntentCreateParams),
    ).rejects.toMatchObject({ statusCode: 400, message: expect.stringContaining("'amount' is required") });
  });

  it('ends stripe-mock with keyaudit, even when that is killed', async () => {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const cwd = await temporaryFolder();
      const server = execa(
        process.execPath,
        [KEYAUDIT, 'sandbox', '--port', '0', '--upstream', 'stripe-mock', '--verbose'],
        { cwd, env: { PATH: withMock, NO_COLOR: '1' }, extendEnv: false, reject: false, buffer: false },
      );
      const [line] = (await once(createInterface(server.stdout), 'line')) as [string];
      const upstream = / behind it \((http:\S+)\)/.exec(line)?.[1] ?? '';
      expect(await answers(upstream)).toBe(true);
      server.kill(signal);
      await server;
      expect(await falls(() => answers(upstream))).toBe(true);
    }
  });
});

describe('finding stripe-mock', () => {
  it('takes the one at STRIPE_MOCK_URL, and goes no further when that is silent or a stranger', async () => {
    const server = createServer((_request, response) => response.end('{}')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.close();
    });
    const { port } = server.address() as { port: number };
    const rows: readonly [string, string][] = [
      [`http://127.0.0.1:${port}`, 'STRIPE_MOCK_SILENT'],
      ['http://127.0.0.1:9', 'STRIPE_MOCK_SILENT'],
      ['https://api.stripe.com', 'USAGE'],
      ['nonsense', 'USAGE'],
    ];
    for (const [url, code] of rows) {
      await expect(openStripeMock({ STRIPE_MOCK_URL: url, PATH: withMock })).rejects.toMatchObject({ code });
    }
  });

  it('says how to install it where there is none', async () => {
    const cwd = await temporaryFolder();
    const run = await runCli(['verify', '--examples', '--target', 'stripe-mock'], {
      cwd,
      env: { PATH: cwd },
    });
    expect(run.exitCode).toBe(2);
    for (const line of ['go install github.com/stripe/stripe-mock@v', 'brew install', 'docker run']) {
      expect(run.stderr).toContain(line);
    }
    expect(run.stderr).not.toMatch(/\n\s+at /);
  });

  it('says so when the program on PATH is no stripe-mock', async () => {
    const PATH = await temporaryFolder();
    await writeFile(join(PATH, 'stripe-mock'), '#!/bin/sh\nexit 1\n');
    await chmod(join(PATH, 'stripe-mock'), 0o755);
    await expect(openStripeMock({ PATH })).rejects.toMatchObject({
      code: 'STRIPE_MOCK_SILENT',
      exitCode: 3,
    });
  });

  it.skipIf(mock.missing)('starts it in Docker where a daemon answers, and ends it there', async () => {
    const PATH = await temporaryFolder();
    // Stands for Docker: what it would publish, it serves.
    await writeFile(
      join(PATH, 'docker'),
      `#!/bin/sh
case "$1" in
  version) echo 28.0.0 ;;
  run) for one in "$@"; do case "$one" in 127.0.0.1:*:12111) port=\${one#127.0.0.1:}; port=\${port%:12111} ;; esac; done
    exec ${mock.file} -http-addr "127.0.0.1:$port" -https-addr 127.0.0.1:0 ;;
esac
`,
    );
    await chmod(join(PATH, 'docker'), 0o755);
    const found = await openStripeMock({ PATH: `${PATH}:/usr/bin:/bin` });
    expect(found.from).toBe('Docker');
    expect(await answers(found.url)).toBe(true);
    await found.close();
    expect(await answers(found.url)).toBe(false);
  });
});

describe.skipIf(mock.missing)(
  'the whole catalog against stripe-mock, with a key that holds everything',
  () => {
    const asked = (async (): Promise<readonly SentProbe[]> => {
      if (mock.missing) return [];
      const upstream = await openStripeMock({ PATH: withMock });
      const sandbox = await startSandbox({ catalog, upstream: upstream.url });
      try {
        const nonce = randomBytes(6).toString('hex');
        const probes = catalog.operations.map((operation) =>
          buildProbe(operation, { parameters: parametersOf(operation.name), nonce }),
        );
        const key = SecretKey.of(sandbox.secretKey.reveal());
        const { results } = await sendProbes(probes, {
          key,
          target: 'stripe-mock',
          apiBase: sandbox.url,
          apiVersion: catalog.apiVersion,
        });
        return results;
      } finally {
        await sandbox.close();
        await upstream.close();
      }
    })();

    const namesOf = (results: readonly SentProbe[]) =>
      results.map(({ probe }) => probe.operation.name).sort();

    it('asks about every operation', async () => {
      expect(namesOf(await asked)).toEqual(catalog.operations.map(({ name }) => name).sort());
    });

    it('knows each but those that are listed with a reason', async () => {
      const unknown = (await asked).filter(({ verdict }) => verdict.reason === 'unknown-url');
      const listed = catalog.operations.filter((operation) =>
        unansweredBy('stripe-mock', operation, { isAllowed: true }),
      );
      expect(namesOf(unknown)).toEqual(listed.map(({ name }) => name).sort());
    });

    it('tells of each that it knows that the key may', async () => {
      const unclear = (await asked).filter(
        ({ verdict }) => verdict.kind !== 'allowed' && verdict.reason !== 'unknown-url',
      );
      expect(namesOf(unclear)).toEqual(Object.keys(notJsonFromStripeMock).sort());
    });

    it('answers 2xx to no write but on objects that cannot exist, which it does not know', async () => {
      const answered = (await asked).filter(
        ({ probe, observation }) => isWrite(probe.operation) && (observation.status ?? 0) < 300,
      );
      expect(answered.length).toBeGreaterThan(100);
      const withoutId = answered.filter(({ probe }) => !probe.operation.path.includes('{id}'));
      expect(namesOf(withoutId)).toEqual(Object.keys(harmlessWritesAnswered).sort());
      for (const { probe } of answered)
        expect(`${probe.path} ${JSON.stringify(probe.body)}`).toMatch(/_keyaudit/);
    });
  },
);

describe.skipIf(mock.missing)('the sandbox beside stripe-mock', () => {
  it('names objects, their ids and the envelopes of lists alike', async () => {
    const direct = await openStripeMock({ PATH: withMock });
    onTestFinished(() => direct.close());
    const sandbox = await startSandbox({ catalog });
    onTestFinished(() => sandbox.close());
    const unlike: string[] = [];
    let compared = 0;
    for (const operation of catalog.operations) {
      if (operation.method !== 'GET' || operation.path.startsWith('/v2/')) continue;
      const probe = buildProbe(operation, { parameters: parametersOf(operation.name), nonce: 'abcdefgh' });
      const ask = async (url: string, key: string) => {
        const response = await fetch(`${url}${probe.path}`, { headers: { authorization: `Bearer ${key}` } });
        return response.json().catch(() => undefined) as Promise<Listed | undefined>;
      };
      const theirs = await ask(direct.url, 'sk_test_123');
      const kind = objectKindOf(collectionOf(operation.path.replace(/\/search$/, '')));
      if (theirs === undefined || theirs.error !== undefined || kind === undefined) continue;
      compared++;
      const item = theirs.data === undefined ? theirs : theirs.data[0];
      const prefix = /^([a-z_]+?)_(?:test_|tmp_|sched_)?[A-Za-z0-9]{5,}/.exec(item?.id ?? '')?.[1] ?? '';
      const named = item === undefined || item.object === kind.object;
      if (!named || (theirs.data !== undefined && prefix !== '' && !kind.prefix.startsWith(prefix))) {
        unlike.push(operation.name);
      }
      if (theirs.data === undefined) continue;
      const ours = await ask(sandbox.url, sandbox.secretKey.reveal());
      if (ours?.error !== undefined) continue;
      expect({ of: operation.name, ...envelope(ours) }).toEqual({ of: operation.name, ...envelope(theirs) });
    }
    expect(compared).toBeGreaterThan(200);
    expect(unlike.sort()).toEqual(Object.keys(namedOtherwiseByStripeMock).sort());
  });
});

describe.skipIf(mock.missing)('expand[] against stripe-mock', () => {
  it('leads where the SDK declares, and nowhere else', async () => {
    const direct = await openStripeMock({ PATH: withMock });
    onTestFinished(() => direct.close());
    /** The kind of object that takes the field's place; undefined where none does. */
    const expandedTo = async (path: string, field: string): Promise<string | undefined> => {
      const answer = await read(`${direct.url}${path}?expand[]=${field}`);
      const found = field.split('.').reduce<unknown>((value, name) => memberOf(value, name), answer);
      return (Array.isArray(found) ? found[0] : found)?.object;
    };
    let alike = 0;
    const unlike = new Set<string>();
    for (const [kind, names] of encodedAnswers) {
      const operation = names
        .split(' ')
        .map((name) => catalog.operation(name))
        .find((one) => one?.kind === 'retrieve' && one.path.endsWith('{id}'));
      if (operation === undefined || /[[|]/.test(kind)) continue;
      const path = operation.path.replaceAll('{id}', 'x_123');
      const fields = decodeFields(encodedFields.get(kind) ?? '');
      for (const [field, { objects, isList, onRequest }] of fields) {
        const found = onRequest ? await expandedTo(path, field) : undefined;
        if (found === undefined) continue;
        if (isList ? found === 'list' : objects.includes(found)) alike++;
        else unlike.add(`${kind} ${field}`);
      }
      const plain = ((await read(`${direct.url}${path}`)) ?? {}) as Record<string, unknown>;
      for (const [field, value] of Object.entries(plain)) {
        if (fields.has(field) || typeof value !== 'string' || !/^[a-z_]+_\w{8,}$/.test(value)) continue;
        if ((await expandedTo(path, field)) !== undefined) unlike.add(`${kind} ${field}`);
      }
    }
    expect(alike).toBeGreaterThan(300);
    expect([...unlike].sort()).toEqual(Object.keys(expandedOtherwiseByStripeMock).sort());
  });

  it('takes the permission to read it, and the gate lets through to a restricted key only what is known', async () => {
    const direct = await openStripeMock({ PATH: withMock });
    onTestFinished(() => direct.close());
    const sandbox = await startSandbox({ catalog, upstream: direct.url });
    onTestFinished(() => sandbox.close());
    const secret = sandbox.secretKey.reveal();
    const made = await fetch(`${sandbox.url}/v1/restricted_keys`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}` },
      body: new URLSearchParams({ name: 'a', 'restrictions[payment_intents]': 'read' }),
    });
    const { secret: restricted } = (await made.json()) as { secret: string };
    const rows: readonly [path: string, restricted: number, secret: number][] = [
      ['/v1/payment_intents/pi_1?expand[]=payment_method_options', 200, 200],
      ['/v1/payment_intents/pi_1?expand[]=latest_charge', 403, 200],
      ['/v1/payment_intents?expand[]=data.latest_charge.customer', 403, 200],
      ['/v1/payment_intents/pi_1?expand[]=unheard_of', 400, 500],
    ];
    for (const [path, ...statuses] of rows) {
      const asked = [restricted, secret].map((key) =>
        fetch(`${sandbox.url}${path}`, { headers: { authorization: `Bearer ${key}` } }),
      );
      expect([path, ...(await Promise.all(asked)).map(({ status }) => status)]).toEqual([path, ...statuses]);
    }
  });
});

/** JSON from stripe-mock; undefined where it breaks off, as it does for some expansions, or answers an error. */
async function read(url: string): Promise<unknown> {
  const headers = { authorization: 'Bearer sk_test_123' };
  const response = await fetch(url, { headers }).catch(() => undefined);
  return response?.ok ? response.json().catch(() => undefined) : undefined;
}

/** A member of an object, or of the first of several. */
function memberOf(value: unknown, name: string): unknown {
  const one = Array.isArray(value) ? value[0] : value;
  return typeof one === 'object' && one !== null ? (one as Record<string, unknown>)[name] : undefined;
}

interface Listed {
  readonly id?: string;
  readonly object?: string;
  readonly data?: readonly { readonly id?: string; readonly object?: string }[];
  readonly error?: unknown;
}

/** What a list is wrapped in; `total_count` and `next_page` do not always come. */
function envelope(list: Listed | undefined) {
  const { total_count: _, next_page: __, ...rest } = { ...list } as Record<string, unknown>;
  return { object: list?.object, members: Object.keys(rest).sort() };
}
