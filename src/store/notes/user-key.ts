import { randomBytes } from 'node:crypto';
import { chmod, link, lstat, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { KeyauditError } from '../../core/error.ts';
import { notOwn } from '../files/not-own.ts';
import { userFolder } from '../user-folder.ts';

type Env = Readonly<Record<string, string | undefined>>;

const KEY_BYTES = 32;

/**
 * The key by which this user's keyaudit knows its own notes again; undefined where there is none, or none that
 * could not have come with a checkout.
 */
export async function readUserKey(env: Env): Promise<Buffer | undefined> {
  const file = userKeyFile(env);
  return (await wrongWith(file, env)) === undefined ? readFile(file) : undefined;
}

/** The same, made when there is none yet. @throws KeyauditError `USER_KEY_UNUSABLE` */
export async function openUserKey(env: Env): Promise<Buffer> {
  const file = userKeyFile(env);
  const key = await readUserKey(env);
  if (key !== undefined) return key;
  try {
    await makeKey(file);
  } catch (cause) {
    throw unusable(file, `it cannot be written (${(cause as NodeJS.ErrnoException).code})`, cause);
  }
  const wrong = await wrongWith(file, env);
  if (wrong !== undefined) throw unusable(file, wrong);
  return readFile(file);
}

function userKeyFile(env: Env): string {
  return join(userFolder(env), 'own.key');
}

/** Whole or not at all: of two processes that make one at once, the first one's is kept. */
async function makeKey(file: string): Promise<void> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const temporary = `${file}.${randomBytes(6).toString('hex')}`;
  await writeFile(temporary, randomBytes(KEY_BYTES), { mode: 0o600, flag: 'wx' });
  try {
    await chmod(temporary, 0o600);
    await link(temporary, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Why a file cannot be taken for a key of this user's; undefined when it can. */
async function wrongWith(file: string, env: Env): Promise<string | undefined> {
  const stats = await lstat(file).catch(() => undefined);
  if (stats === undefined) return 'it is not there';
  if (!stats.isFile() || stats.size !== KEY_BYTES) return 'it is no key of keyaudit';
  if (process.getuid !== undefined && (stats.mode & 0o077) !== 0) return 'others may read it';
  return notOwn(file, env);
}

function unusable(file: string, why: string, cause?: unknown): KeyauditError {
  return new KeyauditError('USER_KEY_UNUSABLE', `keyaudit's own key ${file} cannot be used: ${why}.`, {
    hint: 'By it keyaudit tells what it wrote from what came with a checkout. Move the file away if it is not yours, or set XDG_CONFIG_HOME to a folder of yours outside the working folder.',
    cause,
  });
}
