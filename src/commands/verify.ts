import { type ProbeKeyOptions, probeKey } from '../audit/probe-key.ts';
import { parseDuration } from '../core/duration.ts';
import { EXIT, type ExitCode, KeyauditError, type Problem, type SourceLocation } from '../core/error.ts';
import { driftFrom, type LockedProfile, lockedProfile, type Verified } from '../core/lock/lock.ts';
import { type Depth, deepest, isShallower } from '../core/probe/depth.ts';
import type { Profile } from '../core/profile/profile.ts';
import { type Comparison, compareResults } from '../core/result/compare-results.ts';
import { coverageDrift } from '../core/result/coverage-drift.ts';
import { checkKeyAge } from '../core/result/key-age.ts';
import { exitCodeOf, type VerifyReport, type VerifyResult } from '../core/result/verify-report.ts';
import { coverageOf, coverageProblems } from '../core/rules/coverage.ts';
import type { Mode } from '../core/secret-key.ts';
import type { ReportRequest } from '../report/verify/formats.ts';
import type { CommandContext } from '../session/context.ts';
import { loadCalibration, loadCatalog } from '../session/load-catalog.ts';
import { grantsFor, openPolicy, type ProfileGrant } from '../session/profile-grant.ts';
import { parseReportRequests, printReports } from '../session/verify-output.ts';
import { findKey } from '../store/find-key.ts';
import type { LockFile } from '../store/lock-file.ts';
import { profileDigest } from '../store/profile-library.ts';
import { type OpenTarget, openTarget } from '../targets/open-target.ts';

export interface VerifyOptions {
  readonly profiles: readonly string[];
  readonly all?: boolean;
  readonly keyEnv?: string;
  /** `exec:COMMAND`. */
  readonly keyFrom?: string;
  /** Default: that of the lock file, else `permissions`, or `endpoints` for a profile that says `only`. */
  readonly depth?: Depth;
  /** Probes a second. */
  readonly rate?: number;
  /** Longest wait for one answer, such as `5s`. */
  readonly timeout?: string;
  /** For the whole run, such as `10m`; what is not asked by then is not determined. */
  readonly deadline?: string;
  /** Also probes the live key of each profile, and shows what differs. */
  readonly compare?: boolean;
  /** The variable of the live key; by default that of the profile with `_LIVE` behind it. */
  readonly liveKeyEnv?: string;
  /** Further reports, each `FORMAT=FILE`. */
  readonly report?: readonly string[];
  /** Compare with the lock file: what goes beyond it is a finding. */
  readonly frozen?: boolean;
  /** The lock file; naming one means `frozen`. */
  readonly lock?: string;
  /** Percent of each grant's permissions that the named checks must exercise. */
  readonly minCoverage?: number;
}

const emptySummary = { probes: 0, passed: 0, overGrants: 0, underGrants: 0, inconclusive: 0, accepted: 0 };

/** `keyaudit verify`: probe each key, compare it with its profile, report, gate. */
export async function verify(options: VerifyOptions, context: CommandContext): Promise<ExitCode> {
  const requests = await parseReportRequests(options.report ?? [], context);
  if (options.compare === true) requireComparable(options, requests, context);
  const grants = await grantsFor(options, context);
  const lockFile = await readLockFor(grants, options, context);
  const { report } = await verifyGrants(grants, options, context, lockFile);
  await printReports(report, requests, context);
  return exitCodeOf(report);
}

/** Verifies the keys of these profiles, each also against its entry of the lock file where there is one. */
export async function verifyGrants(
  grants: readonly ProfileGrant[],
  options: Omit<VerifyOptions, 'report' | 'frozen'>,
  context: CommandContext,
  lockFile?: LockFile,
): Promise<{ report: VerifyReport; verified: readonly Verified[] }> {
  if ((options.keyEnv ?? options.keyFrom) !== undefined && grants.length > 1) {
    throw new KeyauditError(
      'USAGE',
      `${options.keyEnv === undefined ? '--key-from' : '--key-env'} names one key, but several profiles are to be verified.`,
    );
  }
  if (options.liveKeyEnv !== undefined && grants.length > 1) {
    throw new KeyauditError(
      'USAGE',
      '--live-key-env names one key, but several profiles are to be verified.',
    );
  }
  const limits = limitsOf(options, context);
  const catalog = loadCatalog();
  const policy = await openPolicy(context);
  const target = await openTarget(context);
  const about = {
    target: context.globals.target,
    apiBase: target.apiBase,
    targetNote: target.note,
    catalog: catalog.source,
    apiVersion: catalog.apiVersion,
    ...(loadCalibration().entries.size === 0 ? {} : { calibrated: loadCalibration().entries.size }),
    depth: deepest(grants.map(({ profile }) => depthFor(profile, options, lockFile))),
  };
  try {
    const verified: Verified[] = [];
    const comparisons: Comparison[] = [];
    for (const one of grants) {
      const { profile, grant } = one;
      const locked = lockedProfile(lockFile?.lock, profile.name);
      const depth = depthFor(profile, options, lockFile);
      const also =
        locked === undefined || isShallower(depth, locked.depth) ? [] : Object.keys(locked.operations);
      const settings = { ...options, ...limits, depth, also };
      const add = (seen: VerifyResult) => {
        const result = knownSince(seen, locked);
        const now = { profile, grant, digest: profileDigest(profile), result };
        const age =
          policy === undefined || result.key === null
            ? undefined
            : checkKeyAge(policy, result.key, context.now());
        const uncovered = coverageDrift(lowCoverage(one, options), profile);
        const locate = (path: readonly PropertyKey[]): SourceLocation =>
          lockFile?.keyAt(['profiles', profile.name, ...path]) ?? profile.location;
        const drift = [
          ...(age === undefined ? [] : [age]),
          ...uncovered,
          ...(locked === undefined ? [] : driftFrom(locked, now, about, { catalog, locate })),
        ];
        const compared = locked !== undefined || age !== undefined || uncovered.length > 0;
        verified.push(compared ? { ...now, result: { ...result, drift } } : now);
      };
      if (options.compare !== true) {
        add(await verifyOne(one, settings, target, context));
        continue;
      }
      const test = await verifyOne(one, { ...settings, mode: 'test' }, target, context);
      const { keyFrom: _keyFrom, ...rest } = settings;
      const keyEnv = options.liveKeyEnv ?? `${profile.env}_LIVE`;
      const live = await verifyOne(one, { ...rest, keyEnv, mode: 'live' }, target, context);
      add(test);
      add(live);
      comparisons.push(compareResults(test, live));
    }
    const results = verified.map(({ result }) => result);
    const report = options.compare === true ? { ...about, results, comparisons } : { ...about, results };
    return { report, verified };
  } finally {
    await target.close();
  }
}

