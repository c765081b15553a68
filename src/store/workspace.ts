import { randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import lockfile from 'proper-lockfile';
import { KeyauditError } from '../core/error.ts';
import { LockLost, moveInPlace, writeNew } from './files/replace-file.ts';

/** The folder of keyaudit's own state, in the working folder. */
export const WORKSPACE = '.keyaudit';

/** Only the owner may list or enter. */
const DIRECTORY_MODE = 0o700;
/** Only the owner may read or write. */
const FILE_MODE = 0o600;

/** Longest wait for another keyaudit process, about 10 s in all. */
const LOCK_RETRIES = { retries: 40, minTimeout: 20, maxTimeout: 300, factor: 1.5, randomize: true };
/** A lock whose owner has not touched it for so long is taken over, in ms. */
const LOCK_STALE_MS = 3_000;
/** After so long a process no longer writes by a lock that it took, in ms: soon others may. */
const LOCK_SURE_MS = 2_500;
/** How often work is begun anew after its lock was lost. */
const MOST_ATTEMPTS = 3;

/**
 * Makes `.keyaudit/` (0700, ignored by git) in a working folder and returns its path.
 * @throws KeyauditError `STORE_UNWRITABLE`
 */
export async function openWorkspace(cwd: string): Promise<string> {
  const dir = join(cwd, WORKSPACE);
  return guardWrites(dir, async () => {
    await mkdir(dir, { recursive: true, mode: DIRECTORY_MODE });
    await refuseLink(dir);
    await chmod(dir, DIRECTORY_MODE);
    await writeFile(join(dir, '.gitignore'), '*\n', { mode: FILE_MODE, flag: 'wx' }).catch(keepExisting);
    return dir;
  });
}

/**
 * Refuses a place of ours that is a link: whoever brought it chose where secrets and notes would go.
 * @throws KeyauditError `STORE_UNWRITABLE`
 */
export async function refuseLink(path: string): Promise<void> {
  const isLink = await lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );
  if (!isLink) return;
  throw new KeyauditError('STORE_UNWRITABLE', `${path} is a link, and keyaudit follows none there.`, {
    hint: 'It may have come with the checkout. Look where it leads, and remove it.',
  });
}

/**
 * Writes a private file whole or not at all.
 * @param stillHeld whether the file is still this process's to write, by the lock that it took
 * @throws KeyauditError `STORE_UNWRITABLE`
 */
export async function writePrivateFile(
  file: string,
  content: string | Buffer,
  stillHeld: () => boolean = () => true,
): Promise<void> {
  await guardWrites(file, async () => {
    const temporary = `${file}.${randomBytes(6).toString('hex')}`;
    await writeNew(temporary, content, FILE_MODE);
    try {
      moveInPlace(temporary, file, stillHeld);
    } finally {
      await rm(temporary, { force: true });
    }
  });
}

/**
 * Runs `work` while no other keyaudit process holds the lock of `file`; the file need not exist. `work` writes only
 * while `stillHeld` says so: the lock of a process that was frozen is taken over, and then all is begun anew.
 * @throws KeyauditError `STORE_LOCKED` when another process holds it for too long
 */
export async function withFileLock<T>(
  file: string,
  work: (stillHeld: () => boolean) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const lock = await takeLock(file);
    try {
      return await work(lock.isHeld);
    } catch (error) {
      if (!(error instanceof LockLost)) throw error;
      if (attempt === MOST_ATTEMPTS) {
        throw new KeyauditError('STORE_LOCKED', `The lock of ${file} was lost before it could be written.`, {
          hint: 'This machine or its disk is very slow, or keyaudit was frozen. Nothing was changed; run it again.',
        });
      }
    } finally {
      await lock.release();
    }
  }
}

async function takeLock(file: string): Promise<{ isHeld(): boolean; release(): Promise<void> }> {
  let isLost = false;
  const hint = 'Wait for it to end, then run this again.';
  const release = await lock(file, { retries: LOCK_RETRIES, hint }, () => {
    isLost = true;
  });
  const age = ageOfNow();
  return { isHeld: () => !isLost && age() < LOCK_SURE_MS, release };
}

/** A lock of a process that died is over after {@link LOCK_STALE_MS}; waiting for a living one is of no use. */
const HOLD_RETRIES = { retries: 20, minTimeout: 200, maxTimeout: 200, factor: 1 };

/**
 * Holds the lock of a file for as long as a process lives; the file need not exist.
 * @param lost called when another process took it over, as after a long sleep of the machine
 * @returns releases it
 * @throws KeyauditError `STORE_LOCKED` when another process holds it
 */
export function holdFileLock(file: string, lost: () => void): Promise<() => Promise<void>> {
  return lock(file, { retries: HOLD_RETRIES, hint: 'End it first, or use another folder.' }, lost);
}

async function lock(
  file: string,
  { retries, hint }: { readonly retries: object; readonly hint: string },
  lost: () => void,
): Promise<() => Promise<void>> {
  const options = { realpath: false, retries, stale: LOCK_STALE_MS, onCompromised: lost };
  const release = await guardWrites(file, () =>
    lockfile.lock(file, options).catch((cause: unknown) => {
      if ((cause as NodeJS.ErrnoException).code !== 'ELOCKED') throw cause;
      throw new KeyauditError('STORE_LOCKED', `Another keyaudit process holds ${file}.`, { hint, cause });
    }),
  );
  // One that was lost is another's by now.
  return () => release().catch(() => {});
}

/**
 * How old this moment has become, in ms, by the clock that runs on the quicker: one stands still while the machine
 * sleeps, the other can be set back.
 */
export function ageOfNow(): () => number {
  const [steady, wall] = [performance.now(), Date.now()];
  return () => Math.max(performance.now() - steady, Date.now() - wall);
}

/** Turns what a file system refuses into one clear error. */
export async function guardWrites<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw writeError(path, cause);
  }
}

/** What a file system refused as one clear error; any other error as it is. */
export function writeError(path: string, cause: unknown): unknown {
  const code = (cause as NodeJS.ErrnoException).code;
  const why = code === undefined ? undefined : refusals[code];
  if (why === undefined) return cause;
  return new KeyauditError('STORE_UNWRITABLE', `${path} cannot be written: ${why} (${code}).`, {
    hint: 'Work in a folder that you may write to and that has room; nothing was changed.',
    cause,
  });
}

const refusals: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EISDIR: 'a folder is in its place',
  ENOENT: 'its folder does not exist',
  EEXIST: 'a file is in the place of a folder',
};

function keepExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
