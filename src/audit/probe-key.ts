import type { OperationName } from '../core/catalog/catalog.ts';
import type { Depth } from '../core/probe/depth.ts';
import { type ProbePlan, planProbes } from '../core/probe/probe-plan.ts';
import type { VerifyResult } from '../core/result/verify-report.ts';
import { findingsOf, summarize } from '../core/verdict/finding.ts';
import { judgeResult } from '../core/verdict/judge-result.ts';
import type { ProfileGrant } from '../session/profile-grant.ts';
import { startProgress } from '../session/progress.ts';
import type { OpenSession } from '../session/session.ts';
import type { FoundKey } from '../store/find-key.ts';
import { fingerprintOf } from '../store/notes/key-records.ts';
import { wholeProfileDigest } from '../store/profile-library.ts';
import { sendProbes } from '../stripe/send-probes.ts';
import { stoppedText } from './stopped-text.ts';

export interface ProbeKeyOptions {
  readonly depth: Depth;
  /** Probes a second. */
  readonly rate?: number;
  /** For one attempt, in ms. */
  readonly timeoutMs?: number;
  /** When the run must be over, by the clock of the context. */
  readonly endBy?: Date;
  /** Operations to probe at any depth. */
  readonly also?: readonly OperationName[];
}

/** Profile → probe plan → send → verdicts → findings, for one key. */
export async function probeKey(
  { profile, grant }: ProfileGrant,
  found: FoundKey,
  options: ProbeKeyOptions,
  session: OpenSession,
): Promise<VerifyResult> {
  const { catalog, probeFor, target } = session;
  const startedAt = session.now();
  const plan = planProbes({
    catalog,
    profile,
    grant,
    depth: options.depth,
    also: options.also ?? [],
    probeFor,
    target: target.name,
  });
  const progress = await startProgress(session, `${profile.name}: ${plan.probes.length} probes`);
  const outcome = await sendProbes(plan.probes, {
    key: found.key,
    target: target.name,
    apiBase: target.apiBase,
    apiVersion: catalog.apiVersion,
    ratePerSecond: options.rate ?? profile.rate,
    timeoutMs: options.timeoutMs,
    deadlineMs: options.endBy === undefined ? undefined : options.endBy.getTime() - session.now().getTime(),
    signal: session.signal,
    onProgress: progress.update,
  }).finally(progress.stop);
  const judged = outcome.results.map(({ probe, verdict, observation }) =>
    judgeResult(probe, verdict, observation, { profile, grant, catalog }),
  );
  const fingerprint = fingerprintOf(found.key);
  const record = (await session.records.all()).find((known) => known.fingerprint === fingerprint);
  return {
    profile: profile.name,
    file: profile.file,
    profileDigest: wholeProfileDigest(profile),
    startedAt: startedAt.toISOString(),
    durationMs: Math.max(0, session.now().getTime() - startedAt.getTime()),
    permissions: grant.permissions,
    widenings: grant.widenings,
    key: {
      id: record?.id ?? null,
      mode: found.key.mode ?? null,
      fingerprint,
      variable: found.variable,
      place: found.place,
      createdAt: record?.createdAt ?? null,
      expiresAt: record?.expiresAt ?? null,
      account: record?.account ?? null,
      madeFor: null,
    },
    summary: summarize(judged),
    findings: findingsOf(judged),
    permissionFindings: [],
    unverifiable: plan.unverifiable,
    unasked: plan.unasked,
    probes: judged.map(({ result }) => result),
    requests: outcome.requests,
    stopped: stoppedText(outcome, profile.name) ?? withheld(plan),
  };
}

/** What the profile or the lock file names is no yes without an answer. */
function withheld({ unasked }: ProbePlan): VerifyResult['stopped'] {
  const names = unasked.filter(({ named }) => named === true).map(({ operation }) => operation);
  if (names.length === 0) return undefined;
  return {
    code: 'PROBE_WITHHELD',
    message: `${names.join(', ')}: not asked, since calibration has shown that the probe is not harmless.`,
    hint: 'Name another call of the same permission in its place.',
  };
}
