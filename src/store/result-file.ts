import { resolve } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { KeyauditError } from '../core/error.ts';

/** Writes a result that the user asked for, whole or not at all. @throws KeyauditError `OUTPUT_UNWRITABLE` */
export async function writeResultFile(cwd: string, file: string, text: string): Promise<void> {
  try {
    await writeFileAtomic(resolve(cwd, file), text);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new KeyauditError('OUTPUT_UNWRITABLE', `${file} cannot be written (${code}).`, {
      hint: 'Check that its folder exists, may be written to and has room.',
      cause,
    });
  }
}
