import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { answerJson, type Handler, startFaultyServer, stripeError } from '../support/faulty-server.ts';
import { guardedSandbox, guardScene } from '../support/guard-scene.ts';

const REFUNDS = `
permissions: { charges: read, refunds: write, customers: read }
accept: [{ operations: [charges.create, charges.update, charges.capture], reason: shared }]
guard: { caps: [{ per: run, amount: 500.00 usd }] }
`;
const CAPTURE = `
permissions: { payment_intents: write, charges: read }
guard: { caps: [{ per: run, amount: 500.00 usd }] }
`;
const CHARGE = {
  id: 'ch_1',
  object: 'charge',
  amount: 10_000,
  amount_refunded: 0,
  captured: true,
  amount_captured: 10_000,
  currency: 'usd',
  status: 'succeeded',
};
const REFUND = { id: 're_1', object: 'refund', amount: 1_000, currency: 'usd', status: 'succeeded' };
const FORM = { charge: 'ch_1', amount: 1_000 };

/** A guard before a Stripe that answers the n-th refund as the n-th of these. */
async function beforeStripe(
  answers: readonly Handler[],
  options: { timeoutMs?: number; profile?: string } = {},
) {
  const posts: string[] = [];
  const upstream = await startFaultyServer((request, response) => {
    if (request.method === 'GET') return answerJson(response, 200, CHARGE);
    const index = posts.push(`${request.headers['idempotency-key']} ${request.body}`) - 1;
    (answers[index] ?? refund)(request, response);
  });
  const made = await guardScene({
    profiles: { agent: options.profile ?? REFUNDS },
    upstream: upstream.url,
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  });
  const { key } = await made.issue();
  const { book } = made.guard.store;
  return {
    ...made,
    key,
    posts,
    upstream,
    ask: (form: typeof FORM | string = FORM, idempotencyKey?: string) =>
      made.ask('POST /v1/refunds', form, {
        key,
        ...(idempotencyKey === undefined ? {} : { headers: { 'idempotency-key': idempotencyKey } }),
      }),
    counted: () => [...book.counters().values()].reduce((sum, value) => sum + value, 0),
    held: () => [...book.open.values()].map(({ state }) => state),
  };
}

const refund: Handler = (_request, response) => answerJson(response, 200, REFUND);
const replay: Handler = (_request, response) =>
  answerJson(response, 200, REFUND, { 'idempotent-replayed': 'true' });
const cut: Handler = (request) => void request.socket.destroy();
const error =
  (status: number, code?: string, type?: string): Handler =>
  (_request, response) =>
    answerJson(response, status, stripeError('no', code, type));
const raw =
  (write: (response: ServerResponse) => void): Handler =>
  (_request, response) =>
    write(response);

