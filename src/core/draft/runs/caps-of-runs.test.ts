import { describe, expect, it } from 'vitest';
import { catalog, grantOf, profileOf, TODAY } from '../../../../test/support/profiles.ts';
import { recordedRun } from '../../../../test/support/recorded-run.ts';
import { capLines } from '../../../report/guard/cap-lines.ts';
import { Expansions } from '../../catalog/expansion.ts';
import { guardContradictions } from '../../grant/let-through.ts';
import { lintProfile } from '../../rules/lint-profile.ts';
import { foldRuns } from './fold-runs.ts';
import { profileOfRuns } from './profile-of-runs.ts';
import type { NotedCall, RecordedRun } from './recorded-run.ts';

const expansions = new Expansions(catalog);
const run = (day: number, calls: readonly NotedCall[]) =>
  recordedRun(new Date(Date.UTC(2026, 10, day)), calls);
const draftOf = (runs: readonly RecordedRun[]) =>
  profileOfRuns(foldRuns(runs, catalog), catalog, expansions, {
    name: 'agent',
    today: TODAY,
    withRefused: false,
  });

/** The draft as it is once a person has agreed: the section taken in, its writes accepted. */
function agreed(text: string): string {
  return text
    .replace(/^# (?=(?:guard:| {2}(?:only|caps|unpriced):| {4}- \{))/gm, '')
    .replace(/^# (?=(?:accept:| {2}- operations:| {6}- | {4}reason:))/gm, '');
}

const charge = (amount: number | undefined, currency = 'usd'): NotedCall => ({
  method: 'POST',
  path: '/v1/charges',
  amount,
  currency: amount === undefined ? undefined : currency,
});
const refund = (amount: number | undefined, currency?: string): NotedCall => ({
  method: 'POST',
  path: '/v1/refunds',
  parameters: amount === undefined ? ['charge'] : ['amount', 'charge'],
  amount,
  currency,
});
const capture = (amount: number): NotedCall => ({
  method: 'POST',
  path: '/v1/payment_intents/pi_1/capture',
  amount,
  currency: 'usd',
});

describe('the caps that are proposed', () => {
  it.each<[string, readonly (readonly NotedCall[])[], readonly string[]]>([
    ['nothing moved', [[{ method: 'GET', path: '/v1/charges' }]], []],
    [
      'the largest call, the largest run, to two digits',
      [[charge(4_217), charge(1_000)], [charge(100)]],
      ['at most 43.00 usd per call of in', 'at most 53.00 usd and 2 calls per run of in'],
    ],
    [
      'by direction',
      [[charge(4_217), refund(500, 'usd')]],
      [
        'at most 43.00 usd per call of in',
        'at most 43.00 usd and 1 calls per run of in',
        'at most 5.00 usd per call of out',
        'at most 5.00 usd and 1 calls per run of out',
      ],
    ],
    [
      'a refund that names no currency is in that of all else',
      [[charge(4_000, 'eur'), refund(1_234)]],
      [
        'at most 40.00 eur per call of in',
        'at most 40.00 eur and 1 calls per run of in',
        'at most 13.00 eur per call of out',
        'at most 13.00 eur and 1 calls per run of out',
      ],
    ],
    [
      'each currency by itself, in what it can be paid in',
      [[charge(505, 'jpy'), charge(12_345, 'bhd'), charge(101, 'isk')]],
      [
        'at most 13.000 bhd and 2.00 isk and 510 jpy per call of in',
        'at most 13.000 bhd and 2.00 isk and 510 jpy and 3 calls per run of in',
      ],
    ],
    [
      'what was turned down moved nothing',
      [[charge(100), { ...charge(90_000), status: 402 }, { ...charge(80_000), status: 403 }]],
      ['at most 1.00 usd per call of in', 'at most 1.00 usd and 1 calls per run of in'],
    ],
    [
      'what was not answered may have moved',
      [[charge(100), { ...charge(900), status: undefined }, { ...charge(700), status: 500 }]],
      ['at most 9.00 usd per call of in', 'at most 17.00 usd and 3 calls per run of in'],
    ],
    [
      'a capture',
      [[capture(700)]],
      ['at most 7.00 usd per call of in', 'at most 7.00 usd and 1 calls per run of in'],
    ],
  ])('%s', (_name, runs, lines) => {
    const { text, caps } = draftOf(runs.map((calls, day) => run(day + 1, calls)));
    if (lines.length === 0) {
      expect(caps).toBeUndefined();
      expect(text).not.toContain('guard');
      return;
    }
    expect(caps?.open).toEqual([]);
    // As it stands it is no section: somebody has to agree to it.
    expect(profileOf(text).guard).toBeUndefined();
    const profile = profileOf(agreed(text));
    const grant = grantOf(profile);
    expect(capLines(profile.guard ?? expect.fail(text)).slice(0, lines.length)).toEqual(lines);
    expect(profile.guard).toMatchObject({ only: 'checks' });
    expect(guardContradictions(profile, grant, catalog)).toEqual([]);
    const problems = lintProfile(profile, grant, catalog, TODAY);
    expect(problems.filter(({ message }) => !/why|reason/i.test(message))).toEqual([]);
  });

  it('names what the runs did not show, and lint asks for it', () => {
    const { text, caps } = draftOf([
      run(1, [refund(undefined), refund(500), { method: 'POST', path: '/v1/account_links' }]),
    ]);
    expect(caps?.open).toEqual([
      expect.stringMatching(
        /^out: no call named the currency; in its smallest unit at most 500 a call, 500 a run\.$/,
      ),
      expect.stringMatching(/^out: calls of refunds\.create named no amount/),
    ]);
    expect(caps?.unpriced).toEqual({ calls: 1, of: ['accountLinks.create'] });
    const profile = profileOf(agreed(text));
    expect(profile.guard?.unpriced).toEqual({ calls: 1, of: ['accountLinks.create'] });
    expect(guardContradictions(profile, grantOf(profile), catalog)).toMatchObject([
      { message: 'No cap says how much refunds.create may move.' },
    ]);
  });

  it('leaves calls with Stripe-Account open where there are such', () => {
    const { text } = draftOf([run(1, [charge(100), { ...charge(200), account: true }])]);
    expect(profileOf(agreed(text)).guard).toMatchObject({ only: 'asked' });
  });
});
