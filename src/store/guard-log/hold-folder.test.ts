import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../../../test/support/run-cli.ts';
import { holdFolder } from './hold-folder.ts';

const RUNNING = { code: 'GUARD_RUNNING', exitCode: 2 };

describe('a folder that is held', () => {
  it('[case 52] is refused to a second, and free once the first lets go', async () => {
    const folder = await temporaryFolder();
    const letGo = await holdFolder(folder);
    await expect(holdFolder(folder)).rejects.toMatchObject(RUNNING);
    await letGo();
    await (await holdFolder(folder))();
  });

  it('[case 52] is held by exactly one of many that come at once, after each that dies', async () => {
    const folder = await temporaryFolder();
    for (let round = 0; round < 10; round++) {
      const all = await Promise.allSettled(Array.from({ length: 12 }, () => holdFolder(folder)));
      const held = all.filter((one) => one.status === 'fulfilled');
      expect(held).toHaveLength(1);
      for (const one of all) if (one.status === 'rejected') expect(one.reason).toMatchObject(RUNNING);
      await held[0]?.value();
    }
  });

  it('[case 52] is held by a process, and free as soon as that is killed with SIGKILL', async () => {
    const folder = await temporaryFolder();
    const module = JSON.stringify(fileURLToPath(new URL('./hold-folder.ts', import.meta.url)));
    const script = join(folder, 'hold.mjs');
    await writeFile(
      script,
      `import { createJiti } from ${JSON.stringify(import.meta.resolve('jiti'))};
const { holdFolder } = await createJiti(import.meta.url).import(${module});
await holdFolder(${JSON.stringify(folder)});
console.log('held');
setInterval(() => {}, 1000);`,
    );
    const child = execa(process.execPath, [script], { reject: false });
    onTestFinished(() => void child.kill('SIGKILL'));
    const said = await Promise.race([
      new Promise((resolve) => child.stdout.once('data', () => resolve('held'))),
      child,
    ]);
    expect(said).toBe('held');
    await expect(holdFolder(folder)).rejects.toMatchObject(RUNNING);
    child.kill('SIGKILL');
    await child;
    await (await holdFolder(folder))();
  });

  it('is held where its path is longer than that of a socket may be', async () => {
    const folder = join(await temporaryFolder(), 'a'.repeat(90), 'b'.repeat(90));
    await mkdir(folder, { recursive: true });
    const letGo = await holdFolder(folder);
    await expect(holdFolder(folder)).rejects.toMatchObject(RUNNING);
    await letGo();
  });

  it('is not taken by a file that came with the checkout, and never held twice because of one', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'held.7'), '');
    const letGo = await holdFolder(folder);
    await expect(holdFolder(folder)).rejects.toMatchObject(RUNNING);
    await letGo();
    await writeFile(join(folder, 'held.999999999999999'), '');
    await expect(holdFolder(folder)).rejects.toMatchObject(RUNNING);
  });
});