/** After one answer: what the agent gets, what is counted, and what is held. */
const ONE: readonly (readonly [
  name: string,
  answer: Handler,
  status: number,
  code: string | undefined,
  counted: number,
  held: number,
])[] = [
  ['a refund', refund, 200, undefined, 1_000, 0],
  [
    'case 44: a refund on its way',
    (_q, r) => answerJson(r, 200, { ...REFUND, status: 'pending' }),
    200,
    undefined,
    1_000,
    0,
  ],
  [
    'less than was reserved',
    (_q, r) => answerJson(r, 200, { ...REFUND, amount: 400 }),
    200,
    undefined,
    400,
    0,
  ],
  ['case 42: a decline', error(402, 'card_declined', 'card_error'), 402, 'card_declined', 0, 0],
  ['a bad request', error(400, 'parameter_invalid_integer'), 400, 'parameter_invalid_integer', 0, 0],
  ['a refusal', error(403), 403, undefined, 0, 0],
  ['not there', error(404, 'resource_missing'), 404, 'resource_missing', 0, 0],
  ['case 45: a rate limit', error(429, 'rate_limit'), 429, 'rate_limit', 0, 0],
  ['case 45: a lock timeout', error(429, 'lock_timeout'), 429, 'lock_timeout', 0, 0],
  ['a conflict', error(409, 'idempotency_key_in_use'), 409, 'idempotency_key_in_use', 1_000, 1],
  ['case 43: a failure', error(500, undefined, 'api_error'), 500, undefined, 1_000, 1],
  ['case 46: a replay of what the guard never saw', replay, 200, undefined, 0, 0],
  [
    'case 40: HTML',
    raw((r) => r.writeHead(200, { 'content-type': 'text/html', 'request-id': 'req_1' }).end('<p>')),
    504,
    'keyaudit_outcome_unknown',
    1_000,
    1,
  ],
  [
    'case 40: no Request-Id',
    raw((r) => r.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(REFUND))),
    504,
    'keyaudit_outcome_unknown',
    1_000,
    1,
  ],
  [
    'case 40: a refusal without Request-Id',
    raw((r) => r.writeHead(403, { 'content-type': 'application/json' }).end('{}')),
    504,
    'keyaudit_outcome_unknown',
    1_000,
    1,
  ],
  [
    'case 40: a redirect',
    raw((r) => r.writeHead(302, { location: 'http://127.0.0.1:1/', 'request-id': 'req_1' }).end()),
    504,
    'keyaudit_outcome_unknown',
    1_000,
    1,
  ],
  [
    'case 40: 101',
    raw(
      (r) =>
        void r.socket?.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
    ),
    504,
    'keyaudit_outcome_unknown',
    1_000,
    1,
  ],
  [
    'case 40: cut JSON',
    raw((r) =>
      r.writeHead(200, { 'request-id': 'req_1', 'content-type': 'application/json' }).end('{"id":"re_1"'),
    ),
    504,
    'keyaudit_outcome_unknown',
    1_000,
    1,
  ],
  [
    'case 40: shorter than its length',
    raw((r) => {
      r.writeHead(200, { 'request-id': 'req_1', 'content-length': '100' });
      r.write('{"id"');
      setTimeout(() => r.socket?.destroy(), 20);
    }),
    504,
    'keyaudit_outcome_unknown',
    1_000,
    1,
  ],
  ['case 9: the line is cut', cut, 504, 'keyaudit_outcome_unknown', 1_000, 1],
];

describe('what becomes of a reservation', () => {
  it.each(ONE)('%s', async (_name, answer, status, code, counted, held) => {
    const made = await beforeStripe([answer, answer]);
    const got = await made.ask();
    expect([got.status, got.body?.error?.code]).toEqual([status, code]);
    expect(made.counted()).toBe(counted);
    expect(made.held()).toEqual(Array.from({ length: held }, () => 'held'));
    expect(made.posts).toHaveLength(1);
  });

  it('no answer in time is held, and the connection refused is released', async () => {
    const late = await beforeStripe([() => {}], { timeoutMs: 200 });
    expect((await late.ask()).body.error.code).toBe('keyaudit_outcome_unknown');
    expect([late.counted(), late.held()]).toEqual([1_000, ['held']]);
    const gone = await guardScene({
      profiles: {
        agent: REFUNDS.replace('{ charges: read', '{ payouts: write, charges: read').replace(
          'refunds: write',
          'refunds: write',
        ),
      },
      upstream: 'http://127.0.0.1:1',
    });
    const { key } = await gone.issue();
    const answer = await gone.ask('POST /v1/payouts', { amount: 5, currency: 'usd' }, { key });
    expect([answer.status, answer.body.error.code]).toEqual([502, 'keyaudit_upstream_unreachable']);
    expect(answer.headers.get('stripe-should-retry')).toBe('true');
    expect([...gone.guard.store.book.counters()]).toEqual([]);
  });

  it('what moved more than was reserved is booked, with an alarm, and the next call is refused', async () => {
    const made = await beforeStripe([(_q, r) => answerJson(r, 200, { ...REFUND, amount: 60_000 })]);
    expect((await made.ask()).status).toBe(200);
    expect(made.counted()).toBe(60_000);
    expect(made.alarms.join()).toMatch(/590\.00 usd more than was reserved/);
    expect((await made.ask('charge=ch_1&amount=5')).body.error.code).toBe('keyaudit_spend_cap_exceeded');
    expect((await made.rows()).some(({ kind }) => kind === 'overrun')).toBe(true);
  });

  it('a 401 of Stripe stops the run, with an alarm', async () => {
    const made = await beforeStripe([error(401)]);
    expect((await made.ask()).status).toBe(401);
    expect((await made.ask()).body.error.code).toBe('keyaudit_run_killed');
    expect(made.alarms).toHaveLength(1);
  });
});

