import { describe, expect, it } from 'vitest';
import { Catalog } from '../../core/catalog/catalog.ts';
import { catalogData } from '../../core/catalog/data/catalog.ts';
import type { ImportFormatName } from '../../core/draft/runs/import-format.ts';
import { formatOf, importFormats } from './formats.ts';
import type { ImportedCall } from './import-format.ts';

const catalog = new Catalog(catalogData);
const context = { catalog, hosts: ['stripe-proxy.internal'] };

function lines(...rows: readonly (string | object)[]): string {
  return rows.map((row) => `${typeof row === 'string' ? row : JSON.stringify(row)}\n`).join('');
}

const tail = (changes: object) => ({
  created_at: 1_764_000_000,
  livemode: false,
  method: 'GET',
  request_id: 'req_1',
  status: 200,
  url: '/v1/charges',
  error: { type: '', code: '', message: '' },
  ...changes,
});
const harEntry = (request: object, response: object = { status: 200 }) => ({
  startedDateTime: '2026-11-25T10:00:00.000Z',
  request: { method: 'GET', url: 'https://api.stripe.com/v1/charges', headers: [], ...request },
  response,
});
const span = (attributes: Readonly<Record<string, string | number>>) => ({
  startTimeUnixNano: '1764000000000000000',
  attributes: Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value },
  })),
});
const otlp = (...spans: readonly object[]) => ({
  resourceSpans: [{ scopeSpans: [{ spans }] }],
});
const guardRow = (event: object) => ({ seq: 1, time: '2026-11-25T10:00:00.000Z', prev: 'x', ...event });

type Row = readonly [
  name: string,
  format: ImportFormatName,
  text: string,
  calls: readonly Partial<ImportedCall>[],
  unread: readonly [line: number, why: RegExp][],
];

const ANOTHER_HOST = /another host \(--host NAME counts it\)/;

