import { describe, expect, it } from 'vitest';
import { captured, verifyReport, verifyResult } from '../../../../test/support/verify-report-factory.ts';
import type { VerifyReport } from '../../../core/result/verify-report.ts';
import { loadRenderer, VERIFY_FORMATS } from '../formats.ts';
import { keyFacts, reportFacts } from './provenance-facts.ts';

const report: VerifyReport = {
  ...verifyReport([
    verifyResult({
      key: {
        id: 'mk_1',
        mode: 'test',
        fingerprint: 'sha256:0123456789abcdef01234567',
        variable: 'STRIPE_KEY',
        place: 'environment',
        createdAt: '2026-10-21T08:00:00.000Z',
        expiresAt: '2027-01-31T10:30:00.000Z',
        account: 'acct_1KeyauditAccount',
        madeFor: null,
      },
    }),
  ]),
  provenance: {
    startedAt: '2026-11-02T08:00:00.000Z',
    durationMs: 4000,
    keyaudit: '1.2.3',
    ci: {
      system: 'GitHub Actions',
      commit: '0123456789abcdef0123456789abcdef01234567',
      ref: 'main',
      repository: 'https://github.com/acme/pay',
      url: 'https://github.com/acme/pay/actions/runs/17',
    },
    policy: { file: 'keyaudit.policy.yaml', digest: `sha256:${'12'.repeat(32)}` },
    lock: { file: 'keyaudit.lock.yaml', digest: `sha256:${'34'.repeat(32)}` },
  },
};

describe('provenance', () => {
  // An annotation of GitHub is a line of the profile, and the job summary has the rest; GitLab reads fixed fields.
  it.each(VERIFY_FORMATS.filter((format) => format !== 'github' && format !== 'gitlab'))(
    'stands in %s',
    async (format) => {
      const output = captured();
      (await loadRenderer(format))(report, output, { verbose: false, version: '1.2.3', sourcePrefix: '' });
      const text = output.text.replace(/\s+/g, ' ').replaceAll('&#x2F;', '/');
      for (const fact of [
        /2026-11-02[ T]08:00/,
        /4(?:\.0+ s|000|\.000)/,
        /1\.2\.3/,
        /sandbox/,
        /stripe-node 23\.1\.0/,
        /2026-01-28\.clover/,
        /permissions/,
        /mk_1/,
        /sha256:0123456789abcdef01234567/,
        /2026-10-21/,
        /2027-01-31/,
        /acct_1KeyauditAccount/,
        /0123456789abcdef0123456789abcdef01234567/,
        /https:\/\/github\.com\/acme\/pay\/actions\/runs\/17/,
        new RegExp(`sha256:${'ab'.repeat(32)}`),
        new RegExp(`sha256:${'12'.repeat(32)}`),
        new RegExp(`sha256:${'34'.repeat(32)}`),
      ])
        expect(text, String(fact)).toMatch(fact);
    },
  );

  it('says what is not known instead of leaving it out', () => {
    const facts = new Map(keyFacts(verifyResult({ key: { ...key(), id: null } })));
    expect(facts.get('age')).toBe('not known here');
    expect(facts.get('expires')).toBe('not known here');
    expect(new Map(keyFacts(verifyResult())).get('expires')).toBe('never');
    expect(new Map(keyFacts(verifyResult({ key: null }))).get('key')).toBe('none found');
    expect(new Map(reportFacts(verifyReport())).has('commit')).toBe(false);
  });
});

function key() {
  const { key: known } = verifyResult();
  if (known === null) throw new Error('the factory has no key');
  return known;
}
