import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { GUARD_CODES } from '../../src/core/spend/exposure/guard-codes.ts';
import { refusalAnswer } from '../../src/guard/refusal.ts';
import { answerJson, type FaultyServer, startFaultyServer } from '../support/faulty-server.ts';
import { type AskOptions, type Form, type GuardScene, guardScene } from '../support/guard-scene.ts';

/** A role that may move money in many ways, so that what is refused is refused for what it says. */
const CASHIER = `
permissions: { charges: write, refunds: write, customers: write, payment_intents: write, payouts: write }
widening: report
guard:
  repeat: allow
  accounts: [acct_ours]
  caps:
    - { per: run, amount: [900.00 usd, 90000 jpy, 900.000 bhd, 900.00 huf, 900.00 isk] }
`;

const CHARGE = {
  id: 'ch_1',
  object: 'charge',
  amount: 100_000,
  amount_refunded: 0,
  currency: 'usd',
  customer: 'cus_1',
  captured: true,
  amount_captured: 100_000,
  status: 'succeeded',
};

/** Answers as Stripe does to whatever comes; what it saw tells what went through. */
async function stub(): Promise<FaultyServer> {
  return startFaultyServer((request, response) => {
    if (request.url?.startsWith('/v1/charges/') && request.method === 'GET')
      return answerJson(response, 200, CHARGE);
    const form = new URLSearchParams(request.body);
    answerJson(response, 200, {
      id: 'x_1',
      object: 'thing',
      amount: Number(form.get('amount') ?? 0),
      currency: form.get('currency') ?? 'usd',
      status: 'succeeded',
    });
  });
}

async function scene(
  text = CASHIER,
): Promise<GuardScene & { upstream: FaultyServer; writes(): readonly string[] }> {
  const upstream = await stub();
  const made = await guardScene({ profiles: { cashier: text }, upstream: upstream.url });
  await made.issue();
  const writes = () =>
    upstream.requests.filter(({ method }) => method !== 'GET').map(({ url, body }) => `${url} ${body}`);
  return { ...made, upstream, writes };
}

const used = ({ guard }: GuardScene, currency: string) =>
  [...guard.store.book.counters()]
    .filter(([name]) => name.endsWith(` ${currency}`))
    .reduce((sum, [, value]) => sum + value, 0);

/** What an answer must be: its status, and the code of a refusal. */
type Row = readonly [
  name: string,
  line: string,
  form: Form | undefined,
  options: AskOptions,
  status: number,
  code?: string,
];
const FORM = 'application/x-www-form-urlencoded';
const type = (value: string): AskOptions => ({ headers: { 'content-type': value } });

