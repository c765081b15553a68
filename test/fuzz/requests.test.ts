import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { dirname } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Catalog } from '../../src/core/catalog/catalog.ts';
import { catalogData } from '../../src/core/catalog/data/catalog.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { openStripeMock } from '../../src/targets/stripe-mock.ts';
import { findStripeMock } from '../support/peer.ts';
import { Chance, SEED } from './chance.ts';
import { NaiveModel } from './naive-model.ts';

const REQUESTS = Number(process.env.KEYAUDIT_FUZZ_REQUESTS ?? 4_000);
const catalog = new Catalog(catalogData);
const mock = await findStripeMock('random requests through the gate');
const NAMES = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'length',
  'id',
  'expand',
  'limit',
  '',
];

interface Key {
  readonly token: string;
  /** Undefined: a secret key, which may do everything. */
  readonly held?: readonly string[];
}

interface Shot {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer | undefined;
  readonly key: Key | undefined;
}

const model = new NaiveModel();
const templates = catalog.operations.map(({ method, path }) => ({ method, path }));
const KEY_PATHS = [
  '/v2/iam/api_keys',
  '/v2/iam/api_keys/mk_1',
  '/v2/iam/api_keys/mk_1/rotate',
  '/v1/restricted_keys',
  '/v1/stripecli/key_permissions',
];

function shotOf(chance: Chance, keys: readonly Key[]): Shot {
  const template = chance.of(templates);
  if (chance.is(0.2)) {
    // A plain one, so that some get through.
    const key = chance.is(0.4) ? (keys[0] as Key) : chance.of(keys);
    const url = template.path.replaceAll('{id}', () => `x_${chance.upTo(9)}`);
    return {
      method: template.method,
      url,
      headers: { authorization: `Bearer ${key.token}` },
      body: undefined,
      key,
    };
  }
  let path = template.path.replaceAll('{id}', () =>
    chance.is(0.8) ? `x_${chance.upTo(9)}` : encodeURIComponent(chance.text(8)),
  );
  if (chance.is(0.05)) path = chance.of(KEY_PATHS);
  if (chance.is(0.15)) path = mutatedPath(path, chance);
  const method = chance.is(0.85)
    ? template.method
    : chance.of(['GET', 'POST', 'DELETE', 'PUT', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'HEAD']);
  const query = chance.is(0.4) ? `?${form(chance)}` : '';
  const key = chance.is(0.92) ? chance.of(keys) : undefined;
  const headers: Record<string, string> = {};
  if (key !== undefined) {
    headers.authorization = chance.is(0.7)
      ? `Bearer ${key.token}`
      : `Basic ${Buffer.from(`${key.token}:`).toString('base64')}`;
  } else if (chance.is(0.7)) {
    headers.authorization = chance.of([
      'Bearer',
      'Basic Og==',
      'Bearer x',
      'Basic !!!',
      'Digest a',
      'Bearer pk_test_abcdefgh1234',
    ]);
  }
  const odd = () => chance.text(20).replace(/[^\x20-\x7e]/g, '');
  if (chance.is(0.2)) headers['stripe-version'] = chance.is(0.5) ? catalog.apiVersion : odd();
  if (chance.is(0.1)) headers['idempotency-key'] = chance.is(0.5) ? 'same' : odd().repeat(20);
  if (chance.is(0.05)) headers['stripe-account'] = chance.is(0.5) ? 'acct_1Other' : odd();
  if (chance.is(0.05))
    headers[chance.of(['expect-ct', 'range', 'accept-encoding', 'x-http-method-override'])] = odd();
  const { type, body } = bodyOf(chance);
  if (type !== undefined) headers['content-type'] = type;
  if (body !== undefined && method !== 'TRACE') headers['content-length'] = String(body.length);
  return { method, url: `${path}${query}`, headers, body: method === 'TRACE' ? undefined : body, key };
}

