import { git } from './git.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** A file as a commit has it. */
export interface CommittedFile {
  /** From the folder that was asked about, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** More YAML files than a folder of profiles has, and larger ones, are not read. */
const MOST_FILES = 2_000;
const MOST_BYTES = 1_000_000;
const LIMITS = { timeout: 30_000, maxBuffer: 64_000_000 };

/** The commit that a word names in the repository around a folder; undefined where it names none, or there is no git. */
export async function commitOf(
  { cwd, env }: { readonly cwd: string; readonly env: Env },
  revision: string,
): Promise<string | undefined> {
  // An option of git is no revision, whatever stands before it.
  if (revision.startsWith('-')) return undefined;
  const commit = await git(cwd, env, ['rev-parse', '--verify', '--quiet', `${revision}^{commit}`], LIMITS);
  return commit?.trim();
}

/** The YAML files below a folder as they were in a commit; links and whatever leads out of it are passed over. */
export async function yamlFilesAt(
  { cwd, env }: { readonly cwd: string; readonly env: Env },
  commit: string,
): Promise<readonly CommittedFile[]> {
  const listing = (await git(cwd, env, ['ls-tree', '-r', '-z', '-l', commit, '--', '.'], LIMITS)) ?? '';
  const files: CommittedFile[] = [];
  for (const entry of listing.split('\0')) {
    const [, mode, blob, size, path] = /^(\d+) blob ([0-9a-f]+) +(\d+)\t(.*)$/s.exec(entry) ?? [];
    if (path === undefined || blob === undefined || !/^100(?:644|755)$/.test(mode ?? '')) continue;
    if (!/\.ya?ml$/.test(path) || Number(size) > MOST_BYTES || !staysBelow(path)) continue;
    const text = await git(cwd, env, ['cat-file', 'blob', blob], LIMITS);
    if (text !== undefined) files.push({ path, text });
    if (files.length >= MOST_FILES) break;
  }
  return files;
}

/** A tree that somebody made by hand can hold any name. */
function staysBelow(path: string): boolean {
  return path
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..' && !/[\\\0]/.test(part));
}
