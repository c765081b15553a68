import { lstat, realpath } from 'node:fs/promises';
import { dirname, sep } from 'node:path';

/** Whether a path, there or yet to be, lies below a folder whatever links it goes through. @param root its real path */
export async function staysBelow(path: string, root: string): Promise<boolean> {
  const isLink = await lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );
  const real = await realpath(path).catch(() => undefined);
  // A link to what is not there yet would be written through.
  if (real === undefined && isLink) return false;
  if (real !== undefined) return real === root || real.startsWith(`${root}${sep}`);
  return dirname(path) === path ? false : staysBelow(dirname(path), root);
}