function mutatedPath(path: string, chance: Chance): string {
  const at = 1 + chance.upTo(path.length);
  const safe = () => chance.text(6).replace(/[^\x21-\x7e]|[?#]/g, '');
  switch (chance.upTo(8)) {
    case 0:
      return `${path}/`;
    case 1:
      return `${path}//`;
    case 2:
      return `${path.slice(0, at)}${safe()}${path.slice(at)}`;
    case 3:
      return path.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
    case 4:
      return path.toUpperCase();
    case 5:
      return `${path}/../${chance.of(['charges', 'refunds', 'customers'])}`;
    case 6:
      return `/${safe()}`;
    default:
      return `${path}/${'a/'.repeat(chance.upTo(60))}`;
  }
}

function form(chance: Chance): string {
  const field = () => {
    const names = [
      ...NAMES,
      'amount',
      'currency',
      'metadata',
      'customer',
      'charge',
      'items',
      'starting_after',
      'query',
      'page',
      'name',
      'email',
      'permissions',
      'restrictions',
    ];
    let name = chance.is(0.9) ? chance.of(names) : encodeURIComponent(chance.text(5));
    for (let depth = chance.is(0.4) ? chance.upTo(20) : 0; depth > 0; depth--) {
      name += `[${chance.of([...NAMES, '0', '1', '-1', '4294967295', '1e9', 'a', '[', ']'])}]`;
    }
    const value = chance.is(0.7)
      ? chance.of(['1', '-1', '1e999', 'NaN', 'true', '', 'null', 'cus_1', '%', '%E0%A4', 'usd'])
      : encodeURIComponent(chance.text(12));
    return `${name}=${value}`;
  };
  return Array.from({ length: chance.upTo(6) }, field)
    .join(chance.of(['&', '&', '&', '&&', ';']))
    .replace(/[^\x21-\x7e]|#/g, '');
}

function bodyOf(chance: Chance): { readonly type?: string; readonly body: Buffer | undefined } {
  switch (chance.upTo(7)) {
    case 0:
    case 1:
    case 2:
      return { type: 'application/x-www-form-urlencoded', body: Buffer.from(form(chance)) };
    case 3:
      return { type: 'application/json', body: Buffer.from(json(chance)) };
    case 4: {
      const parts = [
        '--b\r\n',
        'content-disposition: form-data; name="',
        chance.of(NAMES),
        '"; filename="a"\r\n\r\n',
        'x',
        '\r\n--b--\r\n',
      ];
      const kept = parts.filter(() => chance.is(0.9)).join('');
      return { type: `multipart/form-data; boundary=${chance.of(['b', '', '"'])}`, body: Buffer.from(kept) };
    }
    case 5:
      return {
        type: chance.of(['text/plain', 'x', '/', 'application/json; charset=utf-16', ';']),
        body: Buffer.from(chance.text(40)),
      };
    default:
      return { body: undefined };
  }
}

function json(chance: Chance): string {
  const text = chance.of([
    '{}',
    '[]',
    'null',
    '1e999',
    '{"__proto__":{"a":1},"constructor":{"prototype":{"a":1}}}',
    '{"name":null,"permissions":[null,1,{}],"type":"secret_key"}',
    '{"type":"secret_key","name":"x","permissions":["charge_read"],"expires_at":"never"}',
    `${'['.repeat(3000)}${']'.repeat(3000)}`,
    `{"expand":${'['.repeat(20_000)}"x"${']'.repeat(20_000)}}`,
    `{"address":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`,
    '{"metadata":{"a":{"b":[{}]}},"expand":[{}],"limit":[]}',
    '{"endpoints":[{},null,"GET /v1/charges"]}',
  ]);
  return chance.is(0.8) ? text : text.slice(0, chance.upTo(text.length));
}

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

function fire(base: string, { method, url, headers, body }: Shot, agent: Agent): Promise<Reply> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const sent = request(
      { hostname, port, path: url, method, headers, agent, timeout: 240_000 },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString('utf8'),
          }),
        );
      },
    );
    sent.on('timeout', () => sent.destroy(new Error('no answer')));
    sent.on('error', reject);
    sent.end(body);
  });
}

