import type { Catalog } from '../catalog/catalog.ts';
import { remarksOn } from '../catalog/remark.ts';
import { riskOf } from '../catalog/risk.ts';
import { type Grant, type GrantSide, sideOf } from '../grant/grant.ts';
import type { Probe } from '../probe/probe.ts';
import { locateOperation } from '../profile/locate-operation.ts';
import type { Profile } from '../profile/profile.ts';
import type { Expectation, FindingKind, Judged } from './finding.ts';
import { messageFor } from './finding-message.ts';
import type { Observation } from './observation.ts';
import { CAUSE_TEXT } from './read-cause.ts';
import type { Verdict } from './verdict.ts';

/** What the profile says of an operation, on one side. */
function expectationOf(
  { name, permissions, method }: Probe['operation'],
  { profile, grant, side }: { profile: Profile; grant: Grant; side: GrantSide },
): Expectation {
  if (side.asked.has(name)) return 'asked';
  const isGranted = permissions.some((permission) => side.effective.has(permission));
  if (grant.accepted.has(name) && (isGranted || side !== grant.connect)) return 'accepted';
  if (permissions.length === 0) return 'unknown';
  if (!isGranted) return 'none';
  return method !== 'GET' || profile.widening === 'strict' || profile.only ? 'widening' : 'reported-widening';
}

/** Verdict → finding: compares one observed verdict with what the profile says. */
export function judgeResult(
  probe: Probe,
  verdict: Verdict,
  observation: Observation,
  context: { profile: Profile; grant: Grant; catalog: Catalog; connect?: boolean },
): Judged {
  const { operation } = probe;
  const { connect = false } = context;
  const side = sideOf(context.grant, connect);
  const expectation = expectationOf(operation, { ...context, side });
  const kind = findingKind(expectation, verdict);
  const permission =
    operation.permissions.find((name) => side.effective.has(name)) ?? operation.permissions[0];
  const expected = expectation === 'asked' || expectation === 'reported-widening' ? 'allowed' : 'forbidden';
  const facts = {
    operation: operation.name,
    method: operation.method,
    path: operation.path,
    resource: operation.resource,
    permission: permission ?? null,
    connect,
    tier: permission === undefined ? 'other' : riskOf(permission).tier,
    expected,
    observed: verdict.kind,
    evidence: verdict.evidence,
    status: observation.status ?? null,
    provenance: operation.provenance,
    timeMs: Math.round(observation.timeMs),
    expectation,
    reason: verdict.reason,
    notes: [
      ...notesFor(probe, verdict, context.catalog),
      ...(kind === undefined ? [] : remarksOn(operation, context.catalog)),
    ],
  } as const;
  const message = messageFor(kind, facts, verdict, context.grant.accepted.get(operation.name)?.reason);
  const accepted = context.grant.accepted.has(operation.name);
  const location = locateOperation(operation, context.profile, context.catalog, { accepted, connect });
  return { result: { ...facts, message, location }, kind };
}

function findingKind(expectation: Expectation, verdict: Verdict): FindingKind | undefined {
  switch (verdict.kind) {
    case 'inconclusive':
      return 'inconclusive';
    case 'allowed':
    case 'gated':
      if (expectation === 'asked' || expectation === 'reported-widening') return undefined;
      return expectation === 'accepted' ? 'accepted' : 'over-grant';
    case 'forbidden':
    case 'guarded':
    case 'impossible':
      return expectation === 'asked' ? 'under-grant' : undefined;
  }
}

/** A scope in the answer that differs from the catalog's is worth saying: either may be wrong. */
function notesFor(probe: Probe, verdict: Verdict, catalog: Catalog): string[] {
  const { operation } = probe;
  const named = verdict.named.map(
    (name) =>
      catalog.permissionByAnyName(name)?.name ?? catalog.permissionByAnyName(`rak_${name}`)?.name ?? name,
  );
  const notes: string[] = verdict.kind === 'gated' ? [CAUSE_TEXT['approval-required']] : [];
  if (
    named.length > 0 &&
    operation.permissions.length > 0 &&
    !named.some((name) => operation.permissions.includes(name))
  ) {
    notes.push(
      `Stripe's answer names ${named.join(' or ')}; the catalog has ${operation.permissions.join(' or ')} (${operation.provenance}). One of them is wrong.`,
    );
  }
  if (named.length > 0 && operation.permissions.length === 0) {
    notes.push(
      `Stripe's answer names ${named.join(' or ')}; the catalog knows no permission for this operation.`,
    );
  }
  return notes;
}
