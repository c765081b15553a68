import { allows, type Catalog, isWrite, type OperationName } from '../catalog/catalog.ts';
import { type Grant, sideOf } from '../grant/grant.ts';
import type { Probe } from '../probe/probe.ts';
import type { Profile } from '../profile/profile.ts';
import type { FindingKind, ProbeResult } from '../verdict/finding.ts';
import { judgeResult } from '../verdict/judge-result.ts';
import type { Observation } from '../verdict/observation.ts';
import type { Verdict } from '../verdict/verdict.ts';

/** Refusals that are about the operation itself; all others let it through as far as its amount. */
const SHUT: ReadonlySet<string> = new Set(['keyaudit_operation_not_allowed', 'keyaudit_unknown_operation']);

/** What one probe through the guard showed. */
export interface GuardJudged {
  readonly result: ProbeResult;
  readonly kind: FindingKind | undefined;
  /** The key allows it, the profile does not ask for it, and the guard refused it. */
  readonly isClosed: boolean;
}

/**
 * Holds an answer that came through the guard against what the profile has it let through: whatever else reaches
 * Stripe is a hole, and what is asked for and shut is too little.
 */
export function judgeGuarded(
  { probe, verdict, observation }: { probe: Probe; verdict: Verdict; observation: Observation },
  context: {
    profile: Profile;
    grant: Grant;
    catalog: Catalog;
    through: ReadonlySet<OperationName>;
    connect: boolean;
  },
): GuardJudged {
  const { operation } = probe;
  const { effective } = sideOf(context.grant, context.connect);
  const isThrough = context.through.has(operation.name);
  const isShut = verdict.kind === 'guarded' && SHUT.has(observation.errorCode ?? '');
  const { result } = judgeResult(probe, verdict, observation, context);
  const of = (kind: FindingKind | undefined, message: string): GuardJudged => ({
    kind,
    isClosed: kind === undefined && isShut && allows(effective, operation),
    result: { ...result, expected: isThrough ? 'allowed' : 'forbidden', message },
  });
  if (verdict.kind === 'inconclusive' && !isFromStripe(observation))
    return of('inconclusive', verdict.message);
  if (isThrough && isShut) return of('under-grant', `The guard shuts it, and the profile asks for it.`);
  if (isThrough) return of(undefined, verdict.message);
  if (isShut) return of(undefined, verdict.message);
  const what = isWrite(operation) ? 'A write' : 'A read';
  return of(
    'over-grant',
    `${what} that the profile does not ask for passes the guard (HTTP ${observation.status}).`,
  );
}

/** Whether Stripe answered at all, whatever it said: then the guard has let the call through. */
function isFromStripe({ status, requestId, errorCode = '', foreign, failure }: Observation): boolean {
  if (status === undefined || requestId === undefined) return false;
  return foreign === undefined && failure === undefined && !errorCode.startsWith('keyaudit_');
}
