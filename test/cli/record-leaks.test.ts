import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { NODE, runCli, runProgram, temporaryFolder } from '../support/run-cli.ts';

/** In every place where a value can stand; no file and no output of a recording may hold it. */
const MARKER = /zq/i;

/** Answers each call with a refusal full of markers. */
async function markedServer(): Promise<{ url: string; seen: string[] }> {
  const seen: string[] = [];
  const server = createServer(async (request, response) => {
    seen.push(`${request.method} ${request.url} ${request.rawHeaders.join(' ')} ${await text(request)}`);
    response.writeHead(400, { 'request-id': 'req_zq', 'zq-header': 'zq', 'set-cookie': 'zq=zq' });
    response.end(
      JSON.stringify({ error: { type: 'zq_error', code: 'zq_code', message: 'zq', param: 'zq', zq: 'zq' } }),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const CALLS = `[
  ['GET', '/v1/customers/cus_zq?limit=1&zqname=zq&expand[]=zq.zq&expand[zq]=data.zq&metadata[zq]=zq'],
  ['GET', '/v1/zq/zq%20zq/search?query=email:"zq@zq.zq"'],
  ['POST', '/v1/customers', 'email=zq@zq.zq&name=Zq+Zq&metadata[zq]=zq&zq[zq][]=zq&expand[]=zq&amount=5&currency=zqz'],
  ['POST', '/v1/payment_methods', 'card[number]=zq4242424242424242&zq'],
  ['POST', '/v2/core/accounts', JSON.stringify({ contact_email: 'zq', zq: { zq: 'zq' }, include: ['zq'], amount: { value: 'zq', currency: 'zqz' } }), 'application/json'],
  ['POST', '/v1/files', '--zq\\r\\nContent-Disposition: form-data; name="zq"; filename="zq.png"\\r\\n\\r\\nzq\\r\\n--zq--\\r\\n', 'multipart/form-data; boundary=zq'],
  ['POST', '/v2/core/accounts', '{ zq torn', 'application/json; zq=zq'],
]`;

/** By fetch and by node:http; it prints what the hook has written so far. */
const AGENT = `
const http = require('node:http'); const { once } = require('node:events'); const fs = require('node:fs');
(async () => {
  for (const [method, path, body, type = 'application/x-www-form-urlencoded'] of ${CALLS}) {
    const headers = { authorization: 'Bearer rk_test_zq', 'stripe-account': 'acct_zq', 'idempotency-key': 'zq', 'user-agent': 'zq', 'zq-zq': 'zq', 'content-type': type };
    const base = process.env.KEYAUDIT_API_BASE;
    await (await fetch(base + path, { method, headers, body })).text();
    const sent = http.request(base + path, { method, headers }).end(body);
    const [answer] = await once(sent, 'response');
    for await (const _chunk of answer);
  }
  if (process.env.KEYAUDIT_RECORD_NOTES) console.log(fs.readFileSync(process.env.KEYAUDIT_RECORD_NOTES, 'utf8'));
})();`;

async function everything(cwd: string): Promise<string> {
  const entries = await readdir(join(cwd, '.keyaudit'), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = await Promise.all(
    files.map(({ name, parentPath }) => readFile(join(parentPath, name), 'utf8')),
  );
  expect(texts.length).toBeGreaterThan(0);
  const runs = [
    await runCli(['record', 'show'], { cwd }),
    await runCli(['record', 'show', '--format', 'json'], { cwd }),
    await runCli(['record', 'profile'], { cwd }),
    await runCli(['record', 'profile', '--format', 'json'], { cwd }),
    await runCli(['record', 'unused', 'refund-agent', '--name', 'agent', '--format', 'json'], { cwd }),
  ];
  return [...texts, ...runs.map(({ stdout, stderr }) => stdout + stderr)].join('\n');
}

describe('secrets and personal data in every place of request and answer', () => {
  it.each(['preload', 'base'])('are in no file and no output: --via %s', async (via) => {
    const cwd = await temporaryFolder();
    const { url, seen } = await markedServer();
    await writeFile(join(cwd, 'agent.cjs'), AGENT);
    const run = await runProgram(['record', '--via', via, '--', NODE, 'agent.cjs'], {
      cwd,
      env: { KEYAUDIT_API_BASE: url },
    });
    expect(run.exitCode, run.stderr).toBe(0);
    expect(seen).toHaveLength(14);
    for (const call of seen) expect(call).toMatch(MARKER);
    const all = `${run.stdout}${run.stderr}${await everything(cwd)}`;
    expect(all).toContain('customers.create');
    expect(all).toContain('v2.core.accounts.create');
    expect(all).not.toMatch(MARKER);
  });

  it.each<[string, string]>([
    [
      'stripe logs tail',
      JSON.stringify({
        request_id: 'req_zq',
        method: 'GET',
        url: '/v1/customers/cus_zq?email=zq&zq=1',
        status: 400,
        error: { code: 'zq_code', type: 'zq', message: 'zq' },
      }),
    ],
    [
      'HAR',
      JSON.stringify({
        log: {
          entries: [
            {
              comment: 'zq',
              request: {
                method: 'POST',
                url: 'https://api.stripe.com/v1/customers/cus_zq?zq=zq',
                headers: [{ name: 'Authorization', value: 'Bearer rk_test_zq' }],
                cookies: [{ name: 'zq', value: 'zq' }],
                postData: { text: 'email=zq&metadata[zq]=zq&zq=zq&expand[]=zq' },
              },
              response: { status: 400, content: { text: '{"error":{"code":"zq_zq","message":"zq"}}' } },
            },
            { request: { method: 'POST', url: 'https://zq.example/zq' } },
          ],
        },
      }),
    ],
    [
      'OTLP',
      JSON.stringify({
        resourceSpans: [
          {
            scopeSpans: [
              {
                spans: [
                  {
                    name: 'zq',
                    attributes: [
                      { key: 'http.request.method', value: { stringValue: 'GET' } },
                      {
                        key: 'url.full',
                        value: { stringValue: 'https://api.stripe.com/v1/customers/cus_zq?q=zq' },
                      },
                      { key: 'zq', value: { stringValue: 'zq' } },
                    ],
                  },
                ],
              },
            ],
          },
        ],
      }),
    ],
    [
      'STRIPE_LOG=debug, with bodies',
      `message='Request to Stripe api' method=post url=https://api.stripe.com/v1/customers/cus_zq?zq=zq\nmessage='Post details' post_data='email=zq&zq=zq' api_version=zq\nmessage='Stripe API response' path=https://api.stripe.com/v1/customers/cus_zq?zq=zq response_code=400\nmessage='API response body' body='{"id":"zq"}'\nzq\n`,
    ],
    [
      'access log',
      `zq - zq [25/Nov/2026:10:00:00 +0000] "GET /v1/customers/cus_zq?email=zq HTTP/1.1" 400 1 "zq" "zq"\nzq zq\n`,
    ],
    ['list', 'GET /v1/customers/cus_zq?expand[]=zq\nzq\nGET /v1/zq\n'],
  ])('are in no file and no output: imported from %s', async (_name, input) => {
    const cwd = await temporaryFolder();
    const run = await runCli(['record', 'import', '-'], { cwd, input });
    expect(run.exitCode, run.stderr).toBe(0);
    const all = `${run.stdout}${run.stderr}${await everything(cwd)}`;
    expect(all).toMatch(/customers\.(?:retrieve|update|create)/);
    expect(all).not.toMatch(MARKER);
  });
});
