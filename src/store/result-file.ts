import { constants } from 'node:fs';
import { access, appendFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { KeyauditError } from '../core/error.ts';
import { redact } from './redactor.ts';
import { writeWhole } from './write-whole.ts';

/**
 * Writes a result that the user asked for, whole or not at all, every secret redacted.
 * @throws KeyauditError `OUTPUT_UNWRITABLE`
 */
export async function writeResultFile(cwd: string, file: string, text: string): Promise<void> {
  await writeWhole(resolve(cwd, file), redact(text)).catch((cause) => {
    throw unwritable(file, cause);
  });
}

/** Adds a result at the end of a file, every secret redacted. @throws KeyauditError `OUTPUT_UNWRITABLE` */
export async function appendToResultFile(cwd: string, file: string, text: string): Promise<void> {
  await appendFile(resolve(cwd, file), redact(text)).catch((cause) => {
    throw unwritable(file, cause);
  });
}

/**
 * Says before the work what writing would say after it: that the folder is missing, or that the file
 * is a folder. @throws KeyauditError `OUTPUT_UNWRITABLE`
 */
export async function requireWritable(cwd: string, file: string): Promise<void> {
  const path = resolve(cwd, file);
  await access(dirname(path), constants.W_OK).catch((cause) => {
    throw unwritable(file, cause);
  });
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isFolder) throw unwritable(file, { code: 'EISDIR' });
}

function unwritable(file: string, cause: unknown): KeyauditError {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
  return new KeyauditError('OUTPUT_UNWRITABLE', `${file} cannot be written (${code}).`, {
    hint: 'Check that its folder exists, may be written to and has room.',
    cause,
  });
}
