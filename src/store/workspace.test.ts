import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { guardWrites, openWorkspace, withFileLock, writePrivateFile } from './workspace.ts';

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'keyaudit-workspace-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

describe('the workspace', () => {
  it('is private and ignored by git', async () => {
    const dir = await openWorkspace(await folder());
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
    expect(await readFile(join(dir, '.gitignore'), 'utf8')).toBe('*\n');
  });

  it('writes files whole, for their owner alone', async () => {
    const file = join(await folder(), 'x.json');
    await writePrivateFile(file, 'text');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  const faults = ['EACCES', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENOTDIR', 'EISDIR', 'ENOENT'];
  it.each(faults)('turns %s into one clear error', async (code) => {
    const failed = guardWrites('keys.env', () => Promise.reject(Object.assign(new Error('raw'), { code })));
    await expect(failed).rejects.toMatchObject({
      code: 'STORE_UNWRITABLE',
      message: expect.stringMatching(new RegExp(`^keys\\.env cannot be written: .*\\(${code}\\)\\.$`)),
    });
  });

  it('loses nothing and leaves no half file when the disk is full', async ({ skip }) => {
    const dir = await folder();
    const mounted = await execa('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir], { reject: false });
    if (mounted.exitCode !== 0) skip(`a full disk needs a mount of its own: ${mounted.stderr}`);
    onTestFinished(async () => {
      await execa('umount', [dir], { reject: false });
    });
    const file = join(dir, 'keys.env');
    await writePrivateFile(file, 'A=1\n');
    await expect(writePrivateFile(file, 'x'.repeat(4_000_000))).rejects.toMatchObject({
      code: 'STORE_UNWRITABLE',
      message: expect.stringContaining('the disk is full (ENOSPC)'),
    });
    expect(await readFile(file, 'utf8')).toBe('A=1\n');
    expect(await readdir(dir)).toEqual(['keys.env']);
  });

  it('lets one at a time change a file', async () => {
    const file = join(await folder(), 'count');
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 8 }, () =>
        withFileLock(file, async () => {
          most = Math.max(most, ++inside);
          await new Promise((resolve) => setTimeout(resolve, 5));
          inside--;
        }),
      ),
    );
    expect(most).toBe(1);
  });
});
