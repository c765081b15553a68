import type { OperationName } from '../core/catalog/catalog.ts';
import type { Depth } from '../core/probe/depth.ts';
import { type ProbePlan, planProbes } from '../core/probe/probe-plan.ts';
import type { VerifyResult } from '../core/result/verify-report.ts';
import { findingsOf, summarize } from '../core/verdict/finding.ts';
import { judgeResult } from '../core/verdict/judge-result.ts';
import type { CommandContext } from '../session/context.ts';
import { loadCatalog } from '../session/load-catalog.ts';
import { makeProbes } from '../session/probe-maker.ts';
import type { ProfileGrant } from '../session/profile-grant.ts';
import { startProgress } from '../session/progress.ts';
import type { FoundKey } from '../store/find-key.ts';
import { fingerprintOf, readKeyRecords } from '../store/key-records.ts';
import { type SendOutcome, sendProbes } from '../stripe/send-probes.ts';
import type { OpenTarget } from '../targets/open-target.ts';

export interface ProbeKeyOptions {
  /** Default: `permissions`, or `endpoints` for a profile that says `only`. */
  readonly depth?: Depth;
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
  target: OpenTarget,
  context: CommandContext,
): Promise<VerifyResult> {
  const catalog = loadCatalog();
  const probeFor = makeProbes();
  const depth = options.depth ?? (profile.only ? 'endpoints' : 'permissions');
  const also = options.also ?? [];
  const plan = planProbes({
    catalog,
    profile,
    grant,
    depth,
    also,
    probeFor,
    target: context.globals.target,
  });
  const progress = await startProgress(context, `${profile.name}: ${plan.probes.length} probes`);
  const rate = options.rate ?? profile.rate;
  const outcome = await sendProbes(plan.probes, {
    key: found.key,
    target: context.globals.target,
    apiBase: target.apiBase,
    apiVersion: catalog.apiVersion,
    ...(rate === undefined ? {} : { ratePerSecond: rate }),
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    ...(options.endBy === undefined ? {} : { deadlineMs: options.endBy.getTime() - context.now().getTime() }),
    signal: context.signal,
    onProgress: progress.update,
  }).finally(progress.stop);
  const judged = outcome.results.map(({ probe, verdict, observation }) =>
    judgeResult(probe, verdict, observation, { profile, grant, catalog }),
  );
  const fingerprint = fingerprintOf(found.key);
  const record = (await readKeyRecords(context.cwd)).find((one) => one.fingerprint === fingerprint);
  const stopped = stoppedText(outcome, profile.name) ?? withheld(plan);
  return {
    profile: profile.name,
    file: profile.file,
    permissions: grant.permissions,
    widenings: grant.widenings,
    key: {
      id: record?.id ?? null,
      mode: found.key.mode ?? null,
      fingerprint,
      variable: found.variable,
      place: found.place,
      createdAt: record?.createdAt ?? null,
    },
    summary: summarize(judged),
    findings: findingsOf(judged),
    unverifiable: plan.unverifiable,
    unasked: plan.unasked,
    probes: judged.map((one) => one.result),
    requests: outcome.requests,
    ...(stopped === undefined ? {} : { stopped }),
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

/** Why a run ended early, in words. @param profile that a new key could be made for */
export function stoppedText(outcome: SendOutcome, profile?: string): VerifyResult['stopped'] {
  switch (outcome.stopped?.reason) {
    case undefined:
      return undefined;
    case 'dead-key':
      return {
        code: 'KEY_DEAD',
        message: outcome.stopped.verdict?.message ?? 'The key is dead.',
        hint: `A dead key is refused everything, which proves nothing.${
          profile === undefined ? '' : ` Make a new one with "keyaudit provision ${profile}".`
        }`,
      };
    case 'unsafe-probe':
      return {
        code: 'PROBE_UNSAFE',
        message: outcome.stopped.verdict?.message ?? 'A probe was answered as if it had written.',
        hint: 'Undo what it changed, and report this probe: no probe may ever change anything.',
      };
    case 'no-answer': {
      const last = outcome.results.findLast(({ observation }) => observation.failure !== 'given-up');
      const why = last === undefined ? '' : ` ${last.verdict.message}`;
      return {
        code: 'NO_ANSWER',
        message: `Nothing got through to Stripe any more, retries included, so the rest was not asked.${why}`,
        hint: 'Check the network, --api-base and the status of the server, then run it again.',
      };
    }
    case 'interrupted':
      return { code: 'INTERRUPTED', message: 'Interrupted; this report is partial.', hint: 'Run it again.' };
    case 'deadline':
      return {
        code: 'DEADLINE',
        message: 'The deadline passed; this report is partial.',
        hint: 'Allow more time, or a higher rate.',
      };
  }
}