describe('the same call again', () => {
  it('case 5 and 6: executed, and the answer lost: the second attempt is replayed and counted once', async () => {
    const made = await beforeStripe([cut, replay]);
    expect((await made.ask(FORM, 'k1')).status).toBe(504);
    expect([made.counted(), made.held()]).toEqual([1_000, ['held']]);
    expect((await made.ask(FORM, 'k1')).body.id).toBe('re_1');
    expect([made.counted(), made.held()]).toEqual([1_000, []]);
    expect((await made.ask(FORM, 'k1')).status).toBe(200);
    expect(made.counted()).toBe(1_000);
  });

  it('case 7: the same key with another amount: idempotency_error, nothing sent, nothing counted', async () => {
    const made = await beforeStripe([]);
    await made.ask(FORM, 'k1');
    const { status, body } = await made.ask('charge=ch_1&amount=2', 'k1');
    expect([status, body.error.type]).toEqual([400, 'idempotency_error']);
    expect([made.posts.length, made.counted()]).toEqual([1, 1_000]);
  });

  it('case 8: the same key while the first is on its way: 409, then the first answer', async () => {
    let answer = () => {};
    const made = await beforeStripe([
      (_q, r) => {
        answer = () => answerJson(r, 200, REFUND);
      },
      replay,
    ]);
    const first = made.ask(FORM, 'k1');
    while (made.posts.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const second = await made.ask(FORM, 'k1');
    expect([second.status, second.body.error.code, second.headers.get('stripe-should-retry')]).toEqual([
      409,
      'idempotency_key_in_use',
      null,
    ]);
    answer();
    expect((await first).status).toBe(200);
    expect((await made.ask(FORM, 'k1')).body.id).toBe('re_1');
    expect(made.counted()).toBe(1_000);
  });

  it('case 9: without a key, executed and the line cut: the same again is repeated, not executed', async () => {
    const made = await beforeStripe([cut]);
    expect((await made.ask()).status).toBe(504);
    const { status, body } = await made.ask();
    expect([status, body.error.code]).toEqual([403, 'keyaudit_repeated_call']);
    expect([made.posts.length, made.counted()]).toEqual([1, 1_000]);
  });

  it('case 10: the key of another profile: refused, and its answer is not shown', async () => {
    const upstream = await startFaultyServer((request, response) =>
      answerJson(response, 200, request.method === 'GET' ? CHARGE : REFUND),
    );
    const made = await guardScene({ profiles: { agent: REFUNDS, other: REFUNDS }, upstream: upstream.url });
    const one = await made.issue({ profile: 'agent' });
    const two = await made.issue({ profile: 'other' });
    const headers = { 'idempotency-key': 'k1' };
    for (const [line, form] of [['POST /v1/refunds', FORM]] as const) {
      expect((await made.ask(line, form, { key: one.key, headers })).status).toBe(200);
      const sent = upstream.requests.length;
      const { status, body } = await made.ask(line, form, { key: two.key, headers });
      expect([status, body.error.type, body.id]).toEqual([400, 'idempotency_error', undefined]);
      expect(upstream.requests.length).toBe(sent);
    }
  });

  it.each([
    ['a rate limit', error(429)],
    ['a refusal', error(403)],
    ['a failure', error(500)],
    ['a conflict', error(409, 'idempotency_key_in_use')],
    ['other parameters', error(400, undefined, 'idempotency_error')],
  ])('what is held stays held, since %s says nothing of the first sending', async (_name, answer) => {
    const made = await beforeStripe([cut, answer]);
    await made.ask(FORM, 'k1');
    await made.ask(FORM, 'k1');
    expect([made.counted(), made.held()]).toEqual([1_000, ['held']]);
  });

  it('what is held is released when Stripe says what it would have said of it', async () => {
    const made = await beforeStripe([cut, error(402, 'card_declined', 'card_error')]);
    await made.ask(FORM, 'k1');
    expect((await made.ask(FORM, 'k1')).status).toBe(402);
    expect([made.counted(), made.held()]).toEqual([0, []]);
  });

  it('a settled key that Stripe has forgotten, and carried out anew, is counted again, with an alarm', async () => {
    const anew: Handler = (_q, r) => answerJson(r, 200, { ...REFUND, id: 're_2' });
    const made = await beforeStripe([refund, replay, refund, anew]);
    await made.ask(FORM, 'k1');
    await made.ask(FORM, 'k1');
    await made.ask(FORM, 'k1');
    expect([made.counted(), made.alarms]).toEqual([1_000, []]);
    expect((await made.ask(FORM, 'k1')).body.id).toBe('re_2');
    expect(made.counted()).toBe(2_000);
    expect(made.alarms.join()).toMatch(/refunds\.create out a second time .* re_2 beside re_1/);
    expect(made.held()).toEqual([]);
  });

  it('a settled key is told from another by what it made after a restart as well', async () => {
    const posts: string[] = [];
    const upstream = await startFaultyServer((request, response) => {
      if (request.method === 'GET') return answerJson(response, 200, CHARGE);
      answerJson(response, 200, { ...REFUND, id: `re_${posts.push(request.url ?? '')}` });
    });
    const text = REFUNDS.replace('500.00', '10.00');
    const first = await guardScene({ profiles: { agent: text }, upstream: upstream.url });
    const { key } = await first.issue();
    const asked = { key, headers: { 'idempotency-key': 'k1' } };
    expect((await first.ask('POST /v1/refunds', FORM, asked)).status).toBe(200);
    await first.stop();
    const again = await guardScene({
      profiles: { agent: text },
      upstream: upstream.url,
      folder: first.folder,
    });
    // The cap is full, and the second carrying out counts all the same.
    expect((await again.ask('POST /v1/refunds', FORM, asked)).status).toBe(200);
    expect([...again.guard.store.book.counters().values()]).toEqual([2_000]);
  });

  it('case 11: after 25 hours a v1 key is a new call, and one that was held is refused', async () => {
    const made = await beforeStripe([refund, cut, cut]);
    await made.ask(FORM, 'k1');
    await made.ask('charge=ch_1&amount=7', 'k2');
    made.clock.now += 25 * 3_600_000;
    const again = await made.issue({ run: 'much-later' });
    const ask = (form: string, name: string) =>
      made.guard &&
      fetch(`${made.url}/v1/refunds`, {
        method: 'POST',
        body: form,
        headers: {
          authorization: `Bearer ${again.key}`,
          'content-type': 'application/x-www-form-urlencoded',
          'idempotency-key': name,
        },
      });
    expect((await ask('charge=ch_1&amount=1000', 'k1')).status).toBe(200);
    expect(made.posts).toHaveLength(4);
    const held = await ask('charge=ch_1&amount=7', 'k2');
    expect([held.status, ((await held.json()) as { error: { code: string } }).error.code]).toEqual([
      403,
      'keyaudit_repeated_call',
    ]);
  });
});

describe('look-ups', () => {
  it.each<[string, Handler]>([
    ['404', error(404)],
    ['403', error(403)],
    ['500', error(500)],
    ['HTML', raw((r) => r.writeHead(200, { 'content-type': 'text/html' }).end('<p>'))],
    ['a cut line', cut],
    ['no answer in time', () => {}],
  ])('case 17: %s: refused, and nothing is sent', async (_name, answer) => {
    const seen: string[] = [];
    const upstream = await startFaultyServer((request, response) => {
      seen.push(request.method ?? '');
      answer(request, response);
    });
    const made = await guardScene({ profiles: { agent: REFUNDS }, upstream: upstream.url, lookUpMs: 300 });
    await made.issue();
    const { status, body } = await made.ask('POST /v1/refunds', FORM);
    expect([status, body.error.code]).toEqual([403, 'keyaudit_amount_unknown']);
    expect(new Set(seen)).toEqual(new Set(['GET']));
  });

  it('case 15: two refunds of the rest at once: what Stripe refuses is released', async () => {
    const made = await guardedSandbox({ profiles: { agent: REFUNDS } });
    const [a, b] = [await made.issue(), await made.issue()];
    const { body } = await made.direct('POST /v1/charges', {
      amount: 6_000,
      currency: 'usd',
      source: 'tok_visa',
    });
    const answers = await Promise.all(
      [a, b].map(({ key }) => made.ask('POST /v1/refunds', { charge: body.id }, { key })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400]);
    const counted = [...made.guard.store.book.counters().values()].reduce((sum, value) => sum + value, 0);
    expect(counted).toBe(6_000);
  });

  it('case 16: a refund by payment intent, by a key that may not read payment intents', async () => {
    const made = await guardedSandbox({ profiles: { agent: REFUNDS } });
    await made.issue();
    const { body } = await made.direct(
      'POST /v1/payment_intents',
      'amount=3000&currency=usd&confirm=true&payment_method=pm_card_visa&automatic_payment_methods[enabled]=true&automatic_payment_methods[allow_redirects]=never',
    );
    expect(body.status).toBe('succeeded');
    expect((await made.ask('POST /v1/refunds', { payment_intent: body.id })).status).toBe(200);
    expect([...made.guard.store.book.counters().values()]).toEqual([3_000]);
  });
});

describe('payment intents', () => {
  async function intents() {
    const made = await guardedSandbox({ profiles: { agent: CAPTURE } });
    await made.issue();
    const counted = () =>
      [...made.guard.store.book.counters().values()].reduce((sum, value) => sum + value, 0);
    return { ...made, counted };
  }
  const CREATE =
    'currency=usd&confirm=true&capture_method=manual&payment_method=pm_card_visa&return_url=https://x.example';

  /** One intent as Stripe keeps it: raised, captured in parts. */
  async function oneIntent() {
    const intent = {
      id: 'pi_1',
      object: 'payment_intent',
      amount: 0,
      amount_received: 0,
      amount_capturable: 0,
      currency: 'usd',
      status: 'requires_capture',
    };
    const upstream = await startFaultyServer((request, response) => {
      const form = new URLSearchParams(request.body);
      const amount = Number(form.get('amount') ?? 0);
      if (request.url?.endsWith('/capture') === true) {
        const taken = Number(form.get('amount_to_capture'));
        intent.amount_received += taken;
        const isFinal = form.get('final_capture') !== 'false';
        intent.amount_capturable = isFinal ? 0 : intent.amount_capturable - taken;
        intent.status = isFinal ? 'succeeded' : 'requires_capture';
      } else if (request.method === 'POST') Object.assign(intent, { amount, amount_capturable: amount });
      answerJson(response, 200, intent);
    });
    const made = await guardScene({ profiles: { agent: CAPTURE }, upstream: upstream.url });
    await made.issue();
    const counted = () =>
      [...made.guard.store.book.counters().values()].reduce((sum, value) => sum + value, 0);
    return { ...made, counted };
  }

  it('case 18: 100, raised to 150, captured 120: 120 in the end, never more than 150', async () => {
    const { ask, counted, rows } = await oneIntent();
    await ask('POST /v1/payment_intents', 'amount=100&currency=usd&confirm=true&capture_method=manual');
    expect(counted()).toBe(100);
    expect((await ask('POST /v1/payment_intents/pi_1/increment_authorization', 'amount=150')).status).toBe(
      200,
    );
    expect(counted()).toBe(150);
    expect((await ask('POST /v1/payment_intents/pi_1/capture', 'amount_to_capture=120')).status).toBe(200);
    expect(counted()).toBe(120);
    const most = (await rows()).flatMap((row) =>
      row.kind === 'reserve' ? row.takes.map(({ after }) => after) : [],
    );
    expect(Math.max(...most)).toBe(150);
  });

  it('case 19: three captures of 40 of 150 come to 120', async () => {
    const { ask, counted } = await oneIntent();
    await ask('POST /v1/payment_intents', 'amount=150&currency=usd&confirm=true&capture_method=manual');
    for (const n of [1, 2, 3]) {
      const form = { amount_to_capture: 40, final_capture: 'false', 'metadata[n]': n };
      const { status, body } = await ask('POST /v1/payment_intents/pi_1/capture', form, {
        headers: { 'idempotency-key': `c${n}` },
      });
      expect([status, body.error?.code]).toEqual([200, undefined]);
    }
    expect(counted()).toBe(120);
  });

  it('case 42: a decline is released, and the same intent counts when it is confirmed later', async () => {
    const { ask, counted } = await intents();
    const { status } = await ask(
      'POST /v1/payment_intents',
      `amount=100&${CREATE.replace('pm_card_visa', 'pm_card_chargeDeclined')}`,
    );
    expect([status, counted()]).toEqual([402, 0]);
    const { body: later } = await ask(
      'POST /v1/payment_intents',
      'amount=100&currency=usd&payment_method=pm_card_visa',
    );
    expect(counted()).toBe(0);
    expect(
      (await ask(`POST /v1/payment_intents/${later.id}/confirm`, 'return_url=https://x.example')).status,
    ).toBe(200);
    expect(counted()).toBe(100);
  });

  it('an answer that is said again takes nothing back of what the intent has come to since', async () => {
    let lost = 1;
    const made = { id: 'pi_1', object: 'payment_intent', currency: 'usd', status: 'requires_capture' };
    const states = { create: 100, now: 100 };
    const upstream = await startFaultyServer((request, response) => {
      const isCreate = request.url === '/v1/payment_intents';
      if (request.url?.endsWith('/increment_authorization') === true) states.now = 150;
      if (isCreate && lost-- > 0) return void request.socket.destroy();
      const amount = isCreate ? states.create : states.now;
      const body = { ...made, amount, amount_capturable: amount, amount_received: 0 };
      answerJson(response, 200, body, isCreate ? { 'idempotent-replayed': 'true' } : {});
    });
    const { ask, issue, guard } = await guardScene({ profiles: { agent: CAPTURE }, upstream: upstream.url });
    await issue();
    const counted = () => [...guard.store.book.counters().values()].reduce((sum, value) => sum + value, 0);
    const create = 'amount=100&currency=usd&confirm=true&capture_method=manual';
    const headers = { 'idempotency-key': 'k1' };
    expect((await ask('POST /v1/payment_intents', create, { headers })).status).toBe(504);
    await ask('POST /v1/payment_intents/pi_1/increment_authorization', 'amount=150');
    // Held for the creation, which nobody knows to be of this intent, and what the intent has come to.
    expect(counted()).toBe(250);
    expect((await ask('POST /v1/payment_intents', create, { headers })).status).toBe(200);
    expect(counted()).toBe(150);
  });

  it('calls on one intent go one after the other', async () => {
    const order: string[] = [];
    const upstream = await startFaultyServer((request, response) => {
      order.push(`in ${request.method}`);
      setTimeout(() => {
        order.push(`out ${request.method}`);
        answerJson(response, 200, {
          id: 'pi_1',
          object: 'payment_intent',
          amount: 150,
          amount_received: 0,
          amount_capturable: 150,
          currency: 'usd',
          status: 'requires_capture',
        });
      }, 10);
    });
    const made = await guardScene({ profiles: { agent: CAPTURE }, upstream: upstream.url });
    await made.issue();
    await Promise.all(
      [40, 41, 42].map((amount) =>
        made.ask('POST /v1/payment_intents/pi_1/capture', {
          amount_to_capture: amount,
          final_capture: 'false',
        }),
      ),
    );
    expect(order.join()).toBe(
      Array.from({ length: 6 }, (_, n) => (n % 2 === 0 ? 'in GET,out GET' : 'in POST,out POST')).join(),
    );
  });
});

describe('agents that go away', () => {
  it('case 41: of 1,000 that go away every reservation is settled by the answer of Stripe, none leaks', async () => {
    const aborts: AbortController[] = [];
    const upstream = await startFaultyServer((request, response) => {
      if (request.method === 'GET') return answerJson(response, 200, CHARGE);
      const form = new URLSearchParams(request.body);
      // Half of them go away while Stripe is at it, the others whenever it may be.
      aborts[Number(form.get('metadata[n]'))]?.abort();
      setTimeout(() => answerJson(response, 200, { ...REFUND, amount: Number(form.get('amount')) }), 10);
    });
    const text = REFUNDS.replace('caps:', 'repeat: allow, caps:').replace('500.00', '50000.00');
    const made = await guardScene({ profiles: { agent: text }, upstream: upstream.url });
    const { key } = await made.issue();
    const ask = async (n: number) => {
      const abort = new AbortController();
      if (n % 2 === 0) aborts[n] = abort;
      else setTimeout(() => abort.abort(), n % 20);
      await fetch(`${made.url}/v1/refunds`, {
        method: 'POST',
        body: `charge=ch_1&amount=3&metadata[n]=${n}`,
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/x-www-form-urlencoded' },
        signal: abort.signal,
      }).catch(() => undefined);
    };
    for (let n = 0; n < 1_000; n += 50) await Promise.all(Array.from({ length: 50 }, (_, m) => ask(n + m)));
    expect((await made.ask('GET /v1/charges')).status).toBe(200);
    await made.guard.onTheirWay.idle(60_000);
    const posts = upstream.requests.filter(({ method }) => method === 'POST').length;
    expect(posts).toBeGreaterThanOrEqual(500);
    expect(made.guard.store.book.open.size).toBe(0);
    const counted = [...made.guard.store.book.counters().values()].reduce((sum, value) => sum + value, 0);
    expect(counted).toBe(posts * 3);
  });
});
