import PQueue from 'p-queue';
import { RISK_TIERS, type RiskTier } from '../core/catalog/risk.ts';
import { parseDuration } from '../core/duration.ts';
import { EXIT, KeyauditError, type Problem, type SourceLocation } from '../core/error.ts';
import { driftFrom, type LockedProfile, lockedProfile, type Verified } from '../core/lock/lock.ts';
import { withPlace } from '../core/next-command.ts';
import { type Depth, deepest, isShallower } from '../core/probe/depth.ts';
import type { Witness } from '../core/probe/witness.ts';
import { type Comparison, compareResults } from '../core/result/compare-results.ts';
import { coverageDrift } from '../core/result/coverage-drift.ts';
import { checkKeyAge } from '../core/result/key-age.ts';
import { resultIsOk, type VerifyReport, type VerifyResult } from '../core/result/verify-report.ts';
import { coverageOf, coverageProblems } from '../core/rules/coverage.ts';
import type { Mode } from '../core/secret-key.ts';
import type { ProfileGrant } from '../session/profile-grant.ts';
import { reportHeader } from '../session/report-header.ts';
import { type OpenSession, type Session, withTarget } from '../session/session.ts';
import { profileDigest, wholeProfileDigest } from '../store/files/profile-digest.ts';
import { findKey } from '../store/find-key.ts';
import type { LockFile } from '../store/lock-file.ts';
import { depthFor } from './depth-for.ts';
import { explainedResult } from './explained-result.ts';
import { madeElsewhere } from './made-elsewhere.ts';
import { type ProbeKeyOptions, probeKey } from './probe-key.ts';
import { KeyRecordReader } from './read-key-record.ts';

/** How keys are found and probed. */
export interface VerifyProfilesOptions {
  /** Take the key from this variable and nowhere else. */
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
  /** Percent of each grant's permissions that the named checks must exercise. */
  readonly minCoverage?: number;
  /** What a key can do more fails only where it is as grave as this. */
  readonly failOn?: RiskTier;
  /** `acct_…`: a connected account with which the Connect side is probed as the own side is. */
  readonly account?: string;
  /** Who is asked (default `auto`). */
  readonly witness?: Witness;
  /** `fail`: what could not be seen makes the result undetermined. */
  readonly unseen?: 'report' | 'fail';
}

/** Verifies the keys of these profiles, each also against its entry of the lock file where there is one. */
export async function verifyProfiles(
  grants: readonly ProfileGrant[],
  options: VerifyProfilesOptions,
  session: Session,
  lockFile?: LockFile,
): Promise<{ report: VerifyReport; verified: readonly Verified[] }> {
  requireOneProfile(grants, options);
  const limits = limitsOf(options, session);
  const depth = deepest(grants.map(({ profile }) => depthFor(profile, options, lockFile)));
  return withTarget(session, async (open) => {
    const header = await reportHeader(open, depth, lockFile);
    const records = new KeyRecordReader(
      open,
      options.depth === 'record' ? 'record' : (options.witness ?? 'auto'),
    );
    const mustSee = await tiersToSee(options, session);
    // One request a key, and no probe: many at once.
    const queue = new PQueue({ concurrency: depth === 'record' ? RECORDS_AT_ONCE : 1 });
    const runs = await Promise.all(
      grants.map((grant) =>
        queue.add(() => verifyOne(grant, { header, options, limits, lockFile, records, mustSee }, open), {
          throwOnTimeout: true,
        }),
      ),
    );
    const verified = runs.flatMap((run) => run.verified);
    const comparisons = runs.flatMap((run) => run.comparison ?? []);
    const results = verified.map(({ result }) => result);
    await noteProofs(results, open);
    return {
      report: {
        // Anew, since it says how long all this took.
        ...(await reportHeader(open, depth, lockFile)),
        results,
        comparisons: options.compare === true ? comparisons : undefined,
      },
      verified,
    };
  });
}

