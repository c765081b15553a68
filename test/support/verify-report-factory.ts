import type { LastUse } from '../../src/core/draft/runs/last-use.ts';
import { type Drift, type DriftKind, driftWeight } from '../../src/core/result/drift.ts';
import { byRisk, type PermissionFinding } from '../../src/core/result/findings/permission-finding.ts';
import type { VerifyReport, VerifyResult } from '../../src/core/result/verify-report.ts';
import type { Finding, FindingKind, ProbeResult, Summary } from '../../src/core/verdict/finding.ts';
import type { TextOutput } from '../../src/report/text.ts';

/** A probe that was answered as the profile says: `charges.list`, asked and allowed. */
export function probeResult(changes: Partial<ProbeResult> = {}): ProbeResult {
  return {
    operation: 'charges.list',
    method: 'GET',
    path: '/v1/charges',
    resource: 'charges',
    permission: 'charge_read',
    connect: false,
    tier: 'personal-data',
    expected: 'allowed',
    observed: 'allowed',
    evidence: 'strong',
    status: 200,
    provenance: 'documented',
    timeMs: 12,
    expectation: 'asked',
    notes: [],
    message: 'Allowed: answered HTTP 200.',
    location: { file: 'profiles/analytics.yaml', line: 4, column: 3 },
    ...changes,
  };
}

const ofKind: Readonly<Record<FindingKind, Partial<ProbeResult>>> = {
  'over-grant': { expected: 'forbidden', observed: 'allowed', expectation: 'none', status: 404 },
  'under-grant': { expected: 'allowed', observed: 'forbidden', expectation: 'asked', status: 403 },
  inconclusive: { observed: 'inconclusive', reason: 'rate-limit', evidence: 'weak', status: 429 },
  accepted: { expected: 'forbidden', observed: 'allowed', expectation: 'accepted', status: 400 },
};

/** A finding of a kind about `refunds.create`, with what such a finding has. */
export function finding(kind: FindingKind, changes: Partial<ProbeResult> = {}): Finding {
  return {
    kind,
    ...probeResult({
      operation: 'refunds.create',
      method: 'POST',
      path: '/v1/refunds',
      resource: 'refunds',
      permission: 'charge_write',
      tier: 'money-out',
      message: `A finding of kind ${kind}.`,
      location: { file: 'profiles/analytics.yaml', line: 7, column: 5 },
      ...ofKind[kind],
      ...changes,
    }),
  };
}

/** A drift of a kind, about an operation named after it. */
export function drift(kind: DriftKind, changes: Partial<Drift> = {}): Drift {
  return {
    kind,
    weight: driftWeight(kind),
    name: `${kind}.call`,
    message: `A drift of kind ${kind}.`,
    location: { file: 'keyaudit.lock.yaml', line: 9, column: 5 },
    ...changes,
  };
}

/** A finding as the only one of its permission. */
function alone({
  kind,
  operation,
  permission,
  message,
  evidence,
  notes,
  location,
}: Finding): PermissionFinding {
  return {
    kind,
    weight: kind === 'inconclusive' ? 'unknown' : kind === 'accepted' ? 'note' : 'fails',
    permission,
    connect: false,
    tier: kind === 'inconclusive' ? 'other' : 'money-out',
    cause: kind === 'over-grant' ? 'extra' : kind === 'under-grant' ? 'missing' : 'unanswered',
    message,
    operations: [operation],
    evidence,
    notes,
    drift: [],
    fix: kind === 'accepted' ? null : { text: `What mends ${kind}.`, command: 'keyaudit rotate analytics' },
    location: location ?? { file: 'profiles/analytics.yaml', line: 1, column: 1 },
  };
}

/** Findings of one kind and permission as the one that they are. */
function together(findings: readonly Finding[]): readonly PermissionFinding[] {
  const [first] = findings;
  return first === undefined
    ? []
    : [{ ...alone(first), operations: findings.map(({ operation }) => operation) }];
}

/** A drift as a finding of its own. */
function driftAlone({ kind, weight, name, message, location }: Drift): PermissionFinding {
  return {
    kind,
    weight,
    permission: null,
    connect: false,
    tier: 'other',
    cause: 'agreement',
    message,
    operations: [name],
    evidence: null,
    notes: [],
    drift: [kind],
    fix: { text: 'What mends it.', command: 'keyaudit lock analytics' },
    location,
  };
}

