import { renameSync, rmSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';

/**
 * Puts a file that was written elsewhere in another's place, if that is still this process's to do: whoever was
 * frozen since it looked must not write over what others wrote meanwhile. Nothing comes between the look and the
 * rename.
 * @throws LockLost
 */
export function moveInPlace(temporary: string, file: string, stillHeld: () => boolean): void {
  if (!stillHeld()) throw new LockLost();
  renameSync(temporary, file);
}

/** Removes a file, if that is still this process's to do. @throws LockLost */
export function removeFile(file: string, stillHeld: () => boolean): void {
  if (!stillHeld()) throw new LockLost();
  rmSync(file, { force: true });
}

/** Writes a file whole, to the disk. @param mode of the new file */
export async function writeNew(file: string, content: string | Buffer, mode: number): Promise<void> {
  const handle = await open(file, 'wx', mode);
  try {
    await handle.chmod(mode);
    await handle.writeFile(content);
    await handle.sync();
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

/** Another process may hold the lock by now, since this one gave no sign of life for too long. */
export class LockLost extends Error {}
