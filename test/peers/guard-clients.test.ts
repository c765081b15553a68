import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GuardedWorld, guardedWorld } from '../support/guarded-world.ts';
import { findPeer, PEERS } from '../support/peer.ts';
import { NODE } from '../support/run-cli.ts';

const clients = fileURLToPath(new URL('clients/', import.meta.url));

/** A role that refunds, with what tests need to read; older clients speak older versions. */
const PROFILE = `
name: matrix
description: refunds through the guard, by every client
env: STRIPE_MATRIX_KEY
permissions:
  { charges: read, refunds: write, customers: write, files: write, v2/core/event_destinations: read }
widening: report
accept: [{ operations: [charges.create, charges.update, charges.capture], reason: shared }]
guard:
  caps: [{ per: call, amount: 50.00 usd }, { per: run, amount: 5000.00 usd }]
  versions: [2026-03-25.dahlia]
`;

/** What each call is answered: the class in the words of each client, and how often it is sent. */
interface Expected {
  readonly status: number;
  readonly code?: string;
  readonly node?: string;
  readonly python?: string;
  readonly go?: string;
  /** How often the guard is asked; undefined: once. */
  readonly attempts?: number;
}

const permission = (code: string): Expected => ({
  status: 403,
  code,
  node: 'StripePermissionError',
  python: 'PermissionError',
  go: 'invalid_request_error',
});
const authentication = (code: string): Expected => ({
  status: 401,
  code,
  node: 'StripeAuthenticationError',
  python: 'AuthenticationError',
  go: 'invalid_request_error',
});
const failure = (status: number, code: string): Expected => ({
  status,
  code,
  node: 'StripeAPIError',
  python: 'APIError',
  go: 'api_error',
  attempts: 2,
});
const OK = (attempts = 1): Expected => ({ status: 200, node: 'ok', python: 'ok', go: 'ok', attempts });

const EXPECTED: Readonly<Record<string, Expected>> = {
  ok: OK(),
  'over-cap': permission('keyaudit_spend_cap_exceeded'),
  'not-allowed': permission('keyaudit_operation_not_allowed'),
  'no-currency': permission('keyaudit_currency_not_capped'),
  repeated: permission('keyaudit_repeated_call'),
  'amount-unknown': permission('keyaudit_amount_unknown'),
  ambiguous: {
    ...permission('keyaudit_ambiguous_request'),
    status: 400,
    node: 'StripeInvalidRequestError',
    python: 'InvalidRequestError',
  },
  'unknown-operation': permission('keyaudit_unknown_operation'),
  'other-content': {
    status: 400,
    code: 'idempotency_error',
    node: 'StripeIdempotencyError',
    python: 'IdempotencyError',
    go: 'idempotency_error',
  },
  // One is told to wait, and asks again by itself.
  'in-flight': OK(3),
  'answer-lost': OK(2),
  'stripe-cut': OK(2),
  'outcome-unknown': failure(504, 'keyaudit_outcome_unknown'),
  'too-late': OK(2),
  'stripe-busy': OK(2),
  killed: authentication('keyaudit_run_killed'),
  'no-run-key': authentication('keyaudit_run_unknown'),
  'killed-on-its-way': OK(),
  'killed-after': authentication('keyaudit_run_killed'),
  unreachable: failure(502, 'keyaudit_upstream_unreachable'),
  unavailable: failure(503, 'keyaudit_unavailable'),
};
/** Calls that carry no name that a test could count them by. */
const UNCOUNTED: Readonly<Record<string, Expected>> = {
  expand: OK(),
  'expand-refused': permission('keyaudit_operation_not_allowed'),
  pages: OK(),
  file: OK(),
  'v2-pages': OK(),
  'v2-refused': { ...permission('keyaudit_operation_not_allowed'), go: 'V2RawError' },
};

const python = await findPeer('python', 'the guard asked by stripe-python', [join(PEERS, 'python/bin')]);
const go = await findPeer('guard', 'the guard asked by stripe-go', [join(PEERS, 'stripe-go/bin')]);
const curl = await findPeer('curl', 'the guard asked by curl');
const cli = await findPeer('stripe', "the guard asked by Stripe's command line", [
  join(PEERS, 'stripe-cli/node_modules/.bin'),
]);

const SDKS = [
  { name: 'node', missing: false, command: [NODE, join(clients, 'guard-calls.mjs')] },
  { name: 'python', missing: python.missing, command: [python.file, '-B', join(clients, 'guard_calls.py')] },
  { name: 'go', missing: go.missing, command: [go.file] },
] as const;

