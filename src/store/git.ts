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
export async function gitView(file: string, env: Env): Promise<GitView> {
  const folder = dirname(file);
  const inside = await git(folder, env, ['rev-parse', '--is-inside-work-tree']);
  if (inside?.trim() !== 'true') return 'outside';
  if ((await git(folder, env, ['ls-files', '--error-unmatch', '--', basename(file)])) !== undefined)
    return 'tracked';
  const ignored = await git(folder, env, ['check-ignore', '-q', '--', basename(file)]);
  return ignored === undefined ? 'taken-up' : 'ignored';
}

type Env = Readonly<Record<string, string | undefined>>;

/** What git gets to see of the environment: no key, and no `GIT_DIR`, by which it would look elsewhere. */
const SEEN_BY_GIT = ['PATH', 'HOME', 'XDG_CONFIG_HOME', 'USERPROFILE', 'SystemRoot', 'PATHEXT'];

/** Standard output of git; undefined when it does not end with 0. */
export async function git(
  cwd: string,
  env: Env,
  args: readonly string[],
  { timeout = 5_000, maxBuffer = 1_000_000 }: { readonly timeout?: number; readonly maxBuffer?: number } = {},
): Promise<string | undefined> {
  const seen = Object.fromEntries(SEEN_BY_GIT.map((name) => [name, env[name]]));
  const options = { cwd, env: seen, timeout, maxBuffer };
  return promisify(execFile)('git', [...NOTHING_RUNS, ...args], options).then(
    ({ stdout }) => stdout,
    () => undefined,
  );
}

/** Of what a repository's configuration names nothing is run. */
const NOTHING_RUNS = [
  '-c',
  'core.fsmonitor=false',
  '-c',
  'core.hooksPath=/dev/null',
  '-c',
  'safe.directory=*',
];
