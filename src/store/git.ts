import { execFile } from 'node:child_process';
import { basename, dirname } from 'node:path';
import { promisify } from 'node:util';

/** What git would do with a file. */
export type GitView = 'tracked' | 'taken-up' | 'ignored' | 'outside';

/**
 * Asks git about a file, by its real path. `outside`: in no work tree, or there is no git. A repository may come
 * from anywhere, so nothing that its configuration names is run, and a work tree of another user counts
 * as one.
 */
export async function gitView(file: string): Promise<GitView> {
  const folder = dirname(file);
  const inside = await git(folder, ['rev-parse', '--is-inside-work-tree']);
  if (inside?.trim() !== 'true') return 'outside';
  if ((await git(folder, ['ls-files', '--error-unmatch', '--', basename(file)])) !== undefined)
    return 'tracked';
  const ignored = await git(folder, ['check-ignore', '-q', '--', basename(file)]);
  return ignored === undefined ? 'taken-up' : 'ignored';
}

/** Standard output of git; undefined when it does not end with 0. */
async function git(cwd: string, args: readonly string[]): Promise<string | undefined> {
  const options = { cwd, timeout: 5_000 };
  return promisify(execFile)('git', [...NOTHING_RUNS, ...args], options).then(
    ({ stdout }) => stdout,
    () => undefined,
  );
}

/** Of what a repository's configuration names nothing is run. */
export const NOTHING_RUNS = [
  '-c',
  'core.fsmonitor=false',
  '-c',
  'core.hooksPath=/dev/null',
  '-c',
  'safe.directory=*',
];
