import { type VerifyProfilesOptions, verifyProfiles } from '../audit/verify-profiles.ts';
import { type ExitCode, KeyauditError } from '../core/error.ts';
import { pastRunOf } from '../core/result/history.ts';
import { exitCodeOf } from '../core/result/verify-report.ts';
import type { ReportRequest } from '../report/verify/formats.ts';
import type { CommandContext } from '../session/context.ts';
import { openAttestor } from '../session/evidence/attest-output.ts';
import { withLastUse } from '../session/evidence/last-use.ts';
import { openRunHistory } from '../session/evidence/run-history.ts';
import { grantsFor, type ProfileGrant } from '../session/profile-grant.ts';
import { openSession, type Session } from '../session/session.ts';
import { parseReportRequests, printReports } from '../session/verify-output.ts';
import type { LockFile } from '../store/lock-file.ts';

export interface VerifyOptions extends VerifyProfilesOptions {
  readonly profiles: readonly string[];
  readonly all?: boolean;
  readonly examples?: boolean;
  /** Further reports, each `FORMAT=FILE`. */
  readonly report?: readonly string[];
  /** Compare with the lock file: what goes beyond it is a finding. */
  readonly frozen?: boolean;
  /** The lock file; naming one means `frozen`. */
  readonly lock?: string;
  /** A file of past runs, a line each, that this one is added to. */
  readonly history?: string;
  /** Where a signed statement of the verdict goes. */
  readonly attest?: string;
  /** The private key that signs it: a file, or `exec:COMMAND`. */
  readonly attestKey?: string;
}

/** `keyaudit verify`: probe each key, compare it with its profile, report, gate. */
export async function verify(options: VerifyOptions, context: CommandContext): Promise<ExitCode> {
  const session = await openSession(context);
  const requests = await parseReportRequests(options.report ?? [], session);
  if (options.compare === true) requireComparable(options, requests, session);
  const grants = await grantsFor({ ...options, profiles: await namedOrOnly(options, session) }, session);
  const lockFile = await readLockFor(grants, options, session);
  const history = options.history === undefined ? undefined : await openRunHistory(options.history, session);
  const attestor = await openAttestor(options, session);
  const verified = (await verifyProfiles(grants, options, session, lockFile)).report;
  const report = { ...verified, results: await withLastUse(verified.results, session) };
  const past = history === undefined ? undefined : [...history.past, pastRunOf(report)];
  await printReports({ ...report, history: past }, requests, session, async () => {
    await history?.add(report);
    await attestor?.write(report);
  });
  return exitCodeOf(report);
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

/** The lock file that `--frozen` asks for, with an entry for each profile. @throws KeyauditError */
async function readLockFor(
  grants: readonly ProfileGrant[],
  { frozen, lock, all }: VerifyOptions,
  context: CommandContext,
): Promise<LockFile | undefined> {
  if (frozen !== true && lock === undefined) return undefined;
  const { readLockFile, requireLocked } = await import('../store/lock-file.ts');
  const names = grants.map(({ profile }) => profile.name);
  const lockFile = await readLockFile(context.cwd, lock, all === true ? undefined : names);
  requireLocked(lockFile, names, { exactly: all === true });
  return lockFile;
}

/** The profiles that were named; where none was, the only one of the project, or the only one that has a key here. */
async function namedOrOnly(
  { profiles, all }: Pick<VerifyOptions, 'profiles' | 'all'>,
  { library, records }: Pick<Session, 'library' | 'records'>,
): Promise<readonly string[]> {
  if (profiles.length > 0 || all === true) return profiles;
  const own = (await library.entries()).filter(({ origin }) => origin === 'own');
  if (own.length > 0) return own.length === 1 ? own.map(({ stem }) => stem) : profiles;
  const keyed = (await records.all()).filter(({ status }) => status === 'active');
  const names = [...new Set(keyed.map(({ profile }) => profile))];
  return names.length === 1 ? names : profiles;
}
