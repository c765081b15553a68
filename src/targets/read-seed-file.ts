import { resolve } from 'node:path';
import { KeyauditError } from '../core/error.ts';
import { readTextFile } from '../store/files/read-text-file.ts';

/** The seed of `keyaudit sandbox --seed`, as it stands in the file. @throws KeyauditError `SEED_INVALID` */
export async function readSeedFile(
  file: string,
  cwd: string,
): Promise<{ readonly text: string; readonly file: string }> {
  const text = await readTextFile(resolve(cwd, file)).catch((cause: NodeJS.ErrnoException) => {
    throw new KeyauditError('SEED_INVALID', `${file} cannot be read (${cause.code}).`, { cause });
  });
  return { text, file };
}
