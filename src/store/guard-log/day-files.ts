import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';

const FILE_MODE = 0o600;

/** What the log needs of a file. */
export type LogFile = Pick<FileHandle, 'write' | 'datasync' | 'truncate' | 'stat' | 'close'>;

interface DayFile {
  readonly name: string;
  readonly handle: LogFile;
  /** How many bytes of it are on disk for sure. */
  bytes: number;
  /** And how many lines. */
  lines: number;
}

/** The files of the log, one a day, of which the last is written to. */
export class DayFiles {
  readonly #folder: string;
  readonly #openFile: (path: string) => Promise<LogFile>;
  #file: DayFile | undefined;
  #failure: unknown;

  constructor(folder: string, openFile = (path: string): Promise<LogFile> => open(path, 'a', FILE_MODE)) {
    this.#folder = folder;
    this.#openFile = openFile;
  }

  /** Why nothing can be written any more; undefined while it can. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Where the next row goes, unless a new day begins. */
  get end(): { readonly file: string; readonly bytes: number; readonly lines: number } {
    const { name: file = '', bytes = 0, lines = 0 } = this.#file ?? {};
    return { file, bytes, lines };
  }

  /** Goes on with a file, cutting off what is behind so many bytes. */
  async goOnWith(name: string, bytes: number, lines: number): Promise<void> {
    const file = await this.#open(name, lines);
    if (file.bytes === bytes) return;
    await file.handle.truncate(bytes);
    await file.handle.datasync();
    file.bytes = bytes;
  }

  /**
   * Puts rows on the disk, all or none.
   * @param day `2026-11-25`; one that lies before that of the last file goes into the last file, since a clock that
   *   went back must not reopen a day
   * @throws what the disk says; with `failure` set, nobody knows what is on it, and nothing more is written
   */
  async append(text: string, lines: number, day: string): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const name = `${day}.jsonl`;
    const file = this.#file !== undefined && name <= this.#file.name ? this.#file : await this.#open(name, 0);
    const { size } = await file.handle.stat();
    if (size !== file.bytes) {
      this.#failure = new Error(`somebody else wrote to ${file.name}`);
      throw this.#failure;
    }
    const bytes = Buffer.from(text);
    try {
      for (let written = 0; written < bytes.length; ) {
        const { bytesWritten } = await file.handle.write(bytes, written, bytes.length - written, null);
        written += bytesWritten;
      }
    } catch (cause) {
      await this.#takeBack(file, cause);
      throw cause;
    }
    try {
      await file.handle.datasync();
    } catch (cause) {
      // After a failed sync nobody knows what is on the disk, and a second one may pass for nothing.
      this.#failure = cause;
      throw cause;
    }
    file.bytes += bytes.length;
    file.lines += lines;
  }

  async close(): Promise<void> {
    await this.#file?.handle.close();
    this.#file = undefined;
  }

  /** Cuts off what a failed write left. Where that fails as well, nothing is written any more. */
  async #takeBack({ handle, bytes }: DayFile, cause: unknown): Promise<void> {
    try {
      await handle.truncate(bytes);
    } catch {
      this.#failure = cause;
    }
  }

  async #open(name: string, lines: number): Promise<DayFile> {
    const handle = await this.#openFile(join(this.#folder, name));
    const { size } = await handle.stat();
    if (size === 0) await syncFolder(this.#folder);
    await this.#file?.handle.close();
    this.#file = { name, handle, bytes: size, lines };
    return this.#file;
  }
}

/** A new file is not on disk before its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
