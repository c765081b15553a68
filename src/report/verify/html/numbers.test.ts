import { describe, expect, it } from 'vitest';
import { finding, stoppedResult, verifyResult } from '../../../../test/support/verify-report-factory.ts';
import type { VerifyResult } from '../../../core/result/verify-report.ts';
import { answersOf } from './numbers.ts';

const UNSEEN = {
  permission: 'payout_write',
  connect: false,
  tier: 'money-out',
  reason: 'blind',
  operations: [],
} as const;
const holds = (...permissions: string[]) => verifyResult({ permissions });
const dead = (...permissions: string[]) => ({
  ...holds(...permissions),
  stopped: { code: 'KEY_DEAD', message: 'Dead.' } as const,
});

const byRecord = (...permissions: string[]): VerifyResult => ({
  ...verifyResult({ permissions, passed: [] }),
  witnesses: {
    probes: { asked: 0, connect: 'not-asked' },
    record: { read: true, id: 'mk_1', permissions, connectPermissions: [], status: 'active' },
  },
});

describe('the row of numbers', () => {
  it.each<[what: string, results: readonly VerifyResult[], moneyOut: string, personal: string, self: string]>(
    [
      ['no key', [], 'no', 'no', 'no'],
      ['a harmless one', [holds('product_read')], 'no', 'no', 'no'],
      ['one that may', [holds('product_read'), holds('charge_write', 'customer_read')], 'yes', 'yes', 'no'],
      [
        'one that may, unasked',
        [verifyResult({ findings: [finding('over-grant')] })],
        'yes beyond',
        'no',
        'no',
      ],
      [
        'one that should and cannot',
        [verifyResult({ permissions: ['charge_write'], findings: [finding('under-grant')] })],
        'no',
        'no',
        'no',
      ],
      [
        'one that may for connected accounts',
        [verifyResult({ connectPermissions: ['payout_write', 'edit_link_write'] })],
        'yes',
        'no',
        'yes',
      ],
      ["one asked by Stripe's record alone", [byRecord('charge_write')], 'yes', 'no', 'no'],
      ['one that widens itself', [holds('api_key_write')], 'no', 'no', 'yes'],
      ['one of which nobody could see it', [verifyResult({ unseen: [UNSEEN] })], 'unknown', 'no', 'no'],
      // Not asked is never as it should be.
      ['a dead one', [dead('charge_write')], 'unknown', 'unknown', 'unknown'],
      [
        'a missing one beside one that may not',
        [stoppedResult(), holds('product_read')],
        'unknown',
        'unknown',
        'unknown',
      ],
      [
        'a missing one beside one that may',
        [stoppedResult(), holds('charge_write')],
        'yes',
        'unknown',
        'unknown',
      ],
    ],
  )('%s', (_what, results, ...expected) => {
    const answers = answersOf({ results }).slice(0, 3);
    expect(answers.map(({ answer, isBeyond }) => `${answer}${isBeyond ? ' beyond' : ''}`)).toEqual(expected);
  });
});
