import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { WORKSPACE } from '../workspace.ts';

/** Where the guard of a working folder keeps its log, a file a day. */
export function guardLogFolder(cwd: string): string {
  return join(cwd, WORKSPACE, 'guard', 'log');
}

/** A day of the log. */
export const LOG_FILE_NAME = /^\d{4}-\d{2}-\d{2}\.jsonl$/;

/** The last days of the log of a working folder. */
export interface LastDays {
  /** The first day first; none where there is no log. */
  readonly files: readonly string[];
  /** Whether there are days before these. */
  readonly areMore: boolean;
}

/**
 * The last days that take no more than so many bytes, one at least.
 * @throws an error of the system where there is a log that this user may not look into
 */
export async function lastLogDays(cwd: string, mostBytes: number): Promise<LastDays> {
  const folder = guardLogFolder(cwd);
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
  const days = names.filter((name) => LOG_FILE_NAME.test(name)).sort();
  const files: string[] = [];
  let bytes = 0;
  for (const name of days.toReversed()) {
    const file = join(folder, name);
    const found = await lstat(file);
    bytes += found.size;
    if (!found.isFile() || (files.length > 0 && bytes > mostBytes)) break;
    files.unshift(file);
  }
  return { files, areMore: files.length < days.length };
}
