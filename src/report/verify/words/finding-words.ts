import type { RiskTier } from '../../../core/catalog/risk.ts';
import type { PermissionFinding } from '../../../core/result/findings/permission-finding.ts';
import type { VerifyResult } from '../../../core/result/verify-report.ts';
import { FINDING_KINDS, type FindingKind } from '../../../core/verdict/finding.ts';
import { counted } from '../../text.ts';

/** What a permission of a tier puts at stake, in two or three words. */
export const TIER_WORDS: Readonly<Record<RiskTier, string>> = {
  'self-widening': 'self-widening',
  'money-out': 'money out',
  'money-in': 'money in',
  'personal-data': 'personal data',
  other: 'no known risk',
};

/** Whether a finding is about what was agreed alone, and no call showed more or less than the profile says. */
export function isDriftAlone({ kind, cause }: PermissionFinding): boolean {
  return cause !== 'not-seen' && !FINDING_KINDS.some((known) => known === kind);
}

/** What a finding is about: its permission, else its calls, else what it is called. */
export function subjectOf({ permission, connect, operations, kind }: PermissionFinding): string {
  if (permission !== null) return connect ? `${permission} (with Stripe-Account)` : permission;
  const [first] = operations;
  if (kind === 'unseen') return 'permissions';
  if (first === undefined) return connect ? 'Connect permissions' : kind;
  return operations.length === 1 ? first : counted(operations.length, 'call');
}

/** The message with all that a reader has to know besides. */
export function sentencesOf(finding: PermissionFinding): string {
  return [finding.message, ...besides(finding)].join(' ');
}

/** What else there is to know: notes, and that it left what was agreed as well. */
export function besides({ notes, drift, cause }: PermissionFinding): readonly string[] {
  return [
    ...notes,
    ...(cause === 'agreement' || drift.length === 0
      ? []
      : [`It is also more than was agreed (${drift.join(', ')}).`]),
  ];
}

/** That the key is another profile's, which explains all the rest. */
export function othersKey({ key, profile }: VerifyResult): string | undefined {
  return key === null || key.madeFor === null || key.madeFor === profile
    ? undefined
    : `This is ${key.madeFor}'s key.`;
}

/** So many permissions with findings of a kind; where nobody has explained them, calls. */
export function countOf(kind: Exclude<FindingKind, never>, result: VerifyResult): number {
  const explained = result.permissionFindings.filter((finding) => finding.kind === kind).length;
  if (explained > 0) return explained;
  const { overGrants, underGrants, inconclusive, accepted } = result.summary;
  return { 'over-grant': overGrants, 'under-grant': underGrants, inconclusive, accepted }[kind];
}