/** Where the named checks exercise less than `--min-coverage` asks. */
export function lowCoverage(
  { profile, grant }: ProfileGrant,
  { minCoverage }: Pick<VerifyOptions, 'minCoverage'>,
): readonly Problem[] {
  if (minCoverage === undefined) return [];
  const catalog = loadCatalog();
  return coverageProblems(coverageOf(profile, grant, catalog), minCoverage, profile, catalog);
}

/** A key that was made elsewhere is as old as the lock file says, if it is the one that was locked. */
function knownSince(result: VerifyResult, locked: LockedProfile | undefined): VerifyResult {
  const { key } = result;
  if (key === null || key.createdAt !== null || locked?.made === undefined) return result;
  if (locked.fingerprint !== key.fingerprint) return result;
  return { ...result, key: { ...key, createdAt: locked.made } };
}

/** @throws KeyauditError `USAGE` without `--live`, or for a format that has no place for a comparison */
function requireComparable(
  { frozen, lock }: VerifyOptions,
  requests: readonly ReportRequest[],
  { globals }: CommandContext,
): void {
  if (!globals.live) {
    throw new KeyauditError('LIVE_NOT_ALLOWED', '--compare probes a live key.', {
      hint: 'Say --live as well if you mean it.',
    });
  }
  if (frozen === true || lock !== undefined) {
    throw new KeyauditError('USAGE', 'Compare two keys, or one key with the lock file, not both.');
  }
  const other = requests.find(({ format }) => format !== 'table' && format !== 'json');
  if (other === undefined) return;
  throw new KeyauditError('USAGE', `A comparison cannot be shown as ${other.format}.`, {
    hint: 'Use table or json with --compare.',
  });
}

function limitsOf(
  { timeout, deadline }: Pick<VerifyOptions, 'timeout' | 'deadline'>,
  context: CommandContext,
): Pick<ProbeKeyOptions, 'timeoutMs' | 'endBy'> {
  return {
    ...(timeout === undefined ? {} : { timeoutMs: parseDuration(timeout) }),
    ...(deadline === undefined ? {} : { endBy: new Date(context.now().getTime() + parseDuration(deadline)) }),
  };
}

/** The lock file that `--frozen` asks for, with an entry for each profile. @throws KeyauditError */
async function readLockFor(
  grants: readonly ProfileGrant[],
  { frozen, lock, all }: VerifyOptions,
  context: CommandContext,
): Promise<LockFile | undefined> {
  if (frozen !== true && lock === undefined) return undefined;
  const { readLockFile, requireLocked } = await import('../store/lock-file.ts');
  const lockFile = await readLockFile(context.cwd, lock);
  const names = grants.map(({ profile }) => profile.name);
  requireLocked(lockFile, names, { exactly: all === true });
  return lockFile;
}

/** How deep a profile is verified. */
export function depthFor(
  profile: Profile,
  { depth }: Pick<VerifyOptions, 'depth'>,
  lockFile?: Pick<LockFile, 'lock'>,
): Depth {
  return (
    depth ??
    lockedProfile(lockFile?.lock, profile.name)?.depth ??
    (profile.only ? 'endpoints' : 'permissions')
  );
}

async function verifyOne(
  { profile, grant }: ProfileGrant,
  options: Pick<VerifyOptions, 'keyEnv' | 'keyFrom'> & ProbeKeyOptions & { readonly mode?: Mode },
  target: OpenTarget,
  context: CommandContext,
): Promise<VerifyResult> {
  const base = {
    profile: profile.name,
    file: profile.file,
    permissions: grant.permissions,
    widenings: grant.widenings,
  };
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
  if (options.mode !== undefined && found.key.mode !== options.mode) {
    throw new KeyauditError(
      'KEY_WRONG_MODE',
      `${found.variable} (${found.place}) holds ${found.key}, where the ${options.mode} key of ${profile.name} belongs.`,
      { hint: 'Name the live key with --live-key-env, and the test key with --key-env or as usual.' },
    );
  }
  return probeKey({ profile, grant }, found, options, target, context);
}
