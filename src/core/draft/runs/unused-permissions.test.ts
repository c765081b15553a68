import { describe, expect, it } from 'vitest';
import { catalog } from '../../../../test/support/profiles.ts';
import { recordedRun } from '../../../../test/support/recorded-run.ts';
import { Expansions } from '../../catalog/expansion.ts';
import type { NotedCall, RecordedRun } from './recorded-run.ts';
import { permissionUse } from './unused-permissions.ts';

const expansions = new Expansions(catalog);
const now = new Date('2026-11-25T12:00:00.000Z');
/** A run that began so many days ago. */
const run = (daysAgo: number, calls: readonly NotedCall[], granted?: readonly string[]) =>
  recordedRun(new Date(now.getTime() - daysAgo * 86_400_000), calls, { granted });

const CONTEXT = { catalog, expansions, now, connect: false, isUnchanged: false };

const DAYS = 86_400_000;
const charges: NotedCall = { method: 'GET', path: '/v1/charges', status: 200 };
const customer: NotedCall = { method: 'GET', path: '/v1/customers/cus_1', status: 404 };
const refund: NotedCall = { method: 'POST', path: '/v1/refunds', status: 400 };
const both = ['charge_write', 'customer_read'];
const tenRuns = (third: readonly NotedCall[], granted: (index: number) => readonly string[]) =>
  Array.from({ length: 10 }, (_, index) =>
    run(40 - index * 4, index === 2 ? [refund, ...third] : [refund], granted(index)),
  );

describe('tools that were offered', () => {
  it('say nothing of use', () => {
    const offered = { ...run(1, [charges, refund, customer], both), seenBy: ['mcp-tools'] };
    expect(permissionUse(both, [offered], CONTEXT)).toMatchObject([
      { state: 'unknown', runs: 0, had: 0 },
      { state: 'unknown', runs: 0, had: 0 },
    ]);
  });
});

describe('permissionUse', () => {
  it.each<[string, readonly RecordedRun[], number | undefined, string]>([
    ['case 82: used once in run 3 of 10', tenRuns([customer], () => both), undefined, 'used'],
    [
      'called once, without an answer',
      tenRuns([{ method: 'GET', path: '/v1/customers/cus_1' }], () => both),
      undefined,
      'used',
    ],
    ['called and refused', tenRuns([{ ...customer, status: 403 }], () => both), undefined, 'unused'],
    ['never used in ten runs', tenRuns([], () => both), undefined, 'unused'],
    [
      'not granted in the first runs',
      tenRuns([], (index) => (index < 5 ? ['charge_write'] : both)),
      undefined,
      'new',
    ],
    [
      'case 82: added yesterday, within a window of 30 days',
      [run(40, [refund], ['charge_write']), run(1, [refund], both)],
      30 * DAYS,
      'new',
    ],
    [
      'not used for 30 days',
      [run(40, [customer, refund], both), run(2, [refund], both)],
      30 * DAYS,
      'unused',
    ],
    [
      'first seen 10 days ago, within a window of 30',
      [run(10, [refund], both), run(2, [refund], both)],
      30 * DAYS,
      'new',
    ],
    ['no run in the window', [run(40, [refund], both)], 30 * DAYS, 'unknown'],
    ['a run whose grant is not known', [run(40, [refund], both), run(3, [refund])], undefined, 'unknown'],
    [
      'refused calls are no use',
      [run(40, [{ ...customer, status: 403 }, refund], both)],
      undefined,
      'unused',
    ],
    [
      'expanding is use',
      [run(4, [{ ...charges, expand: ['data.customer'] }, refund], both)],
      undefined,
      'used',
    ],
    ['no run at all', [], undefined, 'unknown'],
    ['used with Stripe-Account alone', [run(4, [{ ...customer, account: true }], both)], undefined, 'unused'],
  ])('%s', (_name, runs, windowMs, state) => {
    const use = permissionUse(both, runs, { ...CONTEXT, windowMs });
    expect(use.find(({ permission }) => permission === 'customer_read')?.state).toBe(state);
  });

  it('names the read that is enough where only it was used', () => {
    const [use] = permissionUse(both, [run(4, [charges], both)], CONTEXT);
    expect(use).toMatchObject({
      permission: 'charge_write',
      state: 'unused',
      enough: 'charge_read',
      runs: 1,
    });
  });

  it('takes the grant of today for a run of which none is known, when told to', () => {
    const runs = [run(40, [refund]), run(3, [refund])];
    const uses = permissionUse(both, runs, { ...CONTEXT, isUnchanged: true, windowMs: 30 * DAYS });
    expect(uses.map(({ state }) => state)).toEqual(['used', 'unused']);
  });

  it('looks at the last runs alone, when told to', () => {
    const runs = [run(4, [customer], both), run(3, [refund], both), run(2, [refund], both)];
    const state = (lastRuns: number) =>
      permissionUse(['customer_read'], runs, { ...CONTEXT, lastRuns }).map((use) => use.state);
    expect([state(3), state(2)]).toEqual([['used'], ['unused']]);
  });
});
