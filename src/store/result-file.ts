import { constants } from 'node:fs';
import { access, appendFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { KeyauditError } from '../core/error.ts';
import { readTextFile } from './files/read-text-file.ts';
import { writeWhole } from './files/write-whole.ts';
import { WORKSPACE } from './workspace.ts';

/** Where results are written, and what takes the secrets out of them. */
export interface ResultFolder {
  readonly cwd: string;
  readonly redact: (text: string) => string;
}

/**
 * Writes a result that the user asked for, whole or not at all, every secret redacted.
 * @throws KeyauditError `OUTPUT_UNWRITABLE`
 */
export async function writeResultFile(folder: ResultFolder, file: string, text: string): Promise<void> {
  await requireNotOurs(folder, file);
  await writeWhole(resolve(folder.cwd, file), folder.redact(text)).catch((cause) => {
    throw unwritable(file, cause);
  });
}

/** Adds a result at the end of a file, every secret redacted. @throws KeyauditError `OUTPUT_UNWRITABLE` */
export async function appendToResultFile(folder: ResultFolder, file: string, text: string): Promise<void> {
  await requireNotOurs(folder, file);
  await appendFile(resolve(folder.cwd, file), folder.redact(text)).catch((cause) => {
    throw unwritable(file, cause);
  });
}

/**
 * Says before the work what writing would say after it: that the folder is missing, or that the file
 * is a folder. @throws KeyauditError `OUTPUT_UNWRITABLE`
 */
export async function requireWritable(folder: ResultFolder, file: string): Promise<void> {
  const path = resolve(folder.cwd, file);
  await access(dirname(path), constants.W_OK).catch((cause) => {
    throw unwritable(file, cause);
  });
  await requireNotOurs(folder, file);
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isFolder) throw unwritable(file, { code: 'EISDIR' });
}

/**
 * A result never takes the place of state of ours, nor of a file that holds a key, whatever name or link leads to it.
 * @throws KeyauditError `OUTPUT_UNWRITABLE`
 */
async function requireNotOurs({ cwd, redact }: ResultFolder, file: string): Promise<void> {
  const path = resolve(cwd, file);
  const real = await realpath(path).catch(async () => {
    const folder = await realpath(dirname(path)).catch(() => dirname(path));
    return join(folder, basename(path));
  });
  const text = await readTextFile(real).catch(() => '');
  if (!real.split(sep).includes(WORKSPACE) && redact(text) === text) return;
  throw new KeyauditError('OUTPUT_UNWRITABLE', `${file} is where keyaudit or a store keeps keys.`, {
    hint: 'Name another file.',
  });
}

function unwritable(file: string, cause: unknown): KeyauditError {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
  return new KeyauditError('OUTPUT_UNWRITABLE', `${file} cannot be written (${code}).`, {
    hint: 'Check that its folder exists, may be written to and has room.',
    cause,
  });
}
