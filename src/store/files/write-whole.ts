import { writeFile } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';

/**
 * Replaces a file whole or not at all. write-file-atomic 7 calls `write` once, and on a disk that is nearly
 * full that writes a part without an error, so the content is written here, where the rest is tried for
 * and ENOSPC comes up; the rename is the library's.
 */
export async function writeWhole(file: string, content: string | Buffer, mode?: number): Promise<void> {
  await writeFileAtomic(file, '', {
    mode,
    tmpfileCreated: (temporary: string) => writeFile(temporary, content),
  });
}
