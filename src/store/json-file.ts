import { constants, type Stats } from 'node:fs';
import { lstat, open, realpath } from 'node:fs/promises';
import { basename, dirname, sep } from 'node:path';
import type { z } from 'zod';
import { KeyauditError } from '../core/error.ts';
import type { ErrorCode } from '../core/error-code.ts';
import { removeFile } from './files/replace-file.ts';
import { refuseLink, WORKSPACE, withFileLock, writePrivateFile } from './workspace.ts';

/** No file of ours comes near it, in bytes. */
const LARGEST_FILE = 64 * 1024 * 1024;

export interface JsonFileOptions<T> {
  readonly file: string;
  /** With the version that this keyaudit writes. */
  readonly schema: z.ZodType<T>;
  /** What the file means while it is not there. */
  readonly empty: T;
  /** The error for a file that is broken or of another version, and what to do. */
  readonly broken: { readonly code: ErrorCode; readonly hint: string };
  /** Content that is as good as no file: the file is removed. */
  readonly isNothing?: (content: T) => boolean;
  /** Called before the first write: makes the folder. */
  readonly prepare: () => Promise<unknown>;
}

/**
 * One file of keyaudit's own: JSON with a version, readable by its owner alone, written whole under a lock.
 * A folder may come from anywhere, so what is found is checked like any input: a link that leads out of the
 * folder, a pipe, a device or a file beyond all size is refused.
 */
export class JsonFile<T> {
  readonly #options: JsonFileOptions<T>;

  constructor(options: JsonFileOptions<T>) {
    this.#options = options;
  }

  get file(): string {
    return this.#options.file;
  }

  /** @throws KeyauditError `STORE_UNREADABLE`, or that of a broken file */
  async read(): Promise<T> {
    const { file, empty } = this.#options;
    const text = await readOwnFile(file);
    return text === undefined ? empty : this.parse(text);
  }

  /**
   * Changes the content under a lock, so that two processes lose nothing of each other's.
   * @param change called again when the lock was lost before the file was written
   * @throws KeyauditError
   */
  async update(change: (content: T) => T): Promise<T> {
    const { file, isNothing, prepare } = this.#options;
    await prepare();
    return withFileLock(file, async (stillHeld) => {
      const content = change(await this.read());
      if (isNothing?.(content) === true) removeFile(file, stillHeld);
      else await writePrivateFile(file, `${JSON.stringify(content, null, 2)}\n`, stillHeld);
      return content;
    });
  }

  /** What a text of the file says. @throws KeyauditError that of a broken file */
  parse(text: string): T {
    const { file, schema, broken } = this.#options;
    try {
      return schema.parse(JSON.parse(text));
    } catch (cause) {
      throw new KeyauditError(broken.code, `${file} is broken or of another version of keyaudit.`, {
        hint: broken.hint,
        cause,
      });
    }
  }
}

/**
 * The text of a file of keyaudit's own; undefined when there is none.
 * @throws KeyauditError `STORE_UNREADABLE` for what is no file, leads out of its folder, or is too large
 */
async function readOwnFile(file: string): Promise<string | undefined> {
  try {
    if (basename(dirname(file)) === WORKSPACE) await refuseLink(dirname(file));
    const stats = await lstat(file);
    await requireOwn(file, stats);
    // Not to wait for a pipe that took the file's place in between.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const opened = await handle.stat();
      if (!opened.isFile()) throw unreadable(file, 'it is no file');
      if (opened.size > LARGEST_FILE) throw unreadable(file, 'it is larger than any of keyaudit');
      return await handle.readFile('utf8');
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof KeyauditError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw unreadable(file, code ?? 'unknown error', error);
  }
}

async function requireOwn(file: string, stats: Stats): Promise<void> {
  if (stats.isFile()) return;
  if (!stats.isSymbolicLink()) throw unreadable(file, 'it is no file');
  const folder = await realpath(dirname(file));
  const target = await realpath(file);
  if (!target.startsWith(`${folder}${sep}`)) {
    throw unreadable(file, `it is a link that leads out of its folder, to ${target}`);
  }
}

function unreadable(file: string, why: string, cause?: unknown): KeyauditError {
  return new KeyauditError('STORE_UNREADABLE', `${file} cannot be read: ${why}.`, {
    hint: 'Look at what it is, and move it away if it is not yours.',
    cause,
  });
}