async function makeKeys(sandbox: Sandbox, chance: Chance): Promise<Key[]> {
  const names = catalog.permissions.map(({ name }) => name);
  const keys: Key[] = [{ token: sandbox.secretKey.reveal() }, { token: sandbox.liveSecretKey.reveal() }];
  for (let index = 0; index < 40; index++) {
    const few = index % 4 === 0 ? 40 : 4;
    const held = [...new Set(Array.from({ length: 1 + chance.upTo(few) }, () => chance.of(names)))];
    const response = await fetch(`${sandbox.url}/v2/iam/api_keys`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${sandbox.secretKey.reveal()}`,
        'content-type': 'application/json',
        'stripe-version': '2026-08-26.preview',
      },
      body: JSON.stringify({ type: 'secret_key', name: `fuzz ${index}`, permissions: held }),
    });
    const made = (await response.json()) as { secret_key: { token: string } };
    keys.push({ token: made.secret_key.token, held });
  }
  return keys;
}

/** What is wrong with a reply; empty when nothing is. */
function complaint(shot: Shot, reply: Reply): string {
  if (reply.status >= 500) return 'a server error';
  if (shot.method !== 'HEAD') {
    let body: unknown;
    try {
      body = JSON.parse(reply.text);
    } catch {
      return 'no JSON';
    }
    if (typeof body !== 'object' || body === null) return 'no JSON object';
    if (reply.status >= 400 && !('error' in body)) return 'an error without "error"';
  }
  return permissionComplaint(shot, reply);
}

function permissionComplaint({ method, url, headers, body, key }: Shot, { status }: Reply): string {
  const path = (url.split('?')[0] ?? '').replace(/(.)\/$/, '$1');
  if (key === undefined)
    return status === 401 || status === 400 || status === 404 ? '' : 'answered without a key';
  if (key.held === undefined) return '';
  const isKeyPath =
    /^\/v2\/iam\/api_keys(?:\/|$)/.test(path) || (path === '/v1/restricted_keys' && method === 'POST');
  const row = isKeyPath ? { permissions: ['api_key_write'] } : model.row(method, path);
  if (path === '/v1/stripecli/key_permissions') return '';
  if (row === undefined) return status >= 400 ? '' : 'answered, and no such operation is known';
  if ((headers['stripe-account'] ?? '') !== '') return status >= 400 ? '' : 'another account was reached';
  const may = model.holdsOne(key.held, row.permissions);
  if (!may && status !== 403 && status !== 400) return 'not refused';
  const expands = /expand/.test(`${url} ${body}`);
  if (may && status === 403 && !expands) return 'refused, though the model allows it';
  return '';
}

/** Fires at random; what is wrong, and how often each status came. */
async function fireAtRandom(
  sandbox: Sandbox,
  count: number,
  complain: (shot: Shot, reply: Reply) => string,
): Promise<{ readonly complaints: readonly string[]; readonly statuses: ReadonlyMap<number, number> }> {
  const chance = new Chance(SEED);
  const keys = await makeKeys(sandbox, chance);
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  onTestFinished(() => agent.destroy());
  const complaints: string[] = [];
  const statuses = new Map<number, number>();
  for (let left = count; left > 0; left -= 16) {
    const shots = Array.from({ length: 16 }, () => shotOf(chance, keys));
    const replies = await Promise.all(
      shots.map((shot) => fire(sandbox.url, shot, agent).catch((error: Error) => error)),
    );
    for (const [index, reply] of replies.entries()) {
      const shot = shots[index] as Shot;
      const what = reply instanceof Error ? `no answer (${reply.message})` : complain(shot, reply);
      const status = reply instanceof Error ? 0 : reply.status;
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (what !== '') complaints.push(`${what}: ${status} ${inWords(shot)}`);
    }
  }
  expect(Object.prototype).not.toHaveProperty('a');
  expect((await fetch(`${sandbox.url}/v1/charges`)).status, 'it is alive').toBe(401);
  return { complaints, statuses };
}

describe('random requests', () => {
  it('never crash the sandbox, and never get more than a plain model would give', async () => {
    const sandbox = await startSandbox({ catalog });
    onTestFinished(() => sandbox.close());
    const { complaints, statuses } = await fireAtRandom(sandbox, REQUESTS, complaint);
    expect(complaints.slice(0, 10), `seed ${SEED}`).toEqual([]);
    // The shots must reach what they are aimed at: refusals, objects, parameters, lists.
    for (const status of [200, 400, 401, 403, 404]) {
      expect(statuses.get(status) ?? 0, `answers of ${status}`).toBeGreaterThan(REQUESTS / 100);
    }
  });

  it.skipIf(mock.missing)('get no more through the gate from a real stripe-mock', async () => {
    const upstream = await openStripeMock({ PATH: `${dirname(mock.file)}:/usr/bin:/bin` });
    onTestFinished(() => upstream.close());
    const sandbox = await startSandbox({ catalog, upstream: upstream.url });
    onTestFinished(() => sandbox.close());
    const { complaints, statuses } = await fireAtRandom(sandbox, REQUESTS, permissionComplaint);
    expect(complaints.slice(0, 10), `seed ${SEED}`).toEqual([]);
    expect(statuses.get(200) ?? 0).toBeGreaterThan(REQUESTS / 100);
  });
});

function inWords({ method, url, headers, body, key }: Shot): string {
  const { authorization: _, ...rest } = headers;
  return `${method} ${url} ${JSON.stringify(rest)} holds ${key?.held ?? 'all'}; body ${body?.toString('utf8').slice(0, 200)}`;
}