const AMBIGUOUS = 'keyaudit_ambiguous_request';
const REFUSED: readonly Row[] = [
  [
    'case 26: money for an account that is not named',
    'POST /v1/payment_intents',
    'amount=1&currency=usd&confirm=true&transfer_data[destination]=acct_theirs',
    {},
    403,
    'keyaudit_operation_not_allowed',
  ],
  [
    'case 27: a currency without a cap',
    'POST /v1/payouts',
    'amount=100&currency=eur',
    {},
    403,
    'keyaudit_currency_not_capped',
  ],
  ['case 29: a currency with a blank', 'POST /v1/payouts', 'amount=1&currency=+usd', {}, 400, AMBIGUOUS],
  [
    'case 29: a currency with a zero byte',
    'POST /v1/payouts',
    'amount=1&currency=usd%00',
    {},
    400,
    AMBIGUOUS,
  ],
  ['case 29: no currency', 'POST /v1/payouts', 'amount=1', {}, 403, 'keyaudit_amount_unknown'],
  ...[
    'amount=1&amount=100000',
    'amount[]=1',
    'amount[0]=1',
    '%61mount=1',
    'amount=1e5',
    'amount=%2B1',
    'amount=+1',
    'amount=１００',
    'amount=%EF%BC%91',
    'amount=0100',
    'amount=100.0',
    'amount=0x10',
    'amount=-1',
    'amount=1&amount[]=100000',
  ].map(
    (text): Row => [
      `case 30: ${text}`,
      'POST /v1/payouts',
      `${text}&currency=usd`,
      {},
      /^amount\[0?\]=1$/.test(text) ? 403 : 400,
    ],
  ),
  [
    'case 31: a query beside the body',
    'POST /v1/refunds?amount=100000',
    'charge=ch_1&amount=1',
    {},
    400,
    AMBIGUOUS,
  ],
  [
    'case 32: multipart',
    'POST /v1/refunds',
    'charge=ch_1',
    type('multipart/form-data; boundary=x'),
    400,
    AMBIGUOUS,
  ],
  [
    'case 32: JSON',
    'POST /v1/refunds',
    '{"charge":"ch_1","amount":1}',
    type('application/json'),
    400,
    AMBIGUOUS,
  ],
  [
    'case 32: another charset',
    'POST /v1/refunds',
    'charge=ch_1&amount=1',
    type(`${FORM}; charset=utf-16`),
    400,
    AMBIGUOUS,
  ],
  ['case 32: plain text', 'POST /v1/refunds', 'charge=ch_1&amount=1', type('text/plain'), 400, AMBIGUOUS],
  [
    'case 32: compressed',
    'POST /v1/refunds',
    'charge=ch_1',
    { headers: { 'content-encoding': 'gzip', 'content-type': FORM } },
    400,
    AMBIGUOUS,
  ],
  ['case 32: a method in the body', 'POST /v1/refunds', 'charge=ch_1&_method=delete', {}, 400, AMBIGUOUS],
  [
    'case 33: deep brackets',
    'POST /v1/refunds',
    `charge=ch_1&metadata${'[a]'.repeat(13)}=1`,
    {},
    400,
    AMBIGUOUS,
  ],
  [
    'case 33: 100,000 fields',
    'POST /v1/refunds',
    Array.from({ length: 100_000 }, (_, n) => `a${n}=1`).join('&'),
    {},
    400,
    AMBIGUOUS,
  ],
  ['case 33: a prototype', 'POST /v1/refunds', 'charge=ch_1&__proto__[amount]=1', {}, 400, AMBIGUOUS],
  [
    'case 33: 2 MiB',
    'POST /v1/refunds',
    `charge=ch_1&description=${'x'.repeat(2 * 1024 * 1024)}`,
    {},
    400,
    AMBIGUOUS,
  ],
  ['case 34: a slash at the end', 'POST /v1/refunds/', 'charge=ch_1&amount=1', {}, 400, AMBIGUOUS],
  ['case 34: two slashes', 'POST /v1//refunds', 'charge=ch_1&amount=1', {}, 400, AMBIGUOUS],
  ['case 34: in capitals', 'POST /V1/refunds', 'charge=ch_1&amount=1', {}, 403, 'keyaudit_unknown_operation'],
  ['case 34: a slash in disguise', 'POST /v1/refunds%2f', 'charge=ch_1&amount=1', {}, 400, AMBIGUOUS],
  [
    'case 34: dots in disguise',
    'POST /v1/charges/%2e%2e%2frefunds',
    'charge=ch_1&amount=1',
    {},
    400,
    AMBIGUOUS,
  ],
  ['case 34: a semicolon', 'POST /v1/refunds;x', 'charge=ch_1&amount=1', {}, 400, AMBIGUOUS],
  [
    'case 34: the prefix twice',
    'POST /stripe/stripe/v1/refunds',
    'charge=ch_1&amount=1',
    {},
    403,
    'keyaudit_unknown_operation',
  ],
  ['case 34: escapes twice', 'GET /v1/charges/ch_1%252e', undefined, {}, 400, AMBIGUOUS],
  [
    'case 35: an operation that nobody knows',
    'POST /v1/ponies',
    'amount=1',
    {},
    403,
    'keyaudit_unknown_operation',
  ],
  [
    'case 35: a method that nobody knows',
    'PUT /v1/refunds',
    'amount=1',
    {},
    403,
    'keyaudit_unknown_operation',
  ],
  [
    'case 35: a preview version',
    'POST /v1/refunds',
    'charge=ch_1&amount=1',
    { headers: { 'stripe-version': '2026-08-26.preview' } },
    403,
    'keyaudit_operation_not_allowed',
  ],
  [
    'case 65: an account that is not named',
    'GET /v1/charges',
    undefined,
    { headers: { 'stripe-account': 'acct_theirs' } },
    403,
    'keyaudit_operation_not_allowed',
  ],
  [
    'case 65: a context',
    'GET /v1/charges',
    undefined,
    { headers: { 'stripe-context': 'acct_ours' } },
    403,
    'keyaudit_operation_not_allowed',
  ],
  [
    'case 65: both',
    'GET /v1/charges',
    undefined,
    { headers: { 'stripe-context': 'acct_x', 'stripe-account': 'acct_ours' } },
    403,
    'keyaudit_operation_not_allowed',
  ],
  [
    'a run key that nobody knows',
    'GET /v1/charges',
    undefined,
    { key: 'rk_guard_test_x' },
    401,
    'keyaudit_run_unknown',
  ],
  ['a Stripe key', 'GET /v1/charges', undefined, { key: 'rk_test_abc' }, 401, 'keyaudit_run_unknown'],
  [
    'an expansion that is not asked for',
    'GET /v1/charges/ch_1?expand[]=invoice',
    undefined,
    {},
    403,
    'keyaudit_operation_not_allowed',
  ],
  ['a GET with two readings', 'GET /v1/charges?limit=1&limit=2', undefined, {}, 400, AMBIGUOUS],
];

