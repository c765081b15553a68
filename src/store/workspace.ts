import { chmod, lstat, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import lockfile from 'proper-lockfile';
import { KeyauditError } from '../core/error.ts';
import { writeWhole } from './files/write-whole.ts';

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

/** Writes a private file whole or not at all. @throws KeyauditError `STORE_UNWRITABLE` */
export async function writePrivateFile(file: string, content: string | Buffer): Promise<void> {
  await guardWrites(file, () => writeWhole(file, content, FILE_MODE));
}

/**
 * Runs `work` while no other keyaudit process holds the lock of `file`; the file need not exist.
 * @throws KeyauditError `STORE_LOCKED` when another process holds it for too long
 */
export async function withFileLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  const release = await guardWrites(file, () =>
    lockfile
      .lock(file, { realpath: false, retries: LOCK_RETRIES, stale: LOCK_STALE_MS })
      .catch((cause: unknown) => {
        if ((cause as NodeJS.ErrnoException).code !== 'ELOCKED') throw cause;
        throw new KeyauditError('STORE_LOCKED', `Another keyaudit process holds ${file}.`, {
          hint: 'Wait for it to end, then run this again.',
          cause,
        });
      }),
  );
  try {
    return await work();
  } finally {
    await release();
  }
}

/** Turns what a file system refuses into one clear error. */
export async function guardWrites<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const why = code === undefined ? undefined : refusals[code];
    if (why === undefined) throw cause;
    throw new KeyauditError('STORE_UNWRITABLE', `${path} cannot be written: ${why} (${code}).`, {
      hint: 'Work in a folder that you may write to and that has room; nothing was changed.',
      cause,
    });
  }
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
