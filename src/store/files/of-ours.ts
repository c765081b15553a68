import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { LOCK_FILE } from '../../core/lock/lock.ts';
import { POLICY_FILE } from '../../core/rules/policy.ts';
import { SETTINGS_FILE } from '../../core/settings/settings-file-name.ts';
import { userFolder } from '../user-folder.ts';
import { WORKSPACE } from '../workspace.ts';
import { readTextFile } from './read-text-file.ts';

/** Where keyaudit keeps what is its own, and the user what keyaudit reads. */
export interface OwnPlaces {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly globals?: { readonly policy?: string | undefined };
  readonly project?: {
    readonly settings?: { readonly values: { readonly profiles?: string | undefined } } | undefined;
  };
}

/** Whether a file is state of keyaudit's, or would lie among it, whatever name, link or hard link leads to it. */
export async function isState(path: string, { cwd, env }: OwnPlaces): Promise<boolean> {
  const real = await realPath(path);
  const own = await realPath(userFolder(env));
  if (real.split(sep).includes(WORKSPACE) || real === own || real.startsWith(`${own}${sep}`)) return true;
  const workspace = await filesBelow(resolve(cwd, WORKSPACE));
  return isOneOf(real, [...workspace, ...(await filesBelow(own))]);
}

/** Whether a file is one that keyaudit reads as input: a profile, the policy, the lock file, the settings. */
export async function isInput(path: string, { cwd, globals, project }: OwnPlaces): Promise<boolean> {
  const profiles = await filesBelow(resolve(cwd, project?.settings?.values.profiles ?? 'profiles'));
  const named = [SETTINGS_FILE, POLICY_FILE, LOCK_FILE, globals?.policy ?? POLICY_FILE];
  const inputs = [...profiles.filter(isYaml), ...named.map((file) => resolve(cwd, file))];
  const real = await realPath(path);
  return (
    (await isOneOf(real, inputs)) || (isYaml(real) && isProfile(await readTextFile(real).catch(() => '')))
  );
}

function isYaml(file: string): boolean {
  return /\.ya?ml$/i.test(file);
}

/** Also of a profile that is named by its path. */
function isProfile(text: string): boolean {
  return /^(?:permissions|connect_permissions|extends|checks)\s*:/m.test(text);
}

/** The real path; of a file that is not there yet, that of its folder. */
async function realPath(path: string): Promise<string> {
  return realpath(path).catch(async () => {
    const folder = await realpath(dirname(path)).catch(() => dirname(path));
    return join(folder, basename(path));
  });
}

async function isOneOf(file: string, others: readonly string[]): Promise<boolean> {
  const id = await idOf(file);
  if (id === undefined) return false;
  for (const other of others) if ((await idOf(other)) === id) return true;
  return false;
}

/** Two names of one file have one id. */
async function idOf(file: string): Promise<string | undefined> {
  return stat(file).then(
    ({ dev, ino }) => `${dev}:${ino}`,
    () => undefined,
  );
}

/** More than keyaudit ever keeps. */
const MOST_FILES = 10_000;

async function filesBelow(folder: string): Promise<readonly string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return found
    .slice(0, MOST_FILES)
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
