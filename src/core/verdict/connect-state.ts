import type { Catalog } from '../catalog/catalog.ts';
import { riskOf } from '../catalog/risk.ts';
import type { Grant } from '../grant/grant.ts';
import type { Probe } from '../probe/probe.ts';
import { locatePermission } from '../profile/locate-operation.ts';
import type { Profile } from '../profile/profile.ts';
import type { FindingKind, Judged } from './finding.ts';
import type { Observation } from './observation.ts';
import { CAUSE_TEXT } from './read-cause.ts';
import { holds, type Verdict, type VerdictKind } from './verdict.ts';

/**
 * What is known of the Connect side of a key as a whole. `none`: it has no Connect permission at all. `some`: it has
 * some. `no-platform`: its account is no Connect platform. `unknown`: no answer that tells. `not-asked`: nobody asked.
 */
export type ConnectState = 'none' | 'some' | 'no-platform' | 'unknown' | 'not-asked';

/**
 * Reads the answer to one call with a `Stripe-Account` that cannot exist: a key without any Connect permission is told
 * so (dialect f) before the account is looked for; to another the account is not there (g), or the call is refused.
 * @see docs/observed.md
 */
export function readConnectState(verdict: Verdict, { refusal, cause }: Observation): ConnectState {
  switch (refusal?.dialect) {
    case 'f':
      return 'none';
    case 'g':
      return 'some';
    case 'h':
      return 'no-platform';
    default:
      if (cause === 'connect-off') return 'no-platform';
      return holds(verdict.kind) || verdict.kind === 'forbidden' ? 'some' : 'unknown';
  }
}

/**
 * What the one call with a `Stripe-Account` that cannot exist shows beside the profile: Connect permissions that it does
 * not ask for, or none where it does. Nothing where that is as it should be, or where the answer was not about the key.
 */
export function judgeConnectCheck(
  { probe, verdict, observation }: { probe: Probe; verdict: Verdict; observation: Observation },
  context: { profile: Profile; grant: Grant; catalog: Catalog },
): readonly Judged[] {
  const { connectPermissions } = context.grant;
  const state = readConnectState(verdict, observation);
  if (state === 'some' && connectPermissions.length === 0) {
    const message =
      'This key holds Connect permissions (calls with Stripe-Account), and the profile asks for none. Take them off the key, or add them under connect_permissions.';
    return [judged('over-grant', null, message, { probe, verdict, observation }, context)];
  }
  if (state === 'none') {
    return connectPermissions.map((name) => {
      const message = `This key has no Connect permissions at all, and the profile needs ${name} for calls with Stripe-Account. Add it to the key, or take the need out of the profile.`;
      return judged('under-grant', name, message, { probe, verdict, observation }, context);
    });
  }
  if (state !== 'unknown' || !UNANSWERED.has(verdict.reason ?? '')) return [];
  const message = `${verdict.message} Nothing is known about the Connect side.`;
  return [judged('inconclusive', null, message, { probe, verdict, observation }, context)];
}

/** Why asking again could tell more. */
const UNANSWERED: ReadonlySet<string> = new Set([
  'network',
  'rate-limit',
  'server-error',
  'foreign-answer',
  'dead-key',
  'ip-refused',
]);

function judged(
  kind: FindingKind,
  permission: string | null,
  message: string,
  { probe, verdict, observation }: { probe: Probe; verdict: Verdict; observation: Observation },
  { profile, catalog }: { profile: Profile; catalog: Catalog },
): Judged {
  const { operation } = probe;
  return {
    kind,
    result: {
      operation: operation.name,
      method: operation.method,
      path: operation.path,
      resource: operation.resource,
      permission,
      connect: true,
      ofWholeSide: true,
      // Which ones is not known, so it may be the gravest.
      tier: permission === null ? 'money-out' : riskOf(permission).tier,
      expected: kind === 'under-grant' ? 'allowed' : 'forbidden',
      observed: kind === 'over-grant' && verdict.kind === 'gated' ? 'gated' : observedOf(kind),
      evidence: kind === 'inconclusive' ? 'weak' : 'strong',
      status: observation.status ?? null,
      provenance: 'documented',
      timeMs: Math.round(observation.timeMs),
      expectation: kind === 'under-grant' ? 'asked' : 'none',
      reason: kind === 'inconclusive' ? verdict.reason : undefined,
      notes: [
        ...(kind === 'under-grant' ? ['The key has no Connect permissions at all.'] : []),
        ...(verdict.kind === 'gated' ? [CAUSE_TEXT['approval-required']] : []),
      ],
      message,
      location:
        permission === null
          ? profile.location
          : locatePermission(permission, profile, catalog, { connect: true }),
    },
  };
}

function observedOf(kind: FindingKind): VerdictKind {
  if (kind === 'inconclusive') return 'inconclusive';
  return kind === 'over-grant' ? 'allowed' : 'forbidden';
}