let world: GuardedWorld;
beforeAll(async () => {
  world = await guardedWorld({
    profile: PROFILE,
    agents: SDKS.filter(({ missing }) => !missing),
    curl: curl.file,
    cli: cli.file,
  });
});
afterAll(() => world?.close());

describe.each(SDKS)('case 68: stripe-$name through the guard', ({ name, missing }) => {
  it.skipIf(missing)(
    'gets each answer of the guard as the error that it knows, and sends again what may be',
    () => {
      const { lines, attempts } = world;
      const own = lines.get(name) ?? [];
      const seen = (steps: object) =>
        Object.fromEntries(own.filter(({ step }) => step in steps).map((line) => [line.step, line]));
      for (const [step, expected] of Object.entries({ ...EXPECTED, ...UNCOUNTED })) {
        const line = seen({ [step]: 1 })[step];
        const told = `${name} ${step}: ${JSON.stringify(line)}`;
        expect(line?.class, told).toBe(expected[name]);
        if (expected.status !== 200) {
          // In Go an error of v2 has no status.
          const status = line?.class === 'V2RawError' ? expected.status : line?.status;
          expect([status, line?.code], told).toEqual([expected.status, expected.code]);
          expect(line?.message, told).toContain(`(${expected.code})`);
        }
        if (!(step in EXPECTED)) continue;
        const count = attempts(`${name}-${step}`);
        // stripe-go sends nothing again that was answered, whatever Stripe-Should-Retry says, but for a lock.
        const least = name === 'go' && expected.status >= 500 ? 1 : (expected.attempts ?? 1);
        // How often a client asks while the first answer is awaited is its own affair.
        if (/^(in-flight|too-late)$/.test(step)) expect(count, told).toBeGreaterThanOrEqual(least);
        else expect(count, told).toBe(least);
      }
    },
  );

  it.skipIf(missing)(
    'case 5 and 6: where an answer is lost on either side, sends again and is counted once',
    () => {
      for (const step of [
        'answer-lost',
        'stripe-cut',
        'outcome-unknown',
        'too-late',
        'in-flight',
        'stripe-busy',
      ])
        expect(world.refunds(`${name}-${step}`), step).toHaveLength(1);
      const killed = world.refunds(`${name}-killed-on-its-way`);
      expect([killed.length, world.refunds(`${name}-killed-after`).length]).toEqual([1, 0]);
    },
  );

  it.skipIf(missing)('case 69: reads errors of v2 as errors, and walks its pages', () => {
    const own = new Map((world.lines.get(name) ?? []).map((line) => [line.step, line]));
    expect(own.get('v2-pages')?.id).toBe('3');
    expect(own.get('pages')?.id).toBe('5');
    // One class for whatever v2 says of itself, in Go.
    expect(JSON.stringify(own.get('v2-missing'))).toMatch(
      name === 'go' ? /V2RawError.*not_found/ : /404.*not_found/,
    );
    expect(own.get('v2-refused')?.message).toContain('Nothing was sent to Stripe.');
    expect(own.get('file')?.id).toBe('file');
  });
});

describe('case 68: by hand', () => {
  it.skipIf(curl.missing)('curl, under both prefixes and with both kinds of key', () => {
    expect(world.byCurl.map(({ status, code }) => [status, code])).toEqual([
      [200, undefined],
      [200, undefined],
      [403, 'keyaudit_spend_cap_exceeded'],
      // Case 8 and 9: without a key the same again is a repeat.
      [403, 'keyaudit_repeated_call'],
      [403, 'keyaudit_unknown_operation'],
      [400, 'keyaudit_ambiguous_request'],
      [401, 'keyaudit_run_unknown'],
    ]);
  });

  it.skipIf(cli.missing)("Stripe's command line", () => {
    expect(world.byCli.map(({ object, code }) => object ?? code)).toEqual([
      'refund',
      'list',
      'keyaudit_spend_cap_exceeded',
      'keyaudit_operation_not_allowed',
      'keyaudit_run_unknown',
    ]);
    expect(world.attempts('cli-over-cap')).toBe(1);
  });
});

describe('the guard after all of them', () => {
  it('has ended when it was told to, with the last call answered', () => {
    expect(world.drained).toEqual({ status: 200, exitCode: 0 });
  });

  it('has counted what the sandbox moved, once what was unknown is looked up', () => {
    const { verified, reconciled, books } = world;
    expect(verified.exitCode, String(verified.stdout)).toBe(0);
    expect(reconciled.exitCode, String(reconciled.stdout) + String(reconciled.stderr)).toBe(0);
    expect(books.counted).toBe(books.moved);
    expect(books.moved).toBeGreaterThan(1_000);
  });
});
