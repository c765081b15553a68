import type { PermissionName } from '../catalog/catalog.ts';
import type { RiskTier } from '../catalog/risk.ts';
import type { LastUse } from '../draft/runs/last-use.ts';
import { EXIT, type ExitCode, type Stopped } from '../error.ts';
import type { Widening } from '../grant/grant.ts';
import type { Depth } from '../probe/depth.ts';
import type { UnaskedOperation } from '../probe/probe-plan.ts';
import type { ConnectState } from '../verdict/connect-state.ts';
import type { Finding, ProbeResult, Summary } from '../verdict/finding.ts';
import type { KeyRecordWitness } from '../verdict/record.ts';
import type { Unseen } from '../verdict/unseen.ts';
import type { WitnessContradiction } from '../verdict/witness-contradictions.ts';
import type { Comparison } from './compare-results.ts';
import type { Drift } from './drift.ts';
import { type Fix, type PermissionFinding, shutsTheGate } from './findings/permission-finding.ts';
import type { PastRun } from './history.ts';
import { hasWitness } from './not-determined.ts';
import type { Provenance } from './provenance.ts';

/** The key that was probed; never its secret. */
export interface ProbedKey {
  /** `mk_…` where the key was made here; null for a key that came from elsewhere. */
  readonly id: string | null;
  readonly mode: 'test' | 'live' | null;
  readonly fingerprint: string;
  readonly variable: string;
  /** Where the secret was found: `environment`, or a store such as `.keyaudit/keys.env`. */
  readonly place: string;
  /** When it was made, as far as that is known here. */
  readonly createdAt: string | null;
  /** When it ends by itself, as far as that is known here. */
  readonly expiresAt: string | null;
  /** The connected account that it was made for, as far as that is known here. */
  readonly account: string | null;
  /** The other profile that this key was made or locked for. */
  readonly madeFor: string | null;
}

/** Who was asked what a key may do. */
export interface Witnesses {
  readonly probes: {
    /** Calls that were asked, on both sides. */
    readonly asked: number;
    readonly connect: ConnectState;
  };
  readonly record: KeyRecordWitness;
}

export interface VerifyResult {
  readonly profile: string;
  /** The profile's file, as shown to the user. */
  readonly file: string;
  /** Of what the profile says: `sha256:…`. */
  readonly profileDigest: string;
  /** When its key was first asked. ISO 8601, in UTC. */
  readonly startedAt: string;
  readonly durationMs: number;
  /** Null when no key was found. */
  readonly key: ProbedKey | null;
  readonly summary: Summary;
  readonly findings: readonly Finding[];
  /** What a key can do more shuts the gate only where it is as grave as this; absent: whatever it is. */
  readonly failOn?: RiskTier;
  /** Findings and drift by the permission that explains them, what matters most first. */
  readonly permissionFindings: readonly PermissionFinding[];
  /** The grant. */
  readonly permissions: readonly PermissionName[];
  /** What the profile asks for calls with `Stripe-Account`. */
  readonly connectPermissions: readonly PermissionName[];
  readonly widenings: readonly Widening[];
  /** What left the lock file or the policy, gravest first; absent when nothing was compared with either. */
  readonly drift?: readonly Drift[];
  /** The permissions of both sides whose presence this run could not show, the gravest tier first. */
  readonly unseen: readonly Unseen[];
  /** The tiers of which nothing may be unseen, by `--unseen fail` or the policy; absent where that was not asked. */
  readonly mustSee?: readonly RiskTier[];
  /** Who was asked what the key may do; absent when nobody was. */
  readonly witnesses?: Witnesses;
  /** Answers to probes that cannot be true together with the record. */
  readonly contradictions?: readonly WitnessContradiction[];
  /** When what is granted was last used; absent where no run is at hand. No verdict depends on it. */
  readonly lastUse?: LastUse;
  /** Operations that were left out, since no answer could tell. */
  readonly unasked?: readonly UnaskedOperation[];
  /** Every probe. */
  readonly probes: readonly ProbeResult[];
  readonly requests: number;
  /** Why the run ended early or could not begin, with what to do; absent when it ran to its end. */
  readonly stopped?: Stopped;
  /** What to do where it was stopped. */
  readonly stoppedFix?: Fix;
}

export interface VerifyReport {
  readonly provenance: Provenance;
  readonly target: string;
  readonly apiBase: string;
  /** What was asked of which server, in words: for the sandbox, that nothing at Stripe was touched. */
  readonly targetNote: string;
  readonly catalog: string;
  readonly apiVersion: string;
  readonly depth: Depth;
  /** Operations that a calibration has asked about; absent when there was none. */
  readonly calibrated?: number;
  readonly results: readonly VerifyResult[];
  /** The last runs, this one among them, oldest first; absent where no history is kept. */
  readonly history?: readonly PastRun[];
  /** The test key beside the live key of each profile, with `--compare`. */
  readonly comparisons?: readonly Comparison[];
}

/**
 * Whether this result says yes: a witness was asked, to the end, nothing but accepted findings came up, nothing is
 * unseen that must be seen, and the witnesses do not contradict each other.
 */
export function resultIsOk(result: VerifyResult): boolean {
  const { summary, stopped, drift, contradictions = [] } = result;
  return (
    stopped === undefined &&
    !drift?.some(({ weight }) => weight === 'unknown') &&
    hasWitness(result) &&
    summary.inconclusive === 0 &&
    contradictions.length === 0 &&
    missedSights(result).length === 0 &&
    !hasFindings(result)
  );
}

/** What is unseen although it must be seen; what others cover adds nothing that anybody knows of. */
export function missedSights({
  unseen,
  mustSee = [],
}: Pick<VerifyResult, 'unseen' | 'mustSee'>): readonly Unseen[] {
  return unseen.filter(({ tier, reason }) => reason !== 'covered' && mustSee.includes(tier));
}

/** Whether it goes beyond what was agreed in the lock file or the policy. */
export function hasDrifted({ drift }: VerifyResult): boolean {
  return drift?.some(({ weight }) => weight === 'fails') ?? false;
}

/** Whether something shuts the gate: more or less than the profile says, or than was agreed. */
export function hasFindings(result: VerifyResult): boolean {
  const { summary, failOn, permissionFindings } = result;
  if (failOn !== undefined) return permissionFindings.some((finding) => shutsTheGate(finding, failOn));
  return summary.overGrants + summary.underGrants > 0 || hasDrifted(result);
}

/** Findings outweigh what could not be determined; nothing probed is never a yes. */
export function exitCodeOf(report: Pick<VerifyReport, 'results' | 'comparisons'>): ExitCode {
  if (report.comparisons?.some(({ differences }) => differences.length > 0)) return EXIT.findings;
  if (report.results.some(hasFindings)) return EXIT.findings;
  return report.results.length > 0 && report.results.every(resultIsOk) ? EXIT.ok : EXIT.undetermined;
}
