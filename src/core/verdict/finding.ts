import type { OperationName, PermissionName, Provenance, ResourceName } from '../catalog/catalog.ts';
import type { RiskTier } from '../catalog/risk.ts';
import type { SourceLocation } from '../error.ts';
import type { Widening } from '../grant/grant.ts';
import type { VerdictKind } from './verdict.ts';

/** Gravest first. docs/errors.md has a heading for each. */
export const FINDING_KINDS = ['over-grant', 'under-grant', 'inconclusive', 'accepted'] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

/** What the profile makes of an operation before anything is sent. */
export type Expectation = 'asked' | 'accepted' | 'reported-widening' | 'widening' | 'none' | 'unknown';

/** What one probe showed, beside what the profile says; the rows of every report. */
export interface ProbeResult {
  readonly operation: OperationName;
  readonly method: string;
  readonly path: string;
  readonly resource: ResourceName;
  /** The permission that decides: the granted one, else the one to ask for; null when unknown. */
  readonly permission: PermissionName | null;
  /** Whether it is about the Connect side: calls with `Stripe-Account`. */
  readonly connect: boolean;
  /** It tells of the whole side, not of the call that was asked. */
  readonly ofWholeSide?: boolean;
  /** What is at stake with the permission; `other` where none is known. */
  readonly tier: RiskTier;
  readonly expected: 'allowed' | 'forbidden';
  readonly observed: VerdictKind;
  /** `record`: Stripe's own record of the key says so, not a probe. */
  readonly evidence: 'strong' | 'weak' | 'record';
  /** HTTP status; null when no answer came. */
  readonly status: number | null;
  readonly provenance: Provenance;
  /** From sending to the last byte of the last attempt, in ms. */
  readonly timeMs: number;
  readonly expectation: Expectation;
  /** Why it is inconclusive. */
  readonly reason?: string;
  /** What else a reader should know: a scope that differs from the catalog's, a write answered 2xx. */
  readonly notes: readonly string[];
  readonly message: string;
  /** The line of the profile that grants the operation, or that should. */
  readonly location?: SourceLocation;
}

export interface Finding extends ProbeResult {
  readonly kind: FindingKind;
}

export interface Summary {
  readonly probes: number;
  /** As expected; `accepted` findings are counted apart. */
  readonly passed: number;
  readonly overGrants: number;
  readonly underGrants: number;
  readonly inconclusive: number;
  readonly accepted: number;
}

export interface Judged {
  readonly result: ProbeResult;
  readonly kind: FindingKind | undefined;
}

/** Counts judged probes; a finding by the record counts as a finding, and is no probe. */
export function summarize(judged: readonly Judged[]): Summary {
  const count = (kind: FindingKind | undefined) => judged.filter((one) => one.kind === kind).length;
  return {
    probes: judged.filter(({ result }) => result.evidence !== 'record').length,
    passed: count(undefined),
    overGrants: count('over-grant'),
    underGrants: count('under-grant'),
    inconclusive: count('inconclusive'),
    accepted: count('accepted'),
  };
}

/** The findings, gravest first; writes before reads within a kind. */
export function findingsOf(judged: readonly Judged[]): Finding[] {
  return judged
    .flatMap(({ result, kind }) => (kind === undefined ? [] : [{ kind, ...result }]))
    .sort(
      (a, b) =>
        FINDING_KINDS.indexOf(a.kind) - FINDING_KINDS.indexOf(b.kind) ||
        Number(a.method === 'GET') - Number(b.method === 'GET'),
    );
}

/** The widenings that can write and that the profile does not accept, whether or not this run probed them. */
export function unacceptedWrites(widenings: readonly Widening[]): readonly Widening[] {
  return widenings.filter((widening) => widening.canWrite && !widening.accepted);
}