describe('what other programs wrote down', () => {
  it.each<Row>([
    [
      'stripe logs tail',
      'stripe-logs',
      lines(
        tail({}),
        tail({
          method: 'POST',
          url: '/v1/refunds',
          status: 403,
          error: { type: 'invalid_request_error', code: 'more_permissions_required' },
        }),
        'Getting ready...',
        tail({ url: '/ajax/x' }),
      ),
      [
        { method: 'GET', path: '/v1/charges', status: 200, time: 1_764_000_000_000 },
        { method: 'POST', path: '/v1/refunds', status: 403, code: 'more_permissions_required' },
      ],
      [
        [3, /no row with a method and a url/],
        [4, /no path of the API/],
      ],
    ],
    [
      "stripe-python's log, with other lines between",
      'sdk-log',
      lines(
        "message='Request to Stripe api' method=post url=https://api.stripe.com/v1/refunds",
        "message='Request to Stripe api' method=get url=https://api.stripe.com/v1/charges?limit=3",
        'a line of the agent',
        "message='Stripe API response' path=https://api.stripe.com/v1/charges?limit=3 response_code=200",
        "message='Stripe API response' path=https://api.stripe.com/v1/refunds response_code=402",
        "message='Request to Stripe api' method=get url=https://api.stripe.com/v1/balance",
        "message='Request to Stripe api' method=get url=https://example.com/v1/balance",
      ),
      [
        { method: 'get', path: '/v1/charges', status: 200, parameters: ['limit'] },
        { method: 'post', path: '/v1/refunds', status: 402 },
        { method: 'get', path: '/v1/balance' },
      ],
      [
        [3, /no line of a Stripe SDK/],
        [7, ANOTHER_HOST],
      ],
    ],
    [
      "stripe-ruby's log",
      'sdk-log',
      lines(
        'message="Request to Stripe API" account= api_version=2026-08-26 idempotency_key=k method=get num_retries=0 path="/v1/charges"',
        'message="Response from Stripe API" account= api_version=2026-08-26 elapsed=0.1 method=get path="/v1/charges" request_id=req_1 status=200',
      ),
      [{ method: 'get', path: '/v1/charges', status: 200 }],
      [],
    ],
    [
      'HAR: form, JSON, params, header, error',
      'har',
      JSON.stringify({
        log: {
          entries: [
            harEntry({ url: 'https://api.stripe.com/v1/charges?expand[]=data.customer&limit=3' }),
            harEntry(
              {
                method: 'POST',
                url: 'https://api.stripe.com/v1/refunds',
                headers: [{ name: 'Stripe-Account', value: 'acct_1' }],
                postData: { text: 'charge=ch_1&amount=500&currency=usd&expand[]=charge' },
              },
              { status: 402, content: { text: '{"error":{"code":"card_declined","type":"card_error"}}' } },
            ),
            harEntry({
              method: 'POST',
              url: 'https://api.stripe.com/v1/customers',
              postData: { params: [{ name: 'email', value: 'jane@example.com' }] },
            }),
            harEntry({
              method: 'POST',
              url: 'https://api.stripe.com/v2/core/accounts',
              postData: { text: '{"contact_email":"jane@example.com","include":["identity"]}' },
            }),
            harEntry({ url: 'https://example.com/v1/charges' }),
            { request: {} },
          ],
        },
      }),
      [
        { path: '/v1/charges', parameters: ['limit'], expand: ['data.customer'], account: false },
        {
          path: '/v1/refunds',
          account: true,
          parameters: ['charge', 'amount', 'currency'],
          expand: ['charge'],
          amount: 500,
          currency: 'usd',
          status: 402,
          code: 'card_declined',
        },
        { path: '/v1/customers', parameters: ['email'] },
        { path: '/v2/core/accounts', parameters: ['contact_email'], expand: ['identity'] },
      ],
      [
        [5, ANOTHER_HOST],
        [6, /no entry with a method and a url/],
      ],
    ],
    [
      'OTLP, new and old conventions',
      'otlp',
      JSON.stringify(
        otlp(
          span({
            'http.request.method': 'GET',
            'url.full': 'https://api.stripe.com/v1/charges/ch_1',
            'http.response.status_code': 404,
          }),
          span({
            'http.method': 'POST',
            'http.target': '/v1/refunds',
            'net.peer.name': 'api.stripe.com',
            'http.status_code': 200,
          }),
          span({ 'http.request.method': 'GET', 'url.path': '/v1/x', 'server.address': 'example.com' }),
          span({ 'db.system': 'postgresql' }),
        ),
      ),
      [
        { method: 'GET', path: '/v1/charges/ch_1', status: 404, time: 1_764_000_000_000 },
        { method: 'POST', path: '/v1/refunds', status: 200 },
      ],
      [
        [3, ANOTHER_HOST],
        [4, /no span of an HTTP call/],
      ],
    ],
    [
      'OTLP, a document a line',
      'otlp',
      lines(
        otlp(span({ 'http.request.method': 'GET', 'url.full': 'https://api.stripe.com/v1/charges' })),
        otlp(span({ 'http.request.method': 'GET', 'url.full': 'https://api.stripe.com/v1/balance' })),
      ),
      [{ path: '/v1/charges' }, { path: '/v1/balance' }],
      [],
    ],
    [
      "nginx's combined format",
      'access-log',
      lines(
        '10.0.0.1 - - [25/Nov/2026:10:00:00 +0000] "GET /v1/charges?limit=3 HTTP/1.1" 200 512 "-" "Stripe/v1"',
        '10.0.0.1 - - [25/Nov/2026:10:00:01 +0000] "GET /favicon.ico HTTP/1.1" 404 0 "-" "-"',
        'torn lin',
      ),
      [{ method: 'GET', path: '/v1/charges', status: 200, time: Date.UTC(2026, 10, 25, 10) }],
      [
        [2, /no path of the API/],
        [3, /no request line in quotes/],
      ],
    ],
    [
      "Envoy's default format, behind a prefix and a host of one's own",
      'access-log',
      lines(
        '[2026-11-25T10:00:00.000Z] "POST /stripe/v1/refunds HTTP/1.1" 402 - 10 20 30 28 "-" "-" "id" "api.stripe.com" "1.2.3.4:443"',
        '[2026-11-25T10:00:00.000Z] "GET http://stripe-proxy.internal/v1/charges HTTP/1.1" 200 - 0 0',
      ),
      [
        { method: 'POST', path: '/v1/refunds', status: 402, time: Date.UTC(2026, 10, 25, 10) },
        { method: 'GET', path: '/v1/charges', status: 200 },
      ],
      [],
    ],
    [
      "the guard's log: two rows for what moves money, one for the rest",
      'guard',
      lines(
        guardRow({ kind: 'start' }),
        guardRow({ kind: 'pass', run: 'r1', method: 'GET', path: '/v1/charges/{id}', status: 200 }),
        guardRow({
          kind: 'reserve',
          run: 'r1',
          reservation: 'a',
          method: 'POST',
          path: '/v1/refunds',
          amount: 500,
          currency: 'usd',
        }),
        guardRow({ kind: 'settle', run: 'r1', reservation: 'a', amount: 500, status: 200 }),
        guardRow({ kind: 'settle', run: 'r1', reservation: 'gone', amount: 1, status: 200 }),
        guardRow({
          kind: 'refuse',
          run: 'r1',
          method: 'POST',
          path: '/v1/charges',
          status: 403,
          code: 'keyaudit_operation_not_allowed',
        }),
        guardRow({
          kind: 'refuse',
          run: 'r1',
          method: 'POST',
          path: '/v1/refunds',
          status: 403,
          code: 'keyaudit_spend_cap_exceeded',
        }),
        guardRow({
          kind: 'reserve',
          run: 'r2',
          reservation: 'b',
          method: 'POST',
          path: '/v1/payouts',
          account: 'acct_1',
        }),
        'torn',
      ),
      [
        { method: 'GET', path: '/v1/charges/id', status: 200, run: 'r1', account: false },
        { method: 'POST', path: '/v1/refunds', status: 200, amount: 500, currency: 'usd', run: 'r1' },
        { method: 'POST', path: '/v1/charges', status: 403 },
        { method: 'POST', path: '/v1/refunds', status: 403, code: 'keyaudit_spend_cap_exceeded' },
        { method: 'POST', path: '/v1/payouts', run: 'r2', account: true },
      ],
      [
        [5, /the end of a call whose beginning is not there/],
        [9, /no row of the guard's log/],
      ],
    ],
    [
      "an MCP server's tools/list",
      'mcp-tools',
      JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        result: {
          tools: [
            { name: 'create_refund' },
            { name: 'list_customers' },
            { name: 'search_stripe_documentation' },
            { name: 'fetch_stripe_resources' },
            { name: 'order_pizza' },
          ],
        },
      }),
      [
        { method: 'POST', path: '/v1/refunds' },
        { method: 'GET', path: '/v1/customers' },
      ],
      [
        [4, /reaches whatever it is asked for/],
        [5, /no tool of Stripe's that is known/],
      ],
    ],
    [
      'a list, with comments and expansions',
      'list',
      lines(
        '# what the helper needs',
        'GET /v1/charges/:id?expand[]=customer',
        'refunds.create  # money',
        '',
        'POST /v1/ponies',
      ),
      [
        { method: 'GET', path: '/v1/charges/{id}', expand: ['customer'] },
        { method: 'POST', path: '/v1/refunds' },
      ],
      [[5, /no call that the catalog knows/]],
    ],
  ])('%s', (_name, format, text, calls, unread) => {
    expect(formatOf(text)).toBe(format);
    const read = importFormats[format].read(text, context);
    expect(read.calls).toEqual(calls.map((call) => expect.objectContaining(call)));
    expect(read.unread.map(({ line }) => line)).toEqual(unread.map(([line]) => line));
    for (const [index, [, why]] of unread.entries()) expect(read.unread[index]?.why).toMatch(why);
  });

  it.each(['', 'hello', '{}', '[]', '{"a":1}', '<xml/>', '\u0000\u0001'])('%j is no format', (text) => {
    expect(formatOf(text)).toBeUndefined();
  });

  it.each(Object.entries(importFormats))(
    '%s reads whatever it is given without an error',
    (_name, format) => {
      const odd = [
        '',
        '{}',
        'null\n[]\n"x"\n{"a":',
        '{"log":{"entries":[null,1,{"request":{"method":1,"url":{}}}]}}',
        '{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":"x"},{"attributes":[{"key":1}]}]}]}]}',
        '{"result":{"tools":[{"name":7},null,{"name":"__proto__"}]}}',
        '{"seq":1,"kind":"reserve","reservation":7,"method":[]}',
        '{"method":"GET","url":"http://[::1","request_id":1,"status":"x"}',
        'GET /v1/charges/%E0%A4%A?expand[]=%ff\n'.repeat(3),
      ];
      for (const text of odd) {
        for (const call of format.read(text, context).calls) expect(typeof call.method).toBe('string');
      }
    },
  );
});
