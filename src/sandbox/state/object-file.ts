import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { KeyauditError } from '../../core/error.ts';
import { guardWrites, holdFileLock, refuseLink, writeError } from '../../store/workspace.ts';
import { type Changes, changesSchema } from './object-changes.ts';

const FILE = 'objects.jsonl';
const HEADER = '{"schema":"keyaudit.objects/1"}';
/** More than any test suite makes, in bytes; the sandbox is no database. */
const MOST_BYTES = 256_000_000;

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDWR } = constants;
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/** What a file had when it was opened. */
export interface ReadObjects {
  /** Oldest first. */
  readonly changes: readonly Changes[];
  /** Whether its last line was begun and never finished: its process died before it answered. */
  readonly isTorn: boolean;
}

/**
 * The objects in a folder of the user's: a line for each call that changed some, written before the call is
 * answered, so that what was answered is there however the process ends. One process at a time writes it.
 */
export class ObjectFile {
  readonly file: string;
  #descriptor: number | undefined;
  #size = 0;
  #release: () => Promise<void> = async () => undefined;
  #isTaken = false;

  private constructor(file: string) {
    this.file = file;
  }

  /**
   * Opens the file of a folder, both made where they are missing.
   * @throws KeyauditError `STORE_UNWRITABLE`, `STORE_LOCKED`, `SANDBOX_OBJECTS_BROKEN`
   */
  static async open(dir: string): Promise<{ readonly file: ObjectFile; readonly read: ReadObjects }> {
    const file = new ObjectFile(join(dir, FILE));
    await refuseLink(dir);
    await guardWrites(dir, () => mkdir(dir, { recursive: true, mode: FOLDER_MODE }));
    await refuseLink(file.file);
    file.#release = await holdFileLock(file.file, () => {
      file.#isTaken = true;
    });
    try {
      return { file, read: file.#open() };
    } catch (error) {
      await file.close();
      throw writeError(file.file, error);
    }
  }

  /** In bytes. */
  get size(): number {
    return this.#size;
  }

  /** Adds a line, whole or not at all. @throws KeyauditError `STORE_UNWRITABLE` */
  append(changes: Changes): void {
    const descriptor = this.#own();
    const line = Buffer.from(`${JSON.stringify(changes)}\n`);
    if (this.#size + line.length > MOST_BYTES) throw this.#tooLarge();
    try {
      writeAll(descriptor, line);
    } catch (error) {
      ftruncateSync(descriptor, this.#size);
      throw writeError(this.file, error);
    }
    this.#size += line.length;
  }

  /** Puts these lines in the place of all others, whole or not at all. @throws KeyauditError `STORE_UNWRITABLE` */
  rewrite(all: Iterable<Changes>): void {
    const old = this.#own();
    const temporary = `${this.file}.new`;
    try {
      rmSync(temporary, { force: true });
      const descriptor = openSync(temporary, O_RDWR | O_APPEND | O_CREAT | O_EXCL, FILE_MODE);
      try {
        let size = writeAll(descriptor, Buffer.from(`${HEADER}\n`));
        for (const changes of all) {
          size += writeAll(descriptor, Buffer.from(`${JSON.stringify(changes)}\n`));
          if (size > MOST_BYTES) throw this.#tooLarge();
        }
        // A machine that dies must not find the new name before the content.
        fsyncSync(descriptor);
        renameSync(temporary, this.file);
        this.#size = size;
      } catch (error) {
        closeSync(descriptor);
        rmSync(temporary, { force: true });
        throw error;
      }
      this.#descriptor = descriptor;
      closeSync(old);
    } catch (error) {
      throw writeError(this.file, error);
    }
  }

  async close(): Promise<void> {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
    await this.#release();
  }

  #open(): ReadObjects {
    // Not to wait for the writer of a pipe, nor to follow a link that took the file's place.
    this.#descriptor = openSync(this.file, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, FILE_MODE);
    const found = fstatSync(this.#descriptor);
    if (!found.isFile()) throw this.#broken(1, 'it is no file');
    if (found.size > MOST_BYTES) throw this.#broken(1, `it is larger than ${MOST_BYTES} bytes`);
    const text = readFileSync(this.#descriptor, 'utf8');
    this.#size = found.size;
    // Nothing was ever answered from a file without its first line.
    if (HEADER.startsWith(text) || text === `${HEADER}\n`) {
      ftruncateSync(this.#descriptor, 0);
      this.#size = writeAll(this.#descriptor, Buffer.from(`${HEADER}\n`));
      return { changes: [], isTorn: false };
    }
    const [header, ...lines] = text.split('\n');
    if (header !== HEADER) throw this.#broken(1, 'it does not begin as such a file does');
    const last = lines.pop() ?? '';
    return { changes: lines.map((line, index) => this.#read(line, index + 2)), isTorn: last !== '' };
  }

  #read(line: string, number: number): Changes {
    try {
      return changesSchema.parse(JSON.parse(line));
    } catch {
      throw this.#broken(number, 'this line is damaged');
    }
  }

  /** The descriptor, while the file is this process's and as this process left it. */
  #own(): number {
    const descriptor = this.#descriptor;
    if (descriptor === undefined) throw this.#unwritable('it is closed');
    if (this.#isTaken) throw this.#unwritable('another process took it over');
    const [ours, there] = [fstatSync(descriptor), statSync(this.file, { throwIfNoEntry: false })];
    if (there === undefined) throw this.#unwritable('it was removed');
    if (there.ino !== ours.ino || there.size !== this.#size) throw this.#unwritable('somebody else wrote it');
    return descriptor;
  }

  #tooLarge(): KeyauditError {
    return this.#unwritable(`it would be larger than ${MOST_BYTES} bytes`);
  }

  #unwritable(why: string): KeyauditError {
    return new KeyauditError('STORE_UNWRITABLE', `${this.file} cannot be written: ${why}.`, {
      hint: 'Start the sandbox again.',
    });
  }

  #broken(line: number, why: string): KeyauditError {
    return new KeyauditError('SANDBOX_OBJECTS_BROKEN', `The objects of the sandbox cannot be read.`, {
      hint: 'Nothing was changed. Mend the line or remove it, or move the file away to start with nothing.',
      problems: [{ message: `${why}.`, location: { file: this.file, line, column: 1 } }],
    });
  }
}

function writeAll(descriptor: number, bytes: Buffer): number {
  let written = 0;
  while (written < bytes.length) written += writeSync(descriptor, bytes, written);
  return written;
}
