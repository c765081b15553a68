import { describe, expect, it } from 'vitest';
import type { ProbeResult } from '../verdict/finding.ts';
import type { VerdictKind } from '../verdict/verdict.ts';
import { compareResults } from './compare-results.ts';
import { exitCodeOf, type VerifyResult } from './verify-report.ts';

function result(observed: Readonly<Record<string, VerdictKind>>): VerifyResult {
  const probes = Object.entries(observed).map(
    ([operation, kind]) =>
      ({ operation, method: 'GET', path: '/v1/x', permission: 'x_read', observed: kind }) as ProbeResult,
  );
  const summary = { probes: 1, passed: 1, overGrants: 0, underGrants: 0, inconclusive: 0, accepted: 0 };
  return { profile: 'p', key: null, summary, findings: [], unseen: [], probes } as unknown as VerifyResult;
}

describe('compareResults', () => {
  it.each<
    [
      what: string,
      test: Record<string, VerdictKind>,
      live: Record<string, VerdictKind>,
      differs: string[],
      undetermined: string[],
    ]
  >([
    ['the same', { a: 'allowed', b: 'forbidden' }, { a: 'allowed', b: 'forbidden' }, [], []],
    ['more in live mode', { a: 'forbidden' }, { a: 'allowed' }, ['a forbidden allowed'], []],
    ['less in live mode', { a: 'allowed' }, { a: 'forbidden' }, ['a allowed forbidden'], []],
    ['forbidden and impossible', { a: 'forbidden' }, { a: 'impossible' }, [], []],
    ['allowed and impossible', { a: 'allowed' }, { a: 'impossible' }, ['a allowed impossible'], []],
    ['one that did not tell', { a: 'inconclusive' }, { a: 'allowed' }, [], ['a']],
    ['one that was asked of one key alone', { a: 'allowed' }, { b: 'allowed' }, [], ['a', 'b']],
  ])('%s', (_what, test, live, differs, undetermined) => {
    const comparison = compareResults(result(test), result(live));
    expect(comparison.differences.map((one) => `${one.operation} ${one.test} ${one.live}`)).toEqual(differs);
    expect(comparison.undetermined).toEqual(undetermined);
    const results = [result(test)];
    expect(exitCodeOf({ results, comparisons: [comparison] })).toBe(differs.length > 0 ? 1 : 0);
  });
});
