import { describe, expect, it, onTestFinished } from 'vitest';
import {
  answerJson,
  type Handler,
  startFaultyServer,
  stripeError,
} from '../../test/support/faulty-server.ts';
import { SecretKey } from '../core/secret-key.ts';
import type { Observation } from '../core/verdict/observation.ts';
import { ObservingHttpClient, readUnauthorized } from './observe.ts';
import { createAgent, createStripeClient } from './stripe-client.ts';

/** Stands in every body; no observation may hold it. */
const MARKER = 'marker-in-the-body';
const KEY = 'rk_test_51observe';

async function observeAt(
  apiBase: string,
  { write = false, timeoutMs = 60_000 }: { write?: boolean; timeoutMs?: number } = {},
): Promise<Observation> {
  const agent = createAgent(apiBase, 1);
  onTestFinished(() => agent.destroy());
  const observer = new ObservingHttpClient(agent);
  const client = createStripeClient({
    key: SecretKey.of(KEY),
    apiBase,
    apiVersion: '2026-01-01.test',
    httpClient: observer.client,
    timeoutMs,
  });
  observer.reset();
  const error: unknown = await client
    .rawRequest(write ? 'POST' : 'GET', '/v1/charges', write ? { a: 'b' } : undefined)
    .then(
      () => undefined,
      (reason: unknown) => reason,
    );
  return observer.observe(error, write, { timeMs: 0, attempts: 1 });
}

const text =
  (status: number, body: string, headers: Record<string, string> = {}): Handler =>
  (_request, response) => {
    response.writeHead(status, headers);
    response.end(body);
  };
const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Handler =>
  (_request, response) =>
    answerJson(response, status, body, headers);

const ok = { requestId: 'req_test' };
const html = { 'content-type': 'text/html; charset=utf-8' };
const stripe = { 'content-type': 'application/json', 'request-id': 'req_test' };
const invalid = { errorType: 'invalid_request_error' };

type Row = readonly [
  name: string,
  handler: Handler,
  observation: Partial<Observation>,
  options?: { readonly write?: boolean },
];

const rows: readonly Row[] = [
  ['a list', json(200, { object: 'list', data: [{ id: MARKER }] }), { status: 200, ...ok }],
  ['a read tells no id', json(200, { id: 'ch_1', note: MARKER }), { status: 200, ...ok }],
  [
    'a write answered 200',
    json(200, { id: 'cus_1', note: MARKER }),
    { status: 200, ...ok, createdObject: 'cus_1' },
    { write: true },
  ],
  [
    'a write answered 200 with a body cut off',
    (_request, response) => {
      response.writeHead(200, { ...stripe, 'content-length': '1000' });
      response.write('{"id": "cus_1');
      setTimeout(() => response.destroy(), 10);
    },
    { status: 200, ...ok },
    { write: true },
  ],
  [
    'a write answered 200 with a body that is no JSON',
    text(200, MARKER, stripe),
    { status: 200, ...ok },
    { write: true },
  ],
  [
    'a write answered 200 with HTML',
    text(200, `<p>${MARKER}`, { ...html, 'request-id': 'req_test' }),
    { status: 200, ...ok, foreign: 'html' },
    { write: true },
  ],
  [
    'a refusal',
    json(
      403,
      stripeError(
        `The provided key '${MARKER}' does not have the required permissions for this endpoint on account 'acct_1'. Having the 'rak_charge_read' permission would allow this.`,
      ),
    ),
    { status: 403, ...ok, ...invalid, refusal: { dialect: 'a', named: ['charge_read'] } },
  ],
  ['a 403 in other words', json(403, stripeError(MARKER)), { status: 403, ...ok, ...invalid }],
  [
    'a missing object',
    json(404, stripeError(`No such charge: '${MARKER}'`, 'resource_missing')),
    { status: 404, ...ok, ...invalid, errorCode: 'resource_missing' },
  ],
  [
    'an invalid key, which the answer repeats',
    json(401, stripeError(`Invalid API Key provided: ${KEY} ${MARKER}`)),
    { status: 401, ...ok, ...invalid, unauthorized: 'invalid-key' },
  ],
  [
    'a rate limit with its reason',
    json(429, stripeError(MARKER, 'rate_limit'), { 'stripe-rate-limited-reason': 'endpoint-rate' }),
    { status: 429, ...ok, ...invalid, errorCode: 'rate_limit', rateLimitedReason: 'endpoint-rate' },
  ],
  [
    'a lock timeout',
    json(429, stripeError(MARKER, 'lock_timeout')),
    { status: 429, ...ok, ...invalid, errorCode: 'lock_timeout' },
  ],
  [
    'a 5xx',
    json(500, stripeError(MARKER, undefined, 'api_error')),
    { status: 500, ...ok, errorType: 'api_error' },
  ],

  [
    'sentences in place of code, type and reason',
    json(403, stripeError(MARKER, `${MARKER} with blanks`, `${MARKER}, too`), {
      'stripe-rate-limited-reason': `because of ${MARKER}`,
    }),
    { status: 403, ...ok },
  ],
  ['a code that is no text', json(400, { error: { code: 7, type: ['x'] } }), { status: 400, ...ok }],

  ['a redirect', text(302, '', { location: 'http://127.0.0.1:1/' }), { status: 302, foreign: 'redirect' }],
  ['a captive portal', text(200, `<p>${MARKER}</p>`, html), { status: 200, foreign: 'html' }],
  ['a proxy that says 403 in HTML', text(403, MARKER, html), { status: 403, foreign: 'html' }],
  ['a gateway that says 502 in HTML', text(502, MARKER, html), { status: 502, foreign: 'html' }],
  ['plain text', text(200, MARKER, { 'content-type': 'text/plain' }), { status: 200, foreign: 'not-json' }],
  ['an empty body', text(200, '', stripe), { status: 200, ...ok, foreign: 'not-json' }],
  ['truncated JSON', text(200, `{"data": ["${MARKER}`, stripe), { status: 200, ...ok, foreign: 'not-json' }],
  ['an error that is a string', json(403, { error: MARKER }), { status: 403, ...ok, foreign: 'not-stripe' }],
  ["a proxy's JSON", json(403, { message: MARKER }), { status: 403, ...ok, foreign: 'not-stripe' }],
  ['a list as JSON', json(200, [MARKER]), { status: 200, ...ok, foreign: 'not-stripe' }],
  ['null', json(200, null), { status: 200, ...ok, foreign: 'not-stripe' }],
  [
    'a right answer without Request-Id',
    text(200, '{"object": "list"}', { 'content-type': 'application/json' }),
    { status: 200, foreign: 'no-request-id' },
  ],
  [
    'a right refusal without Request-Id',
    text(403, JSON.stringify(stripeError(MARKER)), { 'content-type': 'application/json' }),
    { status: 403, foreign: 'no-request-id' },
  ],

  ['a reset before the answer', (request) => request.socket.resetAndDestroy(), { failure: 'reset' }],
  ['a connection closed before the answer', (request) => request.socket.destroy(), { failure: 'reset' }],
  [
    'a connection closed within the body',
    (_request, response) => {
      response.writeHead(200, { ...stripe, 'content-length': '1000' });
      response.write(`{"data": "${MARKER}`);
      setTimeout(() => response.destroy(), 10);
    },
    { failure: 'reset' },
  ],
  ['silence', () => {}, { failure: 'timeout' }],
  [
    'silence within the body',
    (_request, response) => {
      response.writeHead(200, stripe);
      response.write(`{"data": "${MARKER}`);
    },
    { failure: 'timeout' },
  ],
];

