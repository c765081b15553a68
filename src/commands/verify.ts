import { randomBytes } from 'node:crypto';
import { buildProbe } from '../core/build-probe.ts';
import type { Operation } from '../core/catalog.ts';
import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import { findingsOf, judgeResult, summarize } from '../core/finding.ts';
import { parametersOf } from '../core/parameters.ts';
import type { Probe } from '../core/probe.ts';
import { DEPTHS, type Depth, planProbes } from '../core/probe-plan.ts';
import { exitCodeOf, type VerifyReport, type VerifyResult } from '../core/verify-report.ts';
import { findKey } from '../store/find-key.ts';
import { fingerprintOf, readKeyRecords } from '../store/key-records.ts';
import { type SendOutcome, sendProbes } from '../stripe/send-probes.ts';
import type { CommandContext } from './context.ts';
import { loadCatalog } from './load-catalog.ts';
import { type OpenTarget, openTarget } from './open-target.ts';
import { grantsFor, type ProfileGrant } from './profile-grant.ts';
import { startProgress } from './progress.ts';
import { parseReportRequests, printReports } from './verify-output.ts';

export interface VerifyOptions {
  readonly profiles: readonly string[];
  readonly all?: boolean;
  readonly keyEnv?: string;
  readonly depth?: Depth;
  /** Probes a second. */
  readonly rate?: number;
  /** Further reports, each `FORMAT=FILE`. */
  readonly report?: readonly string[];
}

const emptySummary = { probes: 0, passed: 0, overGrants: 0, underGrants: 0, inconclusive: 0, accepted: 0 };

/** `keyaudit verify`: probe each key, compare it with its profile, report, gate. */
export async function verify(options: VerifyOptions, context: CommandContext): Promise<ExitCode> {
  const requests = await parseReportRequests(options.report ?? [], context);
  const grants = await grantsFor(options, context);
  if (options.keyEnv !== undefined && grants.length > 1) {
    throw new KeyauditError('USAGE', '--key-env names one key, but several profiles are to be verified.');
  }
  const catalog = loadCatalog();
  const target = await openTarget(context);
  try {
    const results: VerifyResult[] = [];
    for (const one of grants) results.push(await verifyOne(one, options, target, context));
    const report: VerifyReport = {
      target: context.globals.target,
      apiBase: target.apiBase,
      targetNote: target.note,
      catalog: catalog.source,
      apiVersion: catalog.apiVersion,
      depth: options.depth ?? defaultDepth(grants),
      results,
    };
    await printReports(report, requests, context);
    return exitCodeOf(report);
  } finally {
    await target.close();
  }
}

function defaultDepth(grants: readonly ProfileGrant[]): Depth {
  return grants.some(({ profile }) => profile.only) ? 'endpoints' : (DEPTHS[1] as Depth);
}

async function verifyOne(
  { profile, grant }: ProfileGrant,
  options: VerifyOptions,
  target: OpenTarget,
  context: CommandContext,
): Promise<VerifyResult> {
  const catalog = loadCatalog();
  const base = { profile: profile.name, file: profile.file, widenings: grant.widenings };
  const found = await findKey({
    profile: profile.name,
    variable: profile.env,
    ...(options.keyEnv === undefined ? {} : { keyEnv: options.keyEnv }),
    env: context.env,
    cwd: context.cwd,
    live: context.globals.live,
  }).catch((error: unknown) => {
    // A missing key of one profile must not hide what the others' keys can do.
    if (error instanceof KeyauditError && error.exitCode === EXIT.undetermined) return error;
    throw error;
  });
  if (found instanceof KeyauditError) {
    const { code, message, hint } = found;
    const stopped = hint === undefined ? { code, message } : { code, message, hint };
    return {
      ...base,
      key: null,
      summary: emptySummary,
      findings: [],
      unverifiable: [],
      probes: [],
      requests: 0,
      stopped,
    };
  }
  const nonce = randomBytes(6).toString('hex');
  const probes = new Map<Operation, Probe>();
  const probeFor = (operation: Operation): Probe => {
    const known = probes.get(operation);
    if (known !== undefined) return known;
    const probe = buildProbe(operation, { parameters: parametersOf(operation.name), nonce });
    probes.set(operation, probe);
    return probe;
  };
  const depth = options.depth ?? (profile.only ? 'endpoints' : 'permissions');
  const plan = planProbes({ catalog, profile, grant, depth, probeFor });
  const progress = startProgress(context, `${profile.name}: ${plan.probes.length} probes`);
  const rate = options.rate ?? profile.rate;
  const outcome = await sendProbes(plan.probes, {
    key: found.key,
    target: context.globals.target,
    apiBase: target.apiBase,
    apiVersion: catalog.apiVersion,
    ...(rate === undefined ? {} : { ratePerSecond: rate }),
    signal: context.signal,
    onProgress: progress.update,
  }).finally(progress.stop);
  const judged = outcome.results.map(({ probe, verdict, observation }) =>
    judgeResult(probe, verdict, observation, { profile, grant, catalog }),
  );
  const fingerprint = fingerprintOf(found.key);
  const records = await readKeyRecords(context.cwd);
  const stopped = stoppedText(outcome, profile.name);
  return {
    ...base,
    key: {
      id: records.find((record) => record.fingerprint === fingerprint)?.id ?? null,
      mode: found.key.mode ?? null,
      fingerprint,
      variable: found.variable,
      place: found.place,
    },
    summary: summarize(judged),
    findings: findingsOf(judged),
    unverifiable: plan.unverifiable,
    probes: judged.map((one) => one.result),
    requests: outcome.requests,
    ...(stopped === undefined ? {} : { stopped }),
  };
}

function stoppedText(outcome: SendOutcome, profile: string): VerifyResult['stopped'] {
  switch (outcome.stopped?.reason) {
    case undefined:
      return undefined;
    case 'dead-key':
      return {
        code: 'KEY_DEAD',
        message: outcome.stopped.verdict?.message ?? 'The key is dead.',
        hint: `A dead key is refused everything, which proves nothing. Make a new one with "keyaudit provision ${profile}".`,
      };
    case 'unsafe-probe':
      return {
        code: 'PROBE_UNSAFE',
        message: outcome.stopped.verdict?.message ?? 'A probe was answered as if it had written.',
        hint: 'Undo what it changed, and report this probe: no probe may ever change anything.',
      };
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
