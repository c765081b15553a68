import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { SETTINGS_FILE } from '../../core/settings/settings-file-name.ts';

/**
 * The folder of the project that a working folder belongs to: the nearest one with a settings file, up to the root of
 * the repository, or up to the home folder. Outside of both only the working folder itself counts, since anybody may
 * put a file into a folder such as /tmp. Undefined where there is none.
 */
export function projectFolder(
  from: string,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const home = env.HOME || homedir();
  const passed: string[] = [];
  for (let folder = from; ; folder = dirname(folder)) {
    passed.push(folder);
    if (folder === home || existsSync(join(folder, '.git'))) return passed.find(hasSettings);
    if (dirname(folder) === folder) return hasSettings(from) ? from : undefined;
  }
}

function hasSettings(folder: string): boolean {
  return existsSync(join(folder, SETTINGS_FILE));
}