/** Remembers of each key made here that it was proved to be as its profile says; a note, on which nothing depends. */
async function noteProofs(
  results: readonly VerifyResult[],
  { records, now, stderr }: Pick<OpenSession, 'records' | 'now' | 'stderr'>,
): Promise<void> {
  const proved = new Set(results.filter(resultIsOk).map(({ key }) => key?.fingerprint));
  const known = await records.all();
  if (!known.some(({ fingerprint }) => proved.has(fingerprint))) return;
  const verifiedAt = now().toISOString();
  await records
    .update((all) =>
      all.map((record) => (proved.has(record.fingerprint) ? { ...record, verifiedAt } : record)),
    )
    .catch((error: unknown) => {
      if (!(error instanceof KeyauditError)) throw error;
      stderr.write(`warning: that these keys were proved could not be noted: ${error.message}\n`);
    });
}

/** At 100 ms for an answer this reads 160 records a second, which Stripe allows an account. */
const RECORDS_AT_ONCE = 16;

interface OneRun {
  readonly header: ComparedWith['header'];
  readonly options: VerifyProfilesOptions;
  readonly limits: Pick<ProbeKeyOptions, 'timeoutMs' | 'endBy'>;
  readonly lockFile: LockFile | undefined;
  readonly records: KeyRecordReader;
  readonly mustSee: readonly RiskTier[];
}

/** The key of one profile, or with `--compare` its test key and its live key. */
async function verifyOne(
  grant: ProfileGrant,
  { header, options, limits, lockFile, records, mustSee }: OneRun,
  open: OpenSession,
): Promise<{ readonly verified: readonly Verified[]; readonly comparison?: Comparison }> {
  const { profile } = grant;
  const depth = depthFor(profile, options, lockFile);
  const locked = lockedProfile(lockFile?.lock, profile.name);
  const isCovered = locked === undefined || isShallower(depth, locked.depth);
  const also = isCovered ? [] : Object.keys(locked.operations);
  const settings = { ...options, ...limits, depth, also, records };
  const beside = async (result: VerifyResult) => {
    const seen = await compared(grant, result, { header, options, lockFile, locked }, open);
    const asked = {
      ...seen.result,
      failOn: options.failOn,
      mustSee: mustSee.length === 0 ? undefined : mustSee,
    };
    return { ...seen, result: await explainedResult(asked, grant, open, lockFile, options) };
  };
  if (options.compare !== true) return { verified: [await beside(await verifyKey(grant, settings, open))] };
  const test = await verifyKey(grant, { ...settings, mode: 'test' }, open);
  const keyEnv = options.liveKeyEnv ?? `${profile.env}_LIVE`;
  const live = await verifyKey(grant, { ...settings, keyFrom: undefined, keyEnv, mode: 'live' }, open);
  return { verified: [await beside(test), await beside(live)], comparison: compareResults(test, live) };
}

/** The tiers of which nothing may be unseen: all with `--unseen fail`, else those of the policy. */
async function tiersToSee(
  { unseen }: Pick<VerifyProfilesOptions, 'unseen'>,
  { policy }: Pick<Session, 'policy'>,
): Promise<readonly RiskTier[]> {
  return unseen === 'fail' ? RISK_TIERS : ((await policy())?.seen ?? []);
}

interface ComparedWith {
  readonly header: Omit<VerifyReport, 'results' | 'comparisons'>;
  readonly options: VerifyProfilesOptions;
  readonly lockFile: LockFile | undefined;
  readonly locked: LockedProfile | undefined;
}

/** A result beside what was agreed: the lock file, the policy on its age, the coverage that was asked for. */
async function compared(
  { profile, grant }: ProfileGrant,
  seen: VerifyResult,
  { header, options, lockFile, locked }: ComparedWith,
  { catalog, policy, now }: Session,
): Promise<Verified> {
  const result = knownSince(seen, locked);
  const verified = { profile, grant, digest: profileDigest(profile), result };
  const rules = await policy();
  const age = rules === undefined || result.key === null ? undefined : checkKeyAge(rules, result.key, now());
  const uncovered = coverageDrift(lowCoverage({ profile, grant }, options, catalog), profile);
  const locate = (path: readonly PropertyKey[]): SourceLocation =>
    lockFile?.keyAt(['profiles', profile.name, ...path]) ?? profile.location;
  if (locked === undefined && age === undefined && uncovered.length === 0) return verified;
  const drift = [
    ...(age === undefined ? [] : [age]),
    ...uncovered,
    ...(locked === undefined ? [] : driftFrom(locked, verified, header, { catalog, locate })),
  ];
  return { ...verified, result: { ...result, drift } };
}

