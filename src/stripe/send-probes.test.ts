import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  answerJson,
  type FaultyServer,
  type Handler,
  startFaultyServer,
  stripeError,
} from '../../test/support/faulty-server.ts';
import { catalog, probeOf } from '../../test/support/profiles.ts';
import type { Probe } from '../core/probe/probe.ts';
import { SecretKey } from '../core/secret-key.ts';
import { defaultRate, type SendOptions, type SendOutcome, sendProbes } from './send-probes.ts';

const KEY = 'rk_test_51sendprobes';
/** Stands in the bodies; nothing that comes out may hold it. */
const MARKER = 'marker-in-the-body';

const read = probeOf('charges.list');
const write = probeOf('customers.create');
const reads = catalog.operations
  .filter(({ method, kind, host }) => method === 'GET' && kind === 'list' && host === 'api')
  .slice(0, 40)
  .map(({ name }) => probeOf(name));

/** Runs on a clock that only sleeping moves, unless told otherwise. */
async function run(
  server: Pick<FaultyServer, 'url'>,
  probes: readonly Probe[],
  options: Partial<SendOptions> = {},
): Promise<SendOutcome & { readonly slept: readonly number[] }> {
  const slept: number[] = [];
  const outcome = await sendProbes(probes, {
    key: SecretKey.of(KEY),
    target: 'sandbox',
    apiBase: server.url,
    apiVersion: '2026-01-01.test',
    // Far beyond what a busy machine takes: tests of silence set their own.
    timeoutMs: 60_000,
    random: () => 0.5,
    sleep: async (ms) => {
      slept.push(ms);
    },
    ...options,
  });
  return { ...outcome, slept };
}

const inShort = ({ results }: SendOutcome): string[] =>
  results.map(({ verdict: { kind, reason } }) => (reason === undefined ? kind : `${kind} ${reason}`));

const refuse: Handler = (_request, response) =>
  answerJson(
    response,
    403,
    stripeError(
      `The provided key '${MARKER}' does not have the required permissions for this endpoint on account 'acct_1'.`,
    ),
  );
const allow: Handler = (request, response) =>
  request.method === 'GET'
    ? answerJson(response, 200, { object: 'list', data: [], note: MARKER })
    : answerJson(response, 400, stripeError(`Received unknown parameter ${MARKER}`, 'parameter_unknown'));
const invalidKey: Handler = (_request, response) =>
  answerJson(response, 401, stripeError(`Invalid API Key provided: ${KEY} ${MARKER}`));

