import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { catalog, profileOf } from '../../../../test/support/profiles.ts';
import { recordedRun } from '../../../../test/support/recorded-run.ts';
import { allows } from '../../catalog/catalog.ts';
import { Expansions } from '../../catalog/expansion.ts';
import { resolveGrant } from '../../grant/grant.ts';
import { foldRuns } from './fold-runs.ts';
import { profileOfRuns } from './profile-of-runs.ts';
import { type NotedCall, type RecordedRun, RunRecorder } from './recorded-run.ts';

const expansions = new Expansions(catalog);
const run = (day: number, calls: readonly (string | NotedCall)[]) =>
  recordedRun(new Date(Date.UTC(2026, 10, day)), calls);

function grantOf(runs: readonly RecordedRun[], withRefused = false) {
  const { text } = profileOfRuns(foldRuns(runs, catalog), catalog, expansions, {
    name: 'agent',
    today: '2026-11-25',
    withRefused,
  });
  const profile = profileOf(text, 'agent.yaml');
  return { text, profile, grant: resolveGrant(profile, catalog, '2026-11-25') };
}

describe('what a call is kept as', () => {
  it.each<[string, NotedCall, object]>([
    [
      'ids become a template',
      { method: 'get', path: '/v1/charges/ch_3Nabc', status: 200 },
      { operation: 'charges.retrieve', method: 'GET', path: '/v1/charges/{id}', status: 200, count: 1 },
    ],
    [
      'a path that the catalog does not know loses all that may be an id',
      { method: 'POST', path: '/v1/ponies/pony_1234/jane@example.com/feed', status: 404 },
      { operation: null, path: '/v1/{id}/{id}/{id}/{id}' },
    ],
    [
      'no answer',
      { method: 'POST', path: '/v1/refunds', parameters: ['charge', 'amount'], amount: 500, currency: 'usd' },
      {
        status: null,
        parameters: ['amount', 'charge'],
        money: [{ currency: 'usd', largest: 500, sum: 500 }],
      },
    ],
    [
      'a path of expand that is none is dropped',
      { method: 'GET', path: '/v1/charges', status: 200, expand: ['data.customer', 'jane@example.com'] },
      { expand: ['data.customer'] },
    ],
  ])('%s', (_name, noted, kept) => {
    const recorder = new RunRecorder(catalog);
    recorder.note(noted);
    expect(recorder.calls).toEqual([expect.objectContaining(kept)]);
  });

  it('counts what differs in nothing that is kept', () => {
    const recorder = new RunRecorder(catalog);
    for (let index = 1; index <= 1_000; index += 1) {
      recorder.note({ method: 'POST', path: '/v1/refunds', status: 200, amount: index, currency: 'usd' });
    }
    expect(recorder.calls).toEqual([
      expect.objectContaining({ count: 1_000, money: [{ currency: 'usd', largest: 1_000, sum: 500_500 }] }),
    ]);
  });
});

describe('folding', () => {
  const runs = Array.from({ length: 9 }, (_, index) =>
    run(index + 1, [
      'GET /v1/charges',
      ...(index % 2 === 0 ? ['POST /v1/refunds'] : []),
      ...(index === 3 ? ['GET /v1/customers/cus_1'] : []),
    ]),
  );

  it('is the same in any order of the runs', () => {
    const folded = JSON.stringify(foldRuns(runs, catalog));
    for (let turn = 1; turn < 9; turn += 1) {
      const shuffled = [...runs.slice(turn), ...runs.slice(0, turn).reverse()];
      expect(JSON.stringify(foldRuns(shuffled, catalog))).toBe(folded);
    }
  });

  it('says how sure it is', () => {
    const folded = foldRuns(runs, catalog);
    expect(folded.newByRun).toEqual([2, 0, 0, 1, 0, 0, 0, 0, 0]);
    expect(folded.expectedNew).toBeCloseTo(1 / 9);
    expect(folded.used.map(({ operation, runs: seen }) => [operation, seen])).toEqual([
      ['charges.list', 9],
      ['customers.retrieve', 1],
      ['refunds.create', 5],
    ]);
  });

  it.each<[string, number | undefined, 'used' | 'refused' | 'unauthorized']>([
    ...[200, 201, 302, 400, 402, 404, 409, 429, 500, 503].map(
      (status) => [`${status}`, status, 'used'] as [string, number, 'used'],
    ),
    ['403', 403, 'refused'],
    ['401', 401, 'unauthorized'],
    ['no answer', undefined, 'used'],
  ])('%s', (_name, status, where) => {
    const folded = foldRuns(
      [run(1, [{ method: 'GET', path: '/v1/charges', ...(status && { status }) }])],
      catalog,
    );
    expect({
      used: folded.used.length,
      refused: folded.refused.length,
      unauthorized: folded.unauthorized,
    }).toEqual({ used: 0, refused: 0, unauthorized: 0, [where]: 1 });
  });
});