describe('ObservingHttpClient', () => {
  const cases = rows.map(([name, handler, expected, options = {}]) => ({ name, handler, expected, options }));
  it.each(cases)('$name', async ({ handler, expected, options }) => {
    const server = await startFaultyServer(handler);
    const isSilent = 'failure' in expected && expected.failure === 'timeout';
    const observation = await observeAt(server.url, { ...options, ...(isSilent ? { timeoutMs: 300 } : {}) });
    expect(observation).toEqual({ ...expected, timeMs: 0, attempts: 1 });
    expect(JSON.stringify(observation)).not.toContain(MARKER);
    expect(JSON.stringify(observation)).not.toContain(KEY);
    expect(server.requests).toHaveLength(1);
  });

  it.each([
    ['nothing listens', 'http://127.0.0.1:9', 'refused'],
    ['a name that does not exist', 'http://nonexistent.invalid', 'dns'],
  ])('%s', async (_name, url, failure) => {
    expect(await observeAt(url, { timeoutMs: 60_000 })).toEqual({ failure, timeMs: 0, attempts: 1 });
  });

  it('a server that speaks no TLS', async () => {
    const server = await startFaultyServer(json(200, {}));
    const observation = await observeAt(server.url.replace('http:', 'https:'));
    expect(observation).toMatchObject({ failure: 'tls' });
  });

  it('never takes a late answer for that of the next attempt', async () => {
    const server = await startFaultyServer((request, response) => {
      if (request.index === 0) setTimeout(() => answerJson(response, 200, { object: 'list' }), 60);
    });
    const agent = createAgent(server.url, 2);
    onTestFinished(() => agent.destroy());
    const observer = new ObservingHttpClient(agent);
    const client = createStripeClient({
      key: SecretKey.of(KEY),
      apiBase: server.url,
      apiVersion: '2026-01-01.test',
      httpClient: observer.client,
      timeoutMs: 200,
    });
    observer.reset();
    const first = client.rawRequest('GET', '/v1/charges').catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 20));
    observer.reset();
    const second: unknown = await client.rawRequest('GET', '/v1/payouts').catch((error: unknown) => error);
    await first;
    expect(observer.observe(second, false, { timeMs: 0, attempts: 2 })).toEqual({
      failure: 'timeout',
      timeMs: 0,
      attempts: 2,
    });
  });
});

describe('readUnauthorized', () => {
  it.each([
    ['Invalid API Key provided: rk_test_***', undefined, 'invalid-key'],
    ['Expired API Key provided: rk_test_***', undefined, 'expired-key'],
    ['anything', 'api_key_expired', 'expired-key'],
    ['The API key provided does not allow requests from your IP address.', undefined, 'ip-address'],
    [
      'This API call cannot be made with a publishable API key. Please use a secret API key.',
      undefined,
      'publishable-key',
    ],
    ['You did not provide an API key. You need to provide it.', undefined, 'no-key'],
    ['Unauthorized', undefined, 'other'],
  ])('%s (%s) is %s', (message, code, expected) => {
    expect(readUnauthorized(message, code)).toBe(expected);
  });
});