describe('what is sent', () => {
  it('pins the version, and puts the key into Authorization and nowhere else', async () => {
    const server = await startFaultyServer(allow);
    await run(server, [read, write, probeOf('files.create'), probeOf('v2.core.accounts.create')]);
    expect(server.requests).toHaveLength(4);
    for (const { url, headers, body } of server.requests) {
      expect(headers['stripe-version']).toBe('2026-01-01.test');
      expect(headers.authorization).toBe(`Bearer ${KEY}`);
      const { authorization: _, ...others } = headers;
      expect(JSON.stringify({ url, others, body })).not.toContain(KEY);
      expect(headers).not.toHaveProperty('x-stripe-client-telemetry');
    }
  });

  it('gives each write an idempotency key of its own, retries included, and a read none', async () => {
    const server = await startFaultyServer((request, response) =>
      request.index < 3 ? answerJson(response, 500, stripeError(MARKER)) : allow(request, response),
    );
    const writes = ['customers.create', 'files.create', 'v2.core.accounts.create', 'customers.del'].map(
      (name) => probeOf(name),
    );
    await run(server, [read, ...writes], { concurrency: 1 });
    const keysOf = (methods: readonly string[]) =>
      server.requests
        .filter(({ method }) => methods.includes(method))
        .map(({ headers }) => headers['idempotency-key']);
    const keys = keysOf(['POST', 'DELETE']);
    expect(keys.every((key) => String(key).startsWith('keyaudit-'))).toBe(true);
    expect(new Set(keys).size).toBe(keys.length);
    expect(new Set(keysOf(['GET']))).toEqual(new Set([undefined]));
  });

  it('encodes v1 as a form, v2 as JSON, and a file as multipart', async () => {
    const server = await startFaultyServer(allow);
    await run(server, [write, probeOf('v2.core.accounts.create'), probeOf('files.create')], {
      concurrency: 1,
    });
    const [form, json, file] = server.requests;
    expect(form).toMatchObject({
      url: '/v1/customers',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'keyaudit_probe=abc123&payment_method=pm_keyauditabc1230000000000',
    });
    expect(json?.headers['content-type']).toBe('application/json');
    expect(JSON.parse(json?.body ?? '')).toMatchObject({ keyaudit_probe: 'abc123' });
    expect(file?.url).toBe('/v1/files');
    expect(file?.headers['content-type']).toMatch(/^multipart\/form-data/);
    expect(file?.body).toContain('name="purpose"\r\n\r\nkeyaudit_probe');
  });

  it('acts on another account only where told', async () => {
    const server = await startFaultyServer(allow);
    await run(server, [read]);
    await run(server, [{ ...read, account: 'acct_1' }]);
    await run(server, [{ ...probeOf('v2.core.accounts.list'), account: 'acct_1' }]);
    expect(server.requests.map(({ headers }) => headers['stripe-account'])).toEqual([
      undefined,
      'acct_1',
      undefined,
    ]);
    expect(server.requests.at(-1)?.headers['stripe-context']).toBe('acct_1');
  });
});

describe('what comes out', () => {
  it('has the results in the order of the probes, however the answers come', async () => {
    // Each odd one waits for the next even one, which is answered first.
    let waiting: (() => void)[] = [];
    const server = await startFaultyServer((request, response) => {
      const answer = () => allow(request, response);
      if (request.index % 2 === 1 && request.index < reads.length - 1) waiting.push(answer);
      else {
        answer();
        for (const late of waiting) late();
        waiting = [];
      }
    });
    const outcome = await run(server, reads);
    expect(outcome.results.map(({ probe }) => probe)).toEqual(reads);
    expect(outcome).toMatchObject({ requests: reads.length, retries: 0 });
    expect(outcome.stopped).toBeUndefined();
  });

  it('has no word of a body in it', async () => {
    for (const handler of [allow, refuse, invalidKey]) {
      const server = await startFaultyServer(handler);
      const text = JSON.stringify(await run(server, [read, write]));
      expect(text).not.toContain(MARKER);
      expect(text).not.toContain(KEY);
    }
  });

  it('tells progress of each, up to the last', async () => {
    const server = await startFaultyServer(allow);
    const seen: number[] = [];
    await run(server, reads.slice(0, 5), {
      onProgress: ({ done, total }) => {
        expect(total).toBe(5);
        seen.push(done);
      },
    });
    expect(seen).toEqual([1, 2, 3, 4, 5]);
  });

  it('is nothing for no probes', async () => {
    const server = await startFaultyServer(allow);
    expect(await run(server, [])).toMatchObject({ results: [], requests: 0 });
  });
});

