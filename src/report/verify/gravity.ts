import type { Drift } from '../../core/result/drift.ts';
import {
  hasDrifted,
  resultIsOk,
  type VerifyReport,
  type VerifyResult,
} from '../../core/result/verify-report.ts';
import {
  FINDING_KINDS,
  type Finding,
  type FindingKind,
  type ProbeResult,
} from '../../core/verdict/finding.ts';

/** A probe with the finding that it came to, if any. */
export interface Judgement {
  readonly probe: ProbeResult;
  readonly kind: FindingKind | undefined;
}

/** The results of a report, those with the gravest findings first. */
export function resultsByGravity(report: VerifyReport): readonly VerifyResult[] {
  const rank = (result: VerifyResult): number => {
    if (result.summary.overGrants > 0) return 0;
    if (result.summary.underGrants > 0) return 1;
    if (hasDrifted(result)) return 2;
    return resultIsOk(result) ? 4 : 3;
  };
  return [...report.results].sort((a, b) => rank(a) - rank(b));
}

/** The findings of all profiles, gravest first. */
export function findingsByGravity(
  report: VerifyReport,
): readonly { readonly result: VerifyResult; readonly finding: Finding }[] {
  const all = report.results.flatMap((result) => result.findings.map((finding) => ({ result, finding })));
  return FINDING_KINDS.flatMap((kind) => all.filter(({ finding }) => finding.kind === kind));
}

/** What left the lock file or the policy, in all profiles: what fails first. `note`s only where asked for. */
export function driftsByGravity(
  report: Pick<VerifyReport, 'results'>,
  { notes = false }: { notes?: boolean } = {},
): readonly { readonly result: VerifyResult; readonly drift: Drift }[] {
  const all = report.results.flatMap((result) => (result.drift ?? []).map((drift) => ({ result, drift })));
  const weights: readonly Drift['weight'][] = notes
    ? ['fails', 'unknown', 'warns', 'note']
    : ['fails', 'unknown', 'warns'];
  return weights.flatMap((weight) => all.filter(({ drift }) => drift.weight === weight));
}

/** Every probe of a result, findings first. */
export function probesByGravity({ findings, probes }: VerifyResult): readonly Judgement[] {
  const found = new Set(findings.map(({ operation }) => operation));
  return [
    ...FINDING_KINDS.flatMap((kind) => findings.filter((finding) => finding.kind === kind)).map(
      (finding) => ({ probe: finding, kind: finding.kind }),
    ),
    ...probes.filter(({ operation }) => !found.has(operation)).map((probe) => ({ probe, kind: undefined })),
  ];
}

/** Why a result is no answer: it was stopped, or nothing was probed. */
export function notDetermined({ stopped, summary }: VerifyResult): VerifyResult['stopped'] {
  if (stopped !== undefined) return stopped;
  if (summary.probes > 0) return undefined;
  return {
    code: 'NOTHING_PROBED',
    message: 'Nothing was probed.',
    hint: 'Choose a greater --depth, or name calls in the profile\'s "checks".',
  };
}