describe('what a guard said', () => {
  it.each<[string, number, 'used' | 'refused' | 'unauthorized']>([
    ['keyaudit_spend_cap_exceeded', 403, 'used'],
    ['keyaudit_run_killed', 401, 'used'],
    ['keyaudit_outcome_unknown', 504, 'used'],
    ['keyaudit_operation_not_allowed', 403, 'refused'],
    ['keyaudit_unknown_operation', 403, 'refused'],
    ['keyaudit_run_unknown', 401, 'unauthorized'],
  ])('%s: %i is %s', (code, status, where) => {
    const { used, refused, unauthorized } = foldRuns(
      [run(1, [{ method: 'POST', path: '/v1/refunds', status, code }])],
      catalog,
    );
    expect({ used: used.length, refused: refused.length, unauthorized }).toEqual({
      used: 0,
      refused: 0,
      unauthorized: 0,
      [where]: 1,
    });
  });
});

describe('the profile', () => {
  it('has a witness for each line', () => {
    const { text } = grantOf([run(1, ['GET /v1/charges']), run(2, ['GET /v1/charges', 'POST /v1/refunds'])]);
    expect(text).toContain('  refunds: write # 1 of 2 runs, last 2026-11-02\n');
    expect(text).toContain('  allow: # calls that must work\n    - charges.list\n    - refunds.create\n');
  });

  it('keeps calls with Stripe-Account on the Connect side', () => {
    const { profile } = grantOf([
      run(1, ['GET /v1/balance', { method: 'POST', path: '/v1/payouts', status: 200, account: true }]),
    ]);
    expect(profile.permissions.map(({ name }) => name)).toEqual(['balance']);
    expect(profile.connectPermissions.map(({ name }) => name)).toEqual(['payouts']);
  });

  it('adds what was refused only when told to', () => {
    const runs = [run(1, ['GET /v1/charges', { method: 'POST', path: '/v1/payouts', status: 403 }])];
    expect(grantOf(runs).grant.permissions).toEqual(['charge_read']);
    expect(grantOf(runs, true).grant.permissions).toEqual(['charge_read', 'payout_write']);
  });

  it('covers what is expanded', () => {
    const runs = [
      run(1, [
        { method: 'GET', path: '/v1/charges', status: 200, expand: ['data.customer', 'data.invoice'] },
      ]),
    ];
    expect(grantOf(runs).grant.permissions).toEqual(expect.arrayContaining(['charge_read', 'customer_read']));
  });

  it('grants exactly the smallest grant, for any calls', () => {
    const known = catalog.operations.filter(
      ({ permissions, host }) => permissions.length > 0 && host === 'api',
    );
    for (let seed = 0; seed < 60; seed += 1) {
      const calls = Array.from(
        { length: 1 + (seed % 7) },
        (_, index) => known[(seed * 37 + index * 101) % known.length],
      )
        .filter((operation) => operation !== undefined)
        .map(({ method, path }) => `${method} ${path.replaceAll('{id}', 'id_1')}`);
      const folded = foldRuns([run(1, calls)], catalog);
      const { grant } = profileOfRuns(folded, catalog, expansions, {
        name: 'agent',
        today: '2026-11-25',
        withRefused: false,
      });
      const made = grantOf([run(1, calls)]);
      expect([...made.grant.effective].sort(), calls.join(', ')).toEqual(
        [...catalog.closure(grant.permissions)].sort(),
      );
      for (const { operation } of folded.used) {
        const found = catalog.operation(operation);
        expect(found !== undefined && allows(made.grant.effective, found), operation).toBe(true);
      }
    }
  });

  it.each(readdirSync(new URL('../../../../profiles/', import.meta.url)))(
    'the calls that %s names, recorded, need no more than it grants',
    (file) => {
      const text = readFileSync(new URL(`../../../../profiles/${file}`, import.meta.url), 'utf8');
      const shipped = profileOf(text, file);
      const calls = shipped.allow.map(({ operation }) => {
        const found = catalog.operation(operation);
        return `${found?.method} ${found?.path.replaceAll('{id}', 'id_1')}`;
      });
      const { grant } = grantOf([run(1, calls)]);
      const whole = resolveGrant(shipped, catalog, '2026-11-25');
      expect(grant.permissions.filter((permission) => !whole.effective.has(permission))).toEqual([]);
    },
  );
});