describe('a fault', () => {
  const rows: readonly (readonly [
    name: string,
    handler: Handler,
    verdict: string,
    requests: number,
    message: RegExp,
  ])[] = [
    ['a refusal is asked once', refuse, 'forbidden', 1, /refused/],
    ['silence', () => {}, 'inconclusive network', 4, /in time/],
    ['a reset', (request) => request.socket.resetAndDestroy(), 'inconclusive network', 4, /cut/],
    [
      'a body cut off',
      (_request, response) => {
        response.writeHead(200, {
          'content-type': 'application/json',
          'request-id': 'req_1',
          'content-length': '1000',
        });
        response.write('{"data": [');
        setTimeout(() => response.destroy(), 10);
      },
      'inconclusive network',
      4,
      /cut/,
    ],
    [
      'a body that drips for ever',
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'request-id': 'req_1' });
        const drip = setInterval(() => response.write(' '), 20);
        response.on('close', () => clearInterval(drip));
      },
      'inconclusive network',
      4,
      /in time/,
    ],
    [
      'a redirect',
      (_request, response) => response.writeHead(302, { location: '/login' }).end(),
      'inconclusive foreign-answer',
      1,
      /redirect/,
    ],
    [
      'a captive portal',
      (_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(`<p>${MARKER}`),
      'inconclusive foreign-answer',
      1,
      /HTML/,
    ],
    [
      'an error that is a string',
      (_request, response) => answerJson(response, 403, { error: MARKER }),
      'inconclusive foreign-answer',
      1,
      /not of Stripe's form/,
    ],
    [
      'a 500',
      (_request, response) => answerJson(response, 500, stripeError(MARKER)),
      'inconclusive server-error',
      4,
      /HTTP 500/,
    ],
    [
      'a 502 in HTML',
      (_request, response) => response.writeHead(502, { 'content-type': 'text/html' }).end(MARKER),
      'inconclusive foreign-answer',
      4,
      /HTML/,
    ],
    [
      'a rate limit',
      (_request, response) =>
        answerJson(response, 429, stripeError(MARKER), { 'stripe-rate-limited-reason': 'global-rate' }),
      'inconclusive rate-limit',
      4,
      /global-rate/,
    ],
    [
      'a lock timeout',
      (_request, response) => answerJson(response, 429, stripeError(MARKER, 'lock_timeout')),
      'inconclusive rate-limit',
      4,
      /lock timeout/,
    ],
    [
      'a conflict',
      (_request, response) => answerJson(response, 409, stripeError(MARKER)),
      'inconclusive not-about-permissions',
      1,
      /HTTP 409/,
    ],
  ];
  it.each(rows)('%s', async (_name, handler, verdict, requests, message) => {
    const server = await startFaultyServer(handler);
    const outcome = await run(server, [read], String(message) === '/in time/' ? { timeoutMs: 150 } : {});
    expect(inShort(outcome)).toEqual([verdict]);
    expect(outcome.results[0]?.verdict.message).toMatch(message);
    expect(server.requests).toHaveLength(requests);
    expect(outcome).toMatchObject({ requests, retries: requests - 1 });
    expect(outcome.results[0]?.observation.attempts).toBe(requests);
    expect(JSON.stringify(outcome)).not.toContain(MARKER);
    expect(outcome.stopped).toBeUndefined();
  });

  it.each([
    ['nothing listens', 'http://127.0.0.1:9', 4, /nothing listens/],
    ['a name that does not exist', 'http://nonexistent.invalid', 1, /name of the server/],
  ])('%s', async (_name, url, requests, message) => {
    const outcome = await run({ url }, [read], { timeoutMs: 60_000 });
    expect(inShort(outcome)).toEqual(['inconclusive network']);
    expect(outcome.results[0]?.verdict.message).toMatch(message);
    expect(outcome.requests).toBe(requests);
  });

  it('that passes leaves no trace but the count of retries', async () => {
    const server = await startFaultyServer((request, response) => {
      if (request.index === 0) request.socket.resetAndDestroy();
      else if (request.index === 1) answerJson(response, 503, stripeError(MARKER));
      else if (request.index === 2) answerJson(response, 429, stripeError(MARKER));
      else allow(request, response);
    });
    const outcome = await run(server, [read]);
    expect(inShort(outcome)).toEqual(['allowed']);
    expect(outcome).toMatchObject({ requests: 4, retries: 3 });
  });

  it('does not let a slow answer to one probe pass for that of another', async () => {
    // The headers of the first answer drip in until after its time is up; the second gets none at all.
    const server = await startFaultyServer((request) => {
      if (!request.url?.startsWith('/v1/charges')) return;
      const { socket } = request;
      const head = 'HTTP/1.1 200 OK\r\nRequest-Id: req_1\r\nContent-Type: application/json\r\n';
      let sent = 0;
      const drip = setInterval(() => {
        socket.write(head.charAt(sent++) || 'X-Slow: 1\r\nContent-Length: 2\r\n\r\n{}');
        if (sent > head.length) clearInterval(drip);
      }, 4);
      socket.on('close', () => clearInterval(drip));
    });
    const outcome = await run(server, [read, probeOf('payouts.list')], { timeoutMs: 100, concurrency: 1 });
    expect(inShort(outcome)).toEqual(['inconclusive network', 'inconclusive network']);
  });
});

