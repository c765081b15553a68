import { createServer, type ServerResponse } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { SecretKey } from '../core/secret-key.ts';
import { boundedHttpClient, MOST_ANSWER_CHARACTERS } from './bounded-http-client.ts';
import { createStripeClient } from './stripe-client.ts';

async function asked(answer: (response: ServerResponse) => void, longestMs?: number): Promise<unknown> {
  const server = createServer((request, response) => {
    request.resume();
    response.on('error', () => {});
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const apiBase = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  const client = createStripeClient({
    key: SecretKey.of(`sk_test_${'plainlyFake'.repeat(2)}`),
    apiBase,
    apiVersion: '2026-08-26',
    httpClient: boundedHttpClient(apiBase, longestMs === undefined ? {} : { longestMs }),
  });
  return client.rawRequest('GET', '/v1/charges').catch((error: unknown) => error);
}

/** Writes for as long as somebody reads. */
function pour(response: ServerResponse, chunk: string): void {
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', more);
  more();
}

test('an answer of Stripe comes through', async () => {
  const answer = await asked((response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'request-id': 'req_1' });
    response.end('{"object":"list","data":[]}');
  });
  expect(answer).toMatchObject({ object: 'list' });
});

test('an answer without an end is broken off', async () => {
  let sent = 0;
  const error = await asked((response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const chunk = '"'.padEnd(100_000, 'x');
    response.write('{"data":');
    const write = response.write.bind(response) as (text: string) => boolean;
    response.write = ((text: string) => {
      sent += text.length;
      return write(text);
    }) as typeof response.write;
    pour(response, chunk);
  });
  expect(error).toBeInstanceOf(Error);
  expect(sent).toBeLessThan(MOST_ANSWER_CHARACTERS * 3);
});

test.each<[string, (response: ServerResponse) => void]>([
  ['that never comes', () => {}],
  [
    'that drips',
    (response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const drip = setInterval(() => response.write(' '), 10);
      response.on('close', () => clearInterval(drip));
    },
  ],
  [
    'whose headers drip',
    (response) => {
      response.socket?.write('HTTP/1.1 200 OK\r\n');
      const drip = setInterval(() => response.socket?.write('x: y\r\n'), 10);
      response.on('close', () => clearInterval(drip));
    },
  ],
])('an answer %s is given up', async (_name, answer) => {
  const error = await asked(answer, 200);
  expect(error).toMatchObject({ type: 'StripeConnectionError' });
});

test.each([
  ['https://api.stripe.com', true],
  ['http://127.0.0.1:1', true],
  ['http://127.8.8.8:1', true],
  ['http://localhost:1', true],
  ['http://[::1]:1', true],
  ['http://api.stripe.com', false],
  ['http://10.0.0.1', false],
  ['http://127.0.0.1.example.com', false],
  ['http://localhost.example.com', false],
  ['http://[::ffff:10.0.0.1]', false],
  ['http://0.0.0.0:1', false],
])('a live key may go to %s: %s', (apiBase, may) => {
  for (const key of ['sk_live_', 'rk_live_', 'sk_org_live_', 'of_another_form_']) {
    const client = () =>
      createStripeClient({ key: SecretKey.of(`${key}plainlyFake`), apiBase, apiVersion: '2026-08-26' });
    if (may) expect(client).not.toThrow();
    else expect(client).toThrow('in clear text');
  }
  const test = () =>
    createStripeClient({ key: SecretKey.of('sk_test_plainlyFake'), apiBase, apiVersion: '2026-08-26' });
  expect(test).not.toThrow();
});
