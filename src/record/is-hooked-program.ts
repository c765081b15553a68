import { open } from 'node:fs/promises';
import { basename, delimiter, join } from 'node:path';

/** Programs that the hooks see: Node's and Python's own, and scripts that one of them runs. */
const HOOKED = /^(?:node|nodejs|python|pythonw|pypy)[\d.]*(?:\.exe)?$/i;

/**
 * Whether a command is one of Node's or Python's, told by its name and by its first line; whatever it starts may be
 * another.
 */
export async function isHookedProgram(
  command: string,
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<boolean> {
  if (HOOKED.test(basename(command))) return true;
  const folders = /[\\/]/.test(command) ? [cwd] : (env.PATH ?? '').split(delimiter);
  for (const folder of folders) {
    const line = await firstLine(command.startsWith('/') ? command : join(folder, command));
    if (line === undefined) continue;
    const [, words = ''] = /^#!\s*(.*)$/.exec(line) ?? [];
    // `#!/usr/bin/env -S node --flag` names it anywhere.
    return words.split(/\s+/).some((word) => HOOKED.test(basename(word)));
  }
  return false;
}

/** Undefined where no such file can be read. */
async function firstLine(file: string): Promise<string | undefined> {
  const handle = await open(file).catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(256), 0, 256, 0);
    return buffer.toString('latin1', 0, bytesRead).split('\n', 1)[0] ?? '';
  } catch {
    return undefined;
  } finally {
    await handle.close();
  }
}