describe('retries', () => {
  it.each([
    [0, [0, 0, 0]],
    [0.5, [250, 500, 1000]],
    [1, [500, 1000, 2000]],
  ])('wait longer each time, by full jitter: at random %s %j', async (random, waits) => {
    const server = await startFaultyServer((_request, response) =>
      answerJson(response, 503, stripeError(MARKER)),
    );
    expect((await run(server, [read], { random: () => random })).slept).toEqual(waits);
  });

  it('end when nothing answers for long: the rest is reported as not asked', async () => {
    const clock = { now: 0 };
    const server = await startFaultyServer((_request, response) =>
      answerJson(response, 503, stripeError(MARKER)),
    );
    const outcome = await run(server, reads, {
      concurrency: 2,
      now: () => clock.now,
      sleep: async (ms) => {
        clock.now += ms;
      },
    });
    expect(outcome.results).toHaveLength(reads.length);
    expect(outcome.requests).toBeLessThan(40);
    expect(inShort(outcome).every((verdict) => verdict.startsWith('inconclusive'))).toBe(true);
    expect(outcome.results.at(-1)?.verdict.message).toMatch(/^Not asked/);
  });

  it('end soon in a storm of 429 too, however slow it has made the pace', async () => {
    const clock = { now: 0 };
    const server = await startFaultyServer((_request, response) =>
      answerJson(response, 429, stripeError(MARKER), { 'stripe-rate-limited-reason': 'global-rate' }),
    );
    const outcome = await run(server, reads, {
      now: () => clock.now,
      sleep: async (ms) => {
        clock.now += ms;
      },
    });
    expect(outcome.results).toHaveLength(reads.length);
    expect(outcome.requests).toBeLessThan(80);
    expect(outcome.retries).toBeLessThan(outcome.requests);
    expect(inShort(outcome).every((verdict) => verdict.startsWith('inconclusive'))).toBe(true);
  });

  it('end soon when a stranger answers, so that he gets the key no more often than need be', async () => {
    const portal: Handler = (_request, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end(`<p>${MARKER}</p>`);
    const server = await startFaultyServer(portal);
    const many = Array.from({ length: 20 }, () => reads).flat();
    const outcome = await run(server, many, { concurrency: 8 });
    expect(server.requests.length).toBeLessThan(24 + 8);
    expect(outcome.stopped).toEqual({ reason: 'no-answer' });
    expect(outcome.results).toHaveLength(many.length);
    expect(new Set(inShort(outcome))).toEqual(
      new Set(['inconclusive foreign-answer', 'inconclusive network']),
    );
  });

  it('go on when a stranger answers only now and then', async () => {
    const server = await startFaultyServer((request, response) =>
      request.index % 10 < 9
        ? response.writeHead(200, { 'content-type': 'text/html' }).end('<p>')
        : refuse(request, response),
    );
    const many = [...reads, ...reads];
    const outcome = await run(server, many, { concurrency: 1 });
    expect(server.requests).toHaveLength(many.length);
    expect(outcome.stopped).toBeUndefined();
  });

  it('pause many at a time without a warning', async () => {
    const warnings: Error[] = [];
    const listen = (warning: Error) => warnings.push(warning);
    process.on('warning', listen);
    const server = await startFaultyServer((request, response) =>
      request.index < reads.length
        ? answerJson(response, 503, stripeError(MARKER))
        : allow(request, response),
    );
    await sendProbes(reads, {
      key: SecretKey.of(KEY),
      target: 'sandbox',
      apiBase: server.url,
      apiVersion: 'test',
      random: () => 0.1,
    });
    await new Promise((resolve) => setTimeout(resolve, 10));
    process.off('warning', listen);
    expect(warnings).toEqual([]);
  });

  it('go on when something answers in between', async () => {
    const clock = { now: 0 };
    const server = await startFaultyServer((request, response) =>
      request.index % 5 === 0 ? allow(request, response) : answerJson(response, 503, stripeError(MARKER)),
    );
    const outcome = await run(server, reads, {
      concurrency: 1,
      now: () => clock.now,
      sleep: async (ms) => {
        clock.now += ms;
      },
    });
    expect(outcome.results.some(({ verdict }) => /^Not asked/.test(verdict.message))).toBe(false);
  });
});

describe('the rate', () => {
  it.each([
    ['sandbox', 'test', undefined],
    ['stripe-mock', 'test', undefined],
    ['stripe', 'test', 20],
    ['stripe', 'live', 10],
    ['stripe', undefined, 10],
  ] as const)('of %s in %s mode is %s by default', (target, mode, rate) => {
    expect(defaultRate(target, mode)).toBe(rate);
  });

  const onClock = () => {
    const clock = { now: 0 };
    return {
      clock,
      options: {
        concurrency: 1,
        now: () => clock.now,
        sleep: async (ms: number) => {
          clock.now += ms;
        },
      },
    };
  };

  it('is kept, and used to within five hundredths', async () => {
    const server = await startFaultyServer(allow);
    const { clock, options } = onClock();
    await run(server, reads, { ...options, ratePerSecond: 25 });
    expect(clock.now).toBeGreaterThan((reads.length - 1) * 40);
    expect(clock.now).toBeLessThan((reads.length - 1) * 42);
  });

  it('is a quarter for files and search, whose limit is their own', async () => {
    const server = await startFaultyServer(allow);
    const { clock, options } = onClock();
    const searches = ['charges.search', 'customers.search', 'invoices.search'].map((name) => probeOf(name));
    await run(server, searches, { ...options, ratePerSecond: 20 });
    expect(clock.now / 2).toBeGreaterThan(200);
    expect(clock.now / 2).toBeLessThan(210);
  });

  it('drops at a 429, and the probes are answered all the same', async () => {
    const server = await startFaultyServer((request, response) =>
      request.index === 0
        ? answerJson(response, 429, stripeError(MARKER), { 'stripe-rate-limited-reason': 'global-rate' })
        : allow(request, response),
    );
    const { clock, options } = onClock();
    let slowedDown = false;
    const outcome = await run(server, reads, {
      ...options,
      ratePerSecond: 25,
      onProgress: (progress) => {
        slowedDown = progress.slowedDown;
      },
    });
    expect(new Set(inShort(outcome))).toEqual(new Set(['allowed']));
    expect(slowedDown).toBe(true);
    expect(clock.now).toBeGreaterThan(reads.length * 40 * 1.2);
    expect(clock.now).toBeLessThan(reads.length * 40 * 3);
  });
});

describe('the end of a run', () => {
  it('at once when the key is dead', async () => {
    const server = await startFaultyServer(invalidKey);
    const outcome = await run(server, reads, { concurrency: 1 });
    expect(outcome.stopped).toMatchObject({
      reason: 'dead-key',
      verdict: { reason: 'dead-key', stopsRun: true },
    });
    expect(inShort(outcome)).toEqual(['inconclusive dead-key']);
    expect(server.requests).toHaveLength(1);
  });

  it('when the key dies in mid-run', async () => {
    const server = await startFaultyServer((request, response) =>
      request.index < 10
        ? refuse(request, response)
        : answerJson(response, 401, stripeError('Expired API Key provided: rk_test_***', 'api_key_expired')),
    );
    const outcome = await run(server, reads, { concurrency: 4 });
    expect(outcome.stopped?.verdict?.message).toMatch(/expired/);
    expect(outcome.results.length).toBeLessThan(reads.length);
    expect(inShort(outcome).filter((verdict) => verdict === 'forbidden')).toHaveLength(10);
    expect(server.requests.length).toBeLessThan(18);
  });

  it('when a write is answered 2xx, naming the object', async () => {
    const server = await startFaultyServer((_request, response) =>
      answerJson(response, 200, { id: 'cus_made', note: MARKER }),
    );
    const outcome = await run(server, [write, probeOf('products.create'), ...reads], { concurrency: 1 });
    expect(outcome.stopped).toMatchObject({ reason: 'unsafe-probe', verdict: { unsafe: true } });
    expect(outcome.stopped?.verdict?.message).toContain('cus_made');
    expect(server.requests).toHaveLength(1);
    expect(JSON.stringify(outcome)).not.toContain(MARKER);
  });

  it('names what the other writes under way have made as well', async () => {
    // None is answered before all three are under way; the first answer ends the run.
    const answers: (() => void)[] = [];
    const server = await startFaultyServer((request, response) => {
      answers.push(() => answerJson(response, 200, { id: `obj_${request.index}` }));
      if (answers.length === 3) for (const answer of answers) answer();
    });
    const writes = ['customers.create', 'products.create', 'coupons.create', 'plans.create'].map((name) =>
      probeOf(name),
    );
    const outcome = await run(server, writes, { concurrency: 3 });
    expect(outcome.results.map(({ observation }) => observation.createdObject)).toEqual([
      'obj_0',
      'obj_1',
      'obj_2',
    ]);
    expect(server.requests).toHaveLength(3);
  });

  it('does not send a write again whose acceptance was cut off', async () => {
    const server = await startFaultyServer((_request, response) => {
      response.writeHead(200, {
        'content-type': 'application/json',
        'request-id': 'req_1',
        'content-length': '1000',
      });
      response.write('{"id":');
      setTimeout(() => response.destroy(), 10);
    });
    const outcome = await run(server, [write]);
    expect(outcome.stopped?.reason).toBe('unsafe-probe');
    expect(server.requests).toHaveLength(1);
  });

  it('at the deadline, with what is known by then', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const server = await startFaultyServer((request, response) => {
      if (request.index < 3) allow(request, response);
      else vi.advanceTimersByTime(150);
    });
    const outcome = await run(server, reads, { concurrency: 1, deadlineMs: 150 });
    expect(outcome.stopped).toEqual({ reason: 'deadline' });
    expect(inShort(outcome)).toEqual(['allowed', 'allowed', 'allowed']);
  });

  it('when interrupted, with what is known by then', async () => {
    const stop = new AbortController();
    const server = await startFaultyServer((request, response) => {
      if (request.index < 3) allow(request, response);
      else stop.abort();
    });
    const outcome = await run(server, reads, {
      concurrency: 1,
      timeoutMs: 10_000,
      signal: stop.signal,
    });
    expect(outcome.stopped).toEqual({ reason: 'interrupted' });
    expect(inShort(outcome)).toEqual(['allowed', 'allowed', 'allowed']);
  });

  it('before the first request when interrupted before it began', async () => {
    const server = await startFaultyServer(allow);
    const outcome = await run(server, reads, { signal: AbortSignal.abort() });
    expect(outcome).toMatchObject({ stopped: { reason: 'interrupted' }, results: [], requests: 0 });
    expect(server.requests).toHaveLength(0);
  });

  it('without waiting for a pause to end', async () => {
    const stop = new AbortController();
    const server = await startFaultyServer((_request, response) => {
      response.on('close', () => stop.abort());
      answerJson(response, 503, stripeError(MARKER));
    });
    const outcome = await sendProbes([read], {
      key: SecretKey.of(KEY),
      target: 'sandbox',
      apiBase: server.url,
      apiVersion: 'test',
      // A pause of five days: this test ends because the pause does.
      random: () => 1_000_000,
      signal: stop.signal,
    });
    expect(outcome.stopped?.reason).toBe('interrupted');
  });
});
