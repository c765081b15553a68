import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import { DEPTHS, type Depth } from '../core/probe-plan.ts';
import { exitCodeOf, type VerifyReport, type VerifyResult } from '../core/verify-report.ts';
import { findKey } from '../store/find-key.ts';
import type { CommandContext } from './context.ts';
import { loadCatalog } from './load-catalog.ts';
import { type OpenTarget, openTarget } from './open-target.ts';
import { probeKey } from './probe-key.ts';
import { grantsFor, type ProfileGrant } from './profile-grant.ts';
import { parseReportRequests, printReports } from './verify-output.ts';

export interface VerifyOptions {
  readonly profiles: readonly string[];
  readonly all?: boolean;
  readonly keyEnv?: string;
  /** `exec:COMMAND`. */
  readonly keyFrom?: string;
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
  if ((options.keyEnv ?? options.keyFrom) !== undefined && grants.length > 1) {
    throw new KeyauditError(
      'USAGE',
      `${options.keyEnv === undefined ? '--key-from' : '--key-env'} names one key, but several profiles are to be verified.`,
    );
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
  const base = { profile: profile.name, file: profile.file, widenings: grant.widenings };
  const found = await findKey({
    profile: profile.name,
    variable: profile.env,
    ...(options.keyEnv === undefined ? {} : { keyEnv: options.keyEnv }),
    ...(options.keyFrom === undefined ? {} : { keyFrom: options.keyFrom }),
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
  return probeKey({ profile, grant }, found, options, target, context);
}
