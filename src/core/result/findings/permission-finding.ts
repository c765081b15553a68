import type { OperationName, PermissionName } from '../../catalog/catalog.ts';
import { RISK_TIERS, type RiskTier } from '../../catalog/risk.ts';
import type { SourceLocation } from '../../error.ts';
import type { FindingKind } from '../../verdict/finding.ts';
import type { Drift, DriftKind } from '../drift.ts';

/**
 * Why a key can do what it should not, or cannot do what it should. `extra`: it holds a permission that the grant does
 * not have. `widening`: a permission of the grant brings it, and the profile does not accept it. `missing`: it lacks a
 * permission of the grant. `impossible`: no restricted key may. `unanswered`: no answer told. `accepted`: the profile
 * accepts it. `broader`: the key that it is to replace does not hold it. `agreement`: the profile or the key left what was agreed. `not-seen`: nobody could see it, or two witnesses disagree. `unknown`: no permission is known for the call.
 */
export type Cause =
  | 'extra'
  | 'widening'
  | 'missing'
  | 'impossible'
  | 'unanswered'
  | 'accepted'
  | 'broader'
  | 'agreement'
  | 'not-seen'
  | 'unknown';

/** What a run could not see, and where probes and record cannot both be right. */
export type NotSeenKind = 'unseen' | 'contradiction';

/** What to do about a finding. */
export interface Fix {
  /** One sentence. */
  readonly text: string;
  /** For a shell, as it stands, in the working folder of the run; absent where no command can do it. */
  readonly command?: string;
  /** The lines to put before a line of a file of the user's, where that alone mends it. */
  readonly edit?: { readonly file: string; readonly line: number; readonly insert: string };
}

/** All that is to be said of one permission of one key: the calls below it, and what of it left what was agreed. */
export interface PermissionFinding {
  readonly kind: FindingKind | DriftKind | NotSeenKind;
  readonly weight: Drift['weight'];
  /** Null where no permission is known, or where it is about something else. */
  readonly permission: PermissionName | null;
  /** Whether it is about calls with `Stripe-Account`. */
  readonly connect: boolean;
  readonly tier: RiskTier;
  readonly cause: Cause;
  /** What was seen and what is at stake, in whole sentences. */
  readonly message: string;
  readonly operations: readonly OperationName[];
  readonly evidence: 'strong' | 'weak' | 'record' | null;
  /** What else a reader should know, each once. */
  readonly notes: readonly string[];
  /** What of the same permission left what was agreed. */
  readonly drift: readonly DriftKind[];
  readonly fix: Fix | null;
  readonly location: SourceLocation;
}

/** The same before it is known what mends it. */
export type Explained = Omit<PermissionFinding, 'fix'>;

const WEIGHTS: readonly Drift['weight'][] = ['fails', 'unknown', 'warns', 'note'];

/** What shuts the gate first, too little after too much; within that the gravest tier, then what has most calls below it. */
export function byRisk(a: PermissionFinding, b: PermissionFinding): number {
  return (
    WEIGHTS.indexOf(a.weight) - WEIGHTS.indexOf(b.weight) ||
    Number(a.kind === 'under-grant') - Number(b.kind === 'under-grant') ||
    RISK_TIERS.indexOf(a.tier) - RISK_TIERS.indexOf(b.tier) ||
    b.operations.length - a.operations.length
  );
}

/** Kinds that say that a key, or what it may hold, is more than was said: what `--fail-on` weighs by its tier. */
const MORE: ReadonlySet<string> = new Set(['over-grant', 'wider-key', 'wider-profile', 'new-widening']);

/** Whether a finding fails a run that asks for findings as grave as `least`; what is less than was said always does. */
export function shutsTheGate({ kind, weight, tier }: PermissionFinding, least: RiskTier): boolean {
  if (weight !== 'fails') return false;
  return !MORE.has(kind) || RISK_TIERS.indexOf(tier) <= RISK_TIERS.indexOf(least);
}
