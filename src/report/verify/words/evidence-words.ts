import type { Depth } from '../../../core/probe/depth.ts';
import type { PermissionFinding } from '../../../core/result/findings/permission-finding.ts';
import type { VerifyReport } from '../../../core/result/verify-report.ts';

/** How clearly it was answered. Weak is no fault of the key, and the word alone would sound like one. */
export const EVIDENCE_WORDS = {
  strong: 'strong evidence',
  weak: 'evidence by a 400 alone',
  record: "by Stripe's record",
} as const;

/** Evidence in words; nothing where a finding has none, or could not be determined. */
export function evidenceWords({ kind, evidence }: Pick<PermissionFinding, 'kind' | 'evidence'>): string[] {
  return evidence === null || kind === 'inconclusive' ? [] : [EVIDENCE_WORDS[evidence]];
}

/** What the words of this report's findings mean; undefined where none has such words. */
export function evidenceLegend({ results }: Pick<VerifyReport, 'results'>): string | undefined {
  const used = new Set(
    results.flatMap(({ permissionFindings }) =>
      permissionFindings.flatMap((finding) => evidenceWords(finding)),
    ),
  );
  const strong = 'Strong evidence: Stripe let the call pass, or refused it for want of the permission.';
  const weak =
    'By a 400 alone: Stripe found fault with a parameter, which it looks at after the permission; that is no fault of the key, only less sure.';
  const told = [
    ...(used.has(EVIDENCE_WORDS.strong) ? [strong] : []),
    ...(used.has(EVIDENCE_WORDS.weak) ? [weak] : []),
  ];
  return told.length === 0 ? undefined : told.join(' ');
}

/** How much was asked, for who does not know the option. */
export const DEPTH_WORDS: Readonly<Record<Depth, string>> = {
  record: "Stripe's record of the key, no call",
  checks: 'the calls that the profile names',
  permissions: 'a call for each permission',
  endpoints: 'every call',
};