describe('what can be read in two ways, or is not asked for', () => {
  it.each(REFUSED.map((row) => [row[0], row] as const))(
    '%s',
    async (_name, [, line, form, options, status, code]) => {
      const shared = await scene();
      const answer = await shared.ask(line, form, options);
      expect([answer.status, answer.body.error.code]).toEqual([status, code ?? answer.body.error.code]);
      expect(shared.writes()).toEqual([]);
      expect(used(shared, 'usd')).toBe(0);
      // Every refusal says what was asked, that nothing was sent, and its code.
      const { message, type: kind } = answer.body.error;
      expect(message).toContain(`(${answer.body.error.code})`);
      expect(message).toMatch(/Nothing was sent to Stripe\. \S/);
      expect(kind).toBe('invalid_request_error');
      expect(answer.headers.get('stripe-should-retry')).toBe('false');
      expect(answer.headers.get('request-id')).toMatch(/^req_guard_/);
    },
  );
});

describe('what a refusal says', () => {
  it.each(GUARD_CODES)(
    'case 70: %s: what was asked, its code, whether anything was sent, what to do',
    (code) => {
      const { body } = refusalAnswer({ code, why: 'so much asked' }, 'refunds.create', 'docs/guard.md');
      const { error } = body as { error: { message: string; doc_url: string } };
      const { message, doc_url } = error;
      expect(message).toContain(`keyaudit guard refused refunds.create (${code}): so much asked.`);
      expect(message.includes('Nothing was sent to Stripe.')).toBe(code !== 'keyaudit_outcome_unknown');
      expect(message).toMatch(/\. [A-Z][^.]+\.$/);
      expect(doc_url).toBe(`docs/guard.md#${code}`);
    },
  );

  it('names the call that was refused, though only its key was looked at', async () => {
    const { ask } = await scene();
    const { message } = (await ask('POST /v1/payouts', 'amount=1', { key: 'rk_test_1' })).body.error;
    expect(message).toContain('refused payouts.create (keyaudit_run_unknown)');
    const { message: unknown } = (await ask('POST /v1/ponies', 'amount=1')).body.error;
    expect(unknown).toContain('refused POST /v1/ponies');
  });

  it('case 70: what a cap leaves', async () => {
    const { ask } = await scene();
    expect((await ask('POST /v1/payouts', { amount: 88_750, currency: 'usd' })).status).toBe(200);
    const { message } = (await ask('POST /v1/payouts', { amount: 8_000, currency: 'usd' })).body.error;
    expect(message).toContain('payouts.create');
    expect(message).toContain('80.00 usd asked, 12.50 usd left of 900.00 usd per run');
  });
});