/** Where the named checks exercise less than `--min-coverage` asks. */
function lowCoverage(
  { profile, grant }: ProfileGrant,
  { minCoverage }: VerifyProfilesOptions,
  catalog: Session['catalog'],
): readonly Problem[] {
  if (minCoverage === undefined) return [];
  return coverageProblems(coverageOf(profile, grant, catalog), minCoverage, profile, catalog);
}

/** A key that was made elsewhere is as old as the lock file says, if it is the one that was locked. */
function knownSince(result: VerifyResult, locked: LockedProfile | undefined): VerifyResult {
  const { key } = result;
  if (key === null || key.createdAt !== null || locked?.made === undefined) return result;
  if (locked.fingerprint !== key.fingerprint) return result;
  return { ...result, key: { ...key, createdAt: locked.made } };
}

/** @throws KeyauditError `USAGE` where one key is named for several profiles */
function requireOneProfile(
  grants: readonly ProfileGrant[],
  { keyEnv, keyFrom, liveKeyEnv }: VerifyProfilesOptions,
): void {
  if (grants.length < 2) return;
  const named = [
    ['--key-env', keyEnv],
    ['--key-from', keyFrom],
    ['--live-key-env', liveKeyEnv],
  ].find(([, value]) => value !== undefined);
  if (named === undefined) return;
  throw new KeyauditError('USAGE', `${named[0]} names one key, but several profiles are to be verified.`);
}

function limitsOf(
  { timeout, deadline }: VerifyProfilesOptions,
  { now }: Pick<Session, 'now'>,
): Pick<ProbeKeyOptions, 'timeoutMs' | 'endBy'> {
  return {
    timeoutMs: timeout === undefined ? undefined : parseDuration(timeout),
    endBy: deadline === undefined ? undefined : new Date(now().getTime() + parseDuration(deadline)),
  };
}

const NOTHING = { probes: 0, passed: 0, overGrants: 0, underGrants: 0, inconclusive: 0, accepted: 0 };

/** Finds the key of a profile and probes it; a key that is missing is a result, so that the others are still seen. */
async function verifyKey(
  { profile, grant }: ProfileGrant,
  options: Pick<VerifyProfilesOptions, 'keyEnv' | 'keyFrom'> & ProbeKeyOptions & { readonly mode?: Mode },
  session: OpenSession,
): Promise<VerifyResult> {
  const base = {
    profile: profile.name,
    file: profile.file,
    profileDigest: wholeProfileDigest(profile),
    startedAt: session.now().toISOString(),
    durationMs: 0,
    permissions: grant.permissions,
    connectPermissions: grant.connectPermissions,
    widenings: grant.widenings,
  };
  const found = await findKey({
    profile: profile.name,
    variable: profile.env,
    keyEnv: options.keyEnv,
    keyFrom: options.keyFrom,
    env: session.env,
    cwd: session.cwd,
    live: session.globals.live,
    records: session.records,
    here: session.target.name,
  })
    .then(async (key) => (await madeElsewhere(key, session)) ?? key)
    .catch((error: unknown) => {
      // A missing key of one profile must not hide what the others' keys can do.
      if (error instanceof KeyauditError && error.exitCode === EXIT.undetermined) return error;
      throw error;
    });
  if (found instanceof KeyauditError) {
    const { code, message, hint } = found;
    return {
      ...base,
      key: null,
      summary: NOTHING,
      findings: [],
      permissionFindings: [],
      unseen: [],
      probes: [],
      requests: 0,
      stopped: {
        code,
        message,
        hint: hint === undefined ? undefined : withPlace(hint, session.globals.place),
      },
    };
  }
  if (options.mode !== undefined && found.key.mode !== options.mode) {
    throw new KeyauditError(
      'KEY_WRONG_MODE',
      `${found.variable} (${found.place}) holds ${found.key}, where the ${options.mode} key of ${profile.name} belongs.`,
      { hint: 'Name the live key with --live-key-env, and the test key with --key-env or as usual.' },
    );
  }
  return probeKey({ profile, grant }, found, options, session);
}
