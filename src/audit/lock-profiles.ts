import { EXIT, KeyauditError } from '../core/error.ts';
import { LOCK_FILE, type Lock, lockProfile, mergeLock, type Verified } from '../core/lock/lock.ts';
import { exitCodeOf, resultIsOk, type VerifyReport } from '../core/result/verify-report.ts';
import { shellWord } from '../core/shell-word.ts';
import { verdictLine } from '../report/verify/words/verdict-line.ts';
import { grantsFor } from '../session/profile-grant.ts';
import type { Session } from '../session/session.ts';
import { type LockFile, readLockFile, renderLock, writeLockFile } from '../store/lock-file.ts';
import { requireWritable } from '../store/result-file.ts';
import { depthFor } from './depth-for.ts';
import { type VerifyProfilesOptions, verifyProfiles } from './verify-profiles.ts';

export interface LockProfilesOptions extends VerifyProfilesOptions {
  readonly profiles: readonly string[];
  readonly all?: boolean;
  readonly examples?: boolean;
  readonly lock?: string;
  /** Write nothing. */
  readonly check?: boolean;
}

/** What was locked, and what that changed. */
export interface Locked {
  readonly file: string;
  /** Whether the file would change in more than its keys. */
  readonly changed: boolean;
  readonly report: VerifyReport;
  readonly verified: readonly Verified[];
  /** The file as it was. */
  readonly previous: LockFile | undefined;
}

/**
 * Verifies each key and writes how far it reaches to the lock file. While a key has findings nothing is
 * written: what is agreed on must first be true.
 * @throws KeyauditError `NOT_LOCKED` with the exit code of the report
 */
export async function lockProfiles(options: LockProfilesOptions, session: Session): Promise<Locked> {
  const { check = false, all = false, lock: file = LOCK_FILE } = options;
  const grants = await grantsFor(options, session);
  await requireWritable(session, file, 'input');
  const previous = await readPrevious(session.cwd, file, { replace: all && !check });
  const { report, verified } = await verifyProfiles(grants, options, session);
  if (exitCodeOf(report) !== EXIT.ok)
    throw notLocked(report, `${file} ${check ? 'could not be compared' : 'was not written'}`);
  const entries = verified.map(
    (seen) =>
      [seen.profile.name, lockProfile(seen, { ...report, depth: depthFor(seen.profile, options) })] as const,
  );
  const next = mergeLock(previous?.lock, new Map(entries), { whole: all });
  const changed = previous === undefined || textBesidesKeys(next) !== textBesidesKeys(previous.lock);
  if (!check) await writeLockFile(session, file, next);
  return { file, changed, report, verified, previous };
}

/** The lock file as it is; a broken one does not keep `lock --all` from making it anew. */
async function readPrevious(
  cwd: string,
  file: string,
  { replace }: { replace: boolean },
): Promise<LockFile | undefined> {
  return readLockFile(cwd, file).catch((error: unknown) => {
    const code = error instanceof KeyauditError ? error.code : undefined;
    if (code === 'LOCK_MISSING' || (code === 'LOCK_INVALID' && replace)) return undefined;
    throw error;
  });
}

function notLocked(report: VerifyReport, outcome: string): KeyauditError {
  const wrong = report.results.filter((result) => !resultIsOk(result));
  return new KeyauditError('NOT_LOCKED', `${outcome}: not every key is as its profile says.`, {
    exitCode: exitCodeOf(report),
    problems: wrong.map((result) => ({
      message: `${result.profile}: ${verdictLine(result)}.${result.stopped === undefined ? '' : ` ${result.stopped.message}`}`,
      hint: result.stopped?.hint,
    })),
    hint: `"keyaudit verify ${wrong.map(({ profile }) => shellWord(profile)).join(' ')}" shows every finding.`,
  });
}

/** Keys differ after every rotation, which is no reason to write or review the file. */
function textBesidesKeys(lock: Lock): string {
  const profiles = Object.entries(lock.profiles).map(
    ([name, { made: _, ...locked }]) => [name, { ...locked, fingerprint: '' }] as const,
  );
  return renderLock({ ...lock, profiles: Object.fromEntries(profiles) });
}
