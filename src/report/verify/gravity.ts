import { byRisk, type PermissionFinding } from '../../core/result/findings/permission-finding.ts';
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
export function resultsByGravity(report: Pick<VerifyReport, 'results'>): readonly VerifyResult[] {
  const rank = (result: VerifyResult): number => {
    if (result.summary.overGrants > 0) return 0;
    if (result.summary.underGrants > 0) return 1;
    if (hasDrifted(result)) return 2;
    return resultIsOk(result) ? 4 : 3;
  };
  return [...report.results].sort((a, b) => rank(a) - rank(b));
}

/** A finding with the result that it belongs to. */
export interface Found {
  readonly result: VerifyResult;
  readonly finding: PermissionFinding;
}

/** The findings of all profiles, what matters most first. Of two profiles that say the same, the order of the report. */
export function findingsByRisk({ results }: Pick<VerifyReport, 'results'>): readonly Found[] {
  return results
    .flatMap((result) => result.permissionFindings.map((finding) => ({ result, finding })))
    .sort((a, b) => byRisk(a.finding, b.finding));
}

/** A call by its name, of each side its own: with `Stripe-Account` it is another call. */
export function callName({ operation, connect = false }: Pick<Finding, 'operation' | 'connect'>): string {
  return connect ? `${operation} with Stripe-Account` : operation;
}

/** Every probe of a result, findings first. */
export function probesByGravity({ findings, probes }: VerifyResult): readonly Judgement[] {
  const found = new Set(findings.map(callName));
  return [
    ...FINDING_KINDS.flatMap((kind) => findings.filter((finding) => finding.kind === kind)).map(
      (finding) => ({ probe: finding, kind: finding.kind }),
    ),
    ...probes.filter((probe) => !found.has(callName(probe))).map((probe) => ({ probe, kind: undefined })),
  ];
}
