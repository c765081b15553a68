import { explainResult } from '../core/result/findings/explain-result.ts';
import type { ProbedKey, VerifyResult } from '../core/result/verify-report.ts';
import type { ProbeResult } from '../core/verdict/finding.ts';
import type { ProfileGrant } from '../session/profile-grant.ts';
import type { OpenSession } from '../session/session.ts';
import { wholeProfileDigest } from '../store/files/profile-digest.ts';
import type { GuardResult } from './verify-through-guard.ts';

/** What was seen through a guard, for the formats that speak of keys: the key is that of the run. */
export function guardVerifyResult(
  { result, probes }: { readonly result: GuardResult; readonly probes: readonly ProbeResult[] },
  { profile, grant }: ProfileGrant,
  asked: { readonly key: ProbedKey; readonly startedAt: Date },
  { catalog, now }: Pick<OpenSession, 'catalog' | 'now'>,
): VerifyResult {
  const { summary, findings, requests, stopped } = result;
  const known: VerifyResult = {
    profile: profile.name,
    file: profile.file,
    profileDigest: wholeProfileDigest(profile),
    startedAt: asked.startedAt.toISOString(),
    durationMs: Math.max(0, now().getTime() - asked.startedAt.getTime()),
    key: asked.key,
    summary,
    findings,
    permissionFindings: [],
    permissions: grant.permissions,
    connectPermissions: grant.connectPermissions,
    // What the key can do besides is what the guard shuts: each is a call that was asked.
    widenings: [],
    unseen: [],
    probes,
    requests,
    ...(stopped === undefined ? {} : { stopped }),
  };
  return { ...known, permissionFindings: explainResult(known, { grant, catalog, fixFor: () => null }) };
}
