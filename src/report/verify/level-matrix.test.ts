import { describe, expect, it } from 'vitest';
import { finding, probeResult, verifyResult } from '../../../test/support/verify-report-factory.ts';
import type { VerifyResult } from '../../core/result/verify-report.ts';
import { levelMatrix } from './level-matrix.ts';

const refused = { expected: 'forbidden', observed: 'forbidden', expectation: 'none' } as const;
const write = { operation: 'refunds.create', method: 'POST', resource: 'refunds' } as const;
const read = { operation: 'refunds.list', method: 'GET', resource: 'refunds' } as const;

describe('levelMatrix', () => {
  it.each<[string, VerifyResult, object]>([
    [
      'asked and allowed to write',
      verifyResult({ passed: [probeResult(read), probeResult(write)] }),
      { expected: 'write', observed: 'write', count: 0, comesAlong: false },
    ],
    [
      'asked to read, refused to write',
      verifyResult({ passed: [probeResult({ ...write, ...refused }), probeResult(read)] }),
      { expected: 'read', observed: 'read', count: 0, comesAlong: false },
    ],
    [
      'a read that Stripe cannot separate',
      verifyResult({ passed: [probeResult({ ...read, expectation: 'reported-widening' })] }),
      { expected: 'none', observed: 'read', count: 0, comesAlong: true },
    ],
    [
      'over-grants',
      verifyResult({ passed: [], findings: [finding('over-grant', write), finding('over-grant', read)] }),
      { expected: 'none', observed: 'write', kind: 'over-grant', count: 2, comesAlong: false },
    ],
    [
      'an under-grant beside something accepted: the graver counts',
      verifyResult({
        passed: [],
        findings: [finding('accepted', write), finding('under-grant', read)],
      }),
      { expected: 'read', observed: 'write', kind: 'under-grant', count: 1, comesAlong: false },
    ],
    [
      'nothing but inconclusive',
      verifyResult({ passed: [], findings: [finding('inconclusive', write)] }),
      { expected: 'write', observed: null, kind: 'inconclusive', count: 1, comesAlong: false },
    ],
    [
      'inconclusive beside a refusal',
      verifyResult({
        passed: [probeResult({ ...read, ...refused })],
        findings: [finding('inconclusive', { ...write, expectation: 'none' })],
      }),
      { expected: 'none', observed: 'none', kind: 'inconclusive', count: 1, comesAlong: false },
    ],
  ])('%s', (_title, result, cell) => {
    expect(levelMatrix({ results: [result] })).toMatchObject([
      { resource: 'refunds', cells: [cell], quiet: false },
    ]);
  });

  it('keeps the Connect side apart, levels and findings', () => {
    const rows = levelMatrix({
      results: [
        verifyResult({
          passed: [
            probeResult({ ...write, ...refused }),
            probeResult({ ...read, ...refused, connect: true }),
          ],
          findings: [finding('over-grant', { ...write, connect: true })],
        }),
      ],
    });
    expect(rows.map(({ resource, cells: [cell] }) => [resource, cell?.observed, cell?.kind])).toEqual([
      ['refunds (Connect)', 'write', 'over-grant'],
      ['refunds', 'none', undefined],
    ]);
  });

  it('puts the gravest first and the quiet last, and leaves what was not probed open', () => {
    const rows = levelMatrix({
      results: [
        verifyResult({
          passed: [
            probeResult({ resource: 'b' }),
            probeResult({ operation: 'q', resource: 'a', ...refused }),
          ],
          findings: [finding('accepted', { resource: 'c' })],
        }),
        verifyResult({ passed: [], findings: [finding('over-grant', { resource: 'z' })] }),
      ],
    });
    expect(rows.map(({ resource, quiet, kinds }) => [resource, quiet, kinds])).toEqual([
      ['z', false, ['over-grant']],
      ['c', false, ['accepted']],
      ['b', false, []],
      ['a', true, []],
    ]);
    expect(rows.map(({ cells }) => cells.map((cell) => cell !== undefined))).toEqual([
      [false, true],
      [true, false],
      [true, false],
      [true, false],
    ]);
  });
});
