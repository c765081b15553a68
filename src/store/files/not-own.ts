import { existsSync } from 'node:fs';
import { lstat, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gitView } from '../git.ts';

/**
 * Why a file in the user's own folder cannot be this user's keyaudit's: of another user, writable to others, or tracked
 * by the checkout in which a folder of settings may lie. Undefined where it can, and where there is none.
 */
export async function notOwn(
  file: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const stats = await lstat(file).catch(() => undefined);
  if (stats === undefined) return undefined;
  const me = process.getuid?.();
  if (me !== undefined && stats.uid !== me) return 'it belongs to another user';
  if (me !== undefined && !stats.isSymbolicLink() && (stats.mode & 0o022) !== 0) return 'others may write it';
  const real = await realpath(file).catch(() => file);
  return isBelowRepository(dirname(real)) && (await gitView(real, env)) === 'tracked'
    ? 'it came with a checkout'
    : undefined;
}

function isBelowRepository(folder: string): boolean {
  if (existsSync(join(folder, '.git'))) return true;
  const parent = dirname(folder);
  return parent !== folder && isBelowRepository(parent);
}
