import { randomBytes } from 'node:crypto';
import { mkdir, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';

/** Types of file systems (Linux, statfs(2)) on which what was synced can be gone. */
const FORGETFUL: Readonly<Record<number, string>> = {
  16914836: 'a file system in memory (tmpfs)',
  2240043254: 'a file system in memory (ramfs)',
  26985: 'a network file system (NFS), whose lock does not hold between machines',
  20859: 'a network file system (SMB), whose lock does not hold between machines',
  2035054128: "a container's own layer (overlayfs), which ends with the container",
};

const SYNCS = 10;

/** How a disk keeps what is synced. */
export interface DiskProbe {
  /** The median of a write with fdatasync, in ms; undefined where nothing can be written. */
  readonly syncMs?: number | undefined;
  /** Why not, as the system names it. */
  readonly failure?: string | undefined;
  /** What kind of file system forgets; undefined for one that is not known to. */
  readonly forgetful?: string | undefined;
}

/** Writes and syncs a small file in a folder some times, and removes it. */
export async function probeDisk(folder: string): Promise<DiskProbe> {
  const file = join(folder, `probe-${randomBytes(4).toString('hex')}`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const handle = await open(file, 'wx', 0o600);
    const times: number[] = [];
    try {
      for (let n = 0; n < SYNCS; n++) {
        const from = performance.now();
        await handle.write('a row of some length\n');
        await handle.datasync();
        times.push(performance.now() - from);
      }
    } finally {
      await handle.close();
      await rm(file, { force: true });
    }
    const { type } = await statfs(folder);
    return { syncMs: times.sort((a, b) => a - b)[SYNCS / 2], forgetful: FORGETFUL[type] };
  } catch (error) {
    return { failure: (error as NodeJS.ErrnoException).code ?? 'unknown error' };
  }
}