/** The result of one profile; its summary follows from its findings and its further probes. */
export function verifyResult({
  findings = [],
  passed = [probeResult()],
  ...changes
}: Partial<Omit<VerifyResult, 'probes' | 'summary'>> & {
  passed?: readonly ProbeResult[];
} = {}): VerifyResult {
  const count = (kind: FindingKind) => findings.filter((one) => one.kind === kind).length;
  const summary: Summary = {
    probes: passed.length + findings.length,
    passed: passed.length,
    overGrants: count('over-grant'),
    underGrants: count('under-grant'),
    inconclusive: count('inconclusive'),
    accepted: count('accepted'),
  };
  return {
    profile: 'analytics',
    file: 'profiles/analytics.yaml',
    profileDigest: `sha256:${'ab'.repeat(32)}`,
    startedAt: '2026-11-02T08:00:01.000Z',
    durationMs: 2500,
    key: {
      id: 'mk_test_1',
      mode: 'test',
      fingerprint: 'sha256:0123456789abcdef',
      variable: 'STRIPE_ANALYTICS_KEY',
      place: 'environment',
      createdAt: null,
      expiresAt: null,
      account: null,
      madeFor: null,
    },
    summary,
    findings,
    permissionFindings: [...findings.map(alone), ...(changes.drift ?? []).map(driftAlone)].sort(byRisk),
    permissions: [],
    connectPermissions: [],
    widenings: [],
    unseen: [],
    probes: [...passed, ...findings.map(({ kind: _kind, ...probe }) => probe)],
    requests: summary.probes,
    ...changes,
  };
}

/** Of a recorded run: one permission never used, one used, and one of the Connect side that no run had. */
export const LAST_USE: LastUse = {
  witnesses: ['recordings', 'guard-log'],
  runs: 9,
  from: '2026-11-01T08:00:00.000Z',
  to: '2026-11-24T08:00:00.000Z',
  permissions: [
    { permission: 'customer_read', connect: false, state: 'unused', runs: 0, had: 9, lastUsed: null },
    { permission: 'payout_write', connect: true, state: 'new', runs: 0, had: 0, lastUsed: null },
    {
      permission: 'charge_write',
      connect: false,
      state: 'unused',
      runs: 7,
      had: 9,
      lastUsed: '2026-11-23T08:00:00.000Z',
      enough: 'charge_read',
    },
  ],
  unseen: ['A connection to files.stripe.com.'],
};

/** A result that could not begin. */
export function stoppedResult(changes: Partial<VerifyResult> = {}): VerifyResult {
  return verifyResult({
    key: null,
    passed: [],
    stopped: { code: 'KEY_MISSING', message: 'There is no key.', hint: 'Make one.' },
    ...changes,
  });
}

export function verifyReport(results: readonly VerifyResult[] = [verifyResult()]): VerifyReport {
  return {
    provenance: {
      startedAt: '2026-11-02T08:00:00.000Z',
      durationMs: 4000,
      keyaudit: '1.2.3',
      ci: null,
      policy: null,
      lock: null,
    },
    target: 'sandbox',
    apiBase: 'http://127.0.0.1:4242',
    targetNote: 'Asked the sandbox; nothing at Stripe was touched.',
    catalog: 'stripe-node 23.1.0',
    apiVersion: '2026-01-28.clover',
    depth: 'permissions',
    results,
  };
}

/** An output that keeps what is written. */
export function captured(): TextOutput & { readonly text: string } {
  const chunks: string[] = [];
  return {
    write: (text) => chunks.push(text),
    columns: undefined,
    colour: false,
    get text() {
      return chunks.join('');
    },
  };
}

/**
 * Texts that break a format that does not escape them. A profile's name cannot hold most of these, but
 * its file's name and an acceptance's reason can, and a renderer does not rely on its caller.
 */
export const HOSTILE_TEXTS: readonly string[] = [
  'quote " and \' and `tick`',
  'line one\nline two\r\nline three',
  '<script>alert(1)</script>',
  '</script><img src=x onerror=alert(1)>',
  '%0A::error::forged',
  '\n::error file=x::forged',
  'legacy ##[error]forged',
  'a,b:c=d | cell \\| cell',
  ']]> &amp; <!-- -->',
  'bell \u0007 escape \u001b[31m null \u0000',
  'separator \u2028 and half of a pair \ud800',
];

/** A report of `profiles` × `operations` probes: a few findings of each kind, the rest as expected. */
export function largeReport(profiles: number, operations: number): VerifyReport {
  const kinds: readonly FindingKind[] = ['over-grant', 'under-grant', 'inconclusive', 'accepted'];
  return verifyReport(
    Array.from({ length: profiles }, (_, profile) => {
      const passed: ProbeResult[] = [];
      const findings: Finding[] = [];
      for (let index = 0; index < operations; index++) {
        const resource = `resource_${Math.floor(index / 4)}`;
        const method = index % 2 === 0 ? 'GET' : 'POST';
        const facts = {
          operation: `${resource}.call${index}`,
          method,
          path: `/v1/${resource}/{id}`,
          resource,
        };
        const kind = kinds[(index + profile) % 100];
        if (kind !== undefined) findings.push(finding(kind, facts));
        else if ((index + profile) % 3 === 0) passed.push(probeResult(facts));
        else
          passed.push(
            probeResult({
              ...facts,
              expected: 'forbidden',
              observed: 'forbidden',
              expectation: 'none',
              status: 403,
            }),
          );
      }
      return verifyResult({
        permissionFindings: kinds.flatMap((kind) => together(findings.filter((one) => one.kind === kind))),
        profile: `agent-${profile}`,
        file: `profiles/agent-${profile}.yaml`,
        passed,
        findings,
      });
    }),
  );
}