describe('what is read', () => {
  it('case 27: 5,000 yen are 5000, case 28: three decimals and whole forints as on the wire', async () => {
    const made = await scene();
    for (const [amount, currency] of [
      [5000, 'jpy'],
      [1500, 'bhd'],
      [40_000, 'huf'],
      [500, 'isk'],
    ] as const) {
      expect((await made.ask('POST /v1/payouts', { amount, currency })).status).toBe(200);
      expect(used(made, currency)).toBe(amount);
    }
  });

  it('case 29: a currency in capitals takes from the same counter', async () => {
    const made = await scene();
    expect((await made.ask('POST /v1/payouts', 'amount=7&currency=USD')).status).toBe(200);
    expect((await made.ask('POST /v1/payouts', 'amount=5&currency=usd')).status).toBe(200);
    expect(used(made, 'usd')).toBe(12);
  });

  it('case 34: the prefix once is the same call', async () => {
    const made = await scene();
    expect((await made.ask('POST /stripe/v1/payouts', 'amount=7&currency=usd')).status).toBe(200);
    expect(made.writes()).toEqual(['/v1/payouts amount=7&currency=usd']);
  });

  it('case 32: a method override is stripped, case 36 and 37: only our headers go on, each once', async () => {
    const made = await scene();
    const headers = {
      cookie: 'a=b',
      'x-forwarded-for': '1.2.3.4',
      forwarded: 'for=1.2.3.4',
      'x-http-method-override': 'DELETE',
      'idempotency-key': 'k1',
      'stripe-version': '2026-10-28.endive',
      'user-agent': 'Stripe/v1 NodeBindings/23.1.0',
      origin: 'http://evil',
    };
    expect((await made.ask('POST /v1/payouts', 'amount=7&currency=usd', { headers })).status).toBe(200);
    const [seen] = made.upstream.requests;
    const names = Object.keys(seen?.headers ?? {}).sort();
    expect(names).toEqual([
      'accept',
      'accept-encoding',
      'accept-language',
      'authorization',
      'connection',
      'content-length',
      'content-type',
      'host',
      'idempotency-key',
      'stripe-version',
      'user-agent',
    ]);
    expect(seen?.headers).toMatchObject({
      authorization: 'Bearer rk_test_upstream',
      'idempotency-key': 'k1',
      'accept-encoding': 'identity',
    });
    expect(seen?.body).toBe('amount=7&currency=usd');
  });

  it('adds an idempotency key to a POST without one', async () => {
    const made = await scene();
    await made.ask('POST /v1/payouts', 'amount=7&currency=usd');
    expect(made.upstream.requests[0]?.headers['idempotency-key']).toMatch(/^keyaudit-rsv_/);
  });

  it('case 63: metadata, headers and names of other profiles change no counter', async () => {
    const made = await scene();
    const { key, run } = await made.issue();
    const headers = { 'x-run': 'run_0', 'keyaudit-run': 'run_0' };
    await made.ask('POST /v1/payouts', 'amount=7&currency=usd&metadata[run]=run_0&metadata[profile]=other', {
      key,
      headers,
    });
    expect([...made.guard.store.book.counters().keys()]).toEqual([
      `sandbox test cashier per run run ${run} usd`,
    ]);
  });
});

/** Sends bytes as they are. @returns all that came back within a moment, or until the end */
async function raw(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  const chunks: Buffer[] = [];
  const ended = new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      if (/\r\n\r\n/.test(Buffer.concat(chunks).toString('latin1'))) setTimeout(resolve, 50);
    });
    socket.on('close', () => resolve());
    socket.on('error', () => resolve());
  });
  socket.write(text);
  await ended;
  return Buffer.concat(chunks).toString('latin1');
}

describe('answers that are no objects', () => {
  const QUOTES = 'permissions: { quotes: write }\nguard: { caps: [{ per: run, amount: 5.00 usd }] }\n';

  async function answering(type: string, bytes: Buffer) {
    const upstream = await startFaultyServer((_request, response) => {
      response.writeHead(200, { 'content-type': type, 'request-id': 'req_1' });
      response.write(bytes.subarray(0, 4));
      setTimeout(() => response.end(bytes.subarray(4)), 30);
    });
    const made = await guardScene({ profiles: { quoter: QUOTES }, upstream: upstream.url });
    const { key } = await made.issue();
    return (path: string) => fetch(`${made.url}${path}`, { headers: { authorization: `Bearer ${key}` } });
  }

  it('a file comes through byte for byte, where no money moves', async () => {
    const bytes = Buffer.from([0x25, 0x50, 0x44, 0x46, 0, 255, 254, 10, 13]);
    const get = await answering('application/pdf', bytes);
    const answer = await get('/v1/quotes/qt_1/pdf');
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/pdf']);
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(bytes);
  });

  it('what says that it is JSON and is none does not, nor does a page', async () => {
    for (const type of ['application/json', 'text/html'])
      expect((await (await answering(type, Buffer.from('{"id":"qt_1"')))('/v1/quotes/qt_1')).status).toBe(
        504,
      );
  });
});

describe('versions', () => {
  const OLD = CASHIER.replace('payouts: write }', 'payouts: write, invoices: write }').replace(
    'repeat: allow',
    'repeat: allow\n  versions: [2024-06-20, 2018-11-08]',
  );
  const of = (version: string): AskOptions => ({ headers: { 'stripe-version': version } });

  it('what an older version expands is read as that version has it', async () => {
    const made = await scene(OLD);
    const line = 'GET /v1/invoices/in_1?expand[]=payment_intent';
    expect((await made.ask(line, undefined, of('2024-06-20'))).status).toBe(200);
    expect((await made.ask(line)).body.error.code).toBe('keyaudit_operation_not_allowed');
    // What it reaches must be asked for all the same.
    const without = await scene(OLD.replace('payment_intents: write, ', ''));
    expect((await without.ask(line, undefined, of('2024-06-20'))).body.error.code).toBe(
      'keyaudit_operation_not_allowed',
    );
  });

  it('a version that nobody has read is refused, though the profile names it', async () => {
    const made = await scene(OLD);
    const answer = await made.ask('POST /v1/customers/cus_1', 'account_balance=-100000', of('2018-11-08'));
    expect([answer.status, answer.body.error.code]).toEqual([403, 'keyaudit_operation_not_allowed']);
    expect(made.writes()).toEqual([]);
  });
});

describe('bytes', () => {
  const post = (key: string, headers: string, body: string, target = '/v1/payouts') =>
    `POST ${target} HTTP/1.1\r\nHost: guard\r\nAuthorization: Bearer ${key}\r\nContent-Type: ${FORM}\r\n${headers}\r\n${body}`;
  const BODY = 'amount=7&currency=usd';
  const LENGTH = `Content-Length: ${BODY.length}\r\n`;

  it('case 34: an absolute target is refused', async () => {
    const made = await scene();
    const { key } = await made.issue();
    const answer = await raw(made.url, post(key, LENGTH, BODY, 'http://api.stripe.com/v1/payouts'));
    expect(answer).toMatch(/^HTTP\/1.1 400/);
    expect(made.writes()).toEqual([]);
  });

  it.each([
    ['a length beside chunks', `${LENGTH}Transfer-Encoding: chunked\r\n`, `0\r\n\r\n`],
    ['a folded header', `X: a\r\n b\r\nIdempotency-Key:\r\n k1\r\n${LENGTH}`, BODY],
    ['two lengths', `${LENGTH}Content-Length: 3\r\n`, BODY],
    ['a bare line feed', `X: a\nContent-Length: 3\r\n${LENGTH}`, BODY],
  ])('case 36: %s is refused', async (_name, headers, body) => {
    const made = await scene();
    const { key } = await made.issue();
    expect(await raw(made.url, post(key, headers, body))).toMatch(/^HTTP\/1.1 400/);
    expect(made.writes()).toEqual([]);
  });

  it('case 36: Connection cannot name away what the guard sends', async () => {
    const made = await scene();
    const { key } = await made.issue();
    const headers = `Connection: idempotency-key, authorization, close\r\nIdempotency-Key: k1\r\nHost: other\r\n${LENGTH}`;
    await raw(made.url, post(key, headers, BODY));
    expect(made.upstream.requests[0]?.headers).toMatchObject({
      authorization: 'Bearer rk_test_upstream',
      'idempotency-key': 'k1',
      host: new URL(made.upstream.url).host,
    });
  });

  it('case 38: an unknown run key is 401 without the body', async () => {
    const made = await scene();
    const answer = await raw(
      made.url,
      post('rk_guard_test_x', `Expect: 100-continue\r\nContent-Length: 1000000\r\n`, ''),
    );
    expect(answer).toMatch(/^HTTP\/1.1 401/);
    expect(answer).not.toMatch(/100 Continue/);
    const { key } = await made.issue();
    expect(await raw(made.url, post(key, `Expect: 100-continue\r\n${LENGTH}`, BODY))).toMatch(
      /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200/,
    );
  });
});
