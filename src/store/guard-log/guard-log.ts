import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { EXIT, KeyauditError } from '../../core/error.ts';
import type { LogEvent } from '../../core/spend/log-row.ts';
import { SpendBook } from '../../core/spend/spend-book.ts';
import { guardWrites, refuseLink } from '../workspace.ts';
import { holdFolder } from './hold-folder.ts';
import { hashOfRow, readGuardLog } from './read-guard-log.ts';

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

export interface GuardLogOptions {
  readonly folder: string;
  /** The clock, in ms since 1970. */
  readonly now: () => number;
  /** Which guard writes; it stands in every row. */
  readonly instance?: string | undefined;
  /** Opens a file of the log for appending; a test's disk may be full. */
  readonly openFile?: (path: string) => Promise<LogFile>;
}

/** What the log needs of a file. */
export type LogFile = Pick<FileHandle, 'write' | 'datasync' | 'truncate' | 'stat' | 'close'>;

/** An event that waits to be written. */
interface Waiting {
  readonly event: LogEvent;
  readonly at: number;
  /** Of one that must be on disk, or not at all. */
  readonly settle?: { readonly resolve: () => void; readonly reject: (cause: unknown) => void };
}

/**
 * The guard's log, which is its journal as well: JSON lines in a file a day, each row bound to the one before it by its
 * hash. All that waits is written with one fdatasync. There is one writer; who else writes is found out, and stops it.
 *
 * What the guard counts is the fold of the log: `open` gives the book as the rows left it, and from then on whoever
 * writes applies each event to the book and hands it over here in one turn, with the same moment:
 *
 *     const { log, book } = await GuardLog.open({ folder, now });
 *     const result = book.reserve({ ...request, now: at });       // applied already
 *     if ('event' in result) await log.durable(result.event, at); // rejected: not in the log; release it in the book
 *     … the call …
 *     book.apply(settle, at); log.note(settle, at);               // lost with the machine: the reservation is held
 */
export class GuardLog {
  readonly #options: GuardLogOptions;
  readonly #letGo: () => Promise<void>;
  #seq: number;
  #lastHash: string;
  #file: { readonly name: string; readonly handle: LogFile; bytes: number } | undefined;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #failure: unknown;

  private constructor(options: GuardLogOptions, letGo: () => Promise<void>, seq: number, lastHash: string) {
    this.#options = options;
    this.#letGo = letGo;
    this.#seq = seq;
    this.#lastHash = lastHash;
  }

  /**
   * Opens a log for this process alone, cutting off a last line that was never acknowledged.
   * @returns the log, and all that its rows have counted
   * @throws KeyauditError `GUARD_LOG_BROKEN` (exit 3) for any other break: nobody knows what was counted
   * @throws KeyauditError `GUARD_RUNNING` when another process has it open, `STORE_UNWRITABLE`, `FILE_UNREADABLE`
   */
  static async open(options: GuardLogOptions): Promise<{ log: GuardLog; book: SpendBook }> {
    const { folder } = options;
    await guardWrites(folder, () => mkdir(folder, { recursive: true, mode: FOLDER_MODE }));
    await refuseLink(folder);
    const letGo = await holdFolder(folder);
    try {
      return await GuardLog.#openHeld(options, letGo);
    } catch (error) {
      await letGo();
      throw error;
    }
  }

  static async #openHeld(
    options: GuardLogOptions,
    letGo: () => Promise<void>,
  ): Promise<{ log: GuardLog; book: SpendBook }> {
    const { folder } = options;
    const book = new SpendBook();
    const { lastSeq, lastHash, lastFile, wholeBytes, broken } = await readGuardLog(folder, (row) =>
      book.apply(row, Date.parse(row.time)),
    );
    if (broken !== undefined) {
      const { file, line, why } = broken;
      throw new KeyauditError(
        'GUARD_LOG_BROKEN',
        `${join(folder, file)}:${line} is not as it was written: ${why}.`,
        {
          hint: 'What was counted is not known any more. Find out who changed it, and put the file back.',
          exitCode: EXIT.undetermined,
        },
      );
    }
    const log = new GuardLog(options, letGo, lastSeq, lastHash);
    if (lastFile !== undefined) {
      const file = await log.#open(lastFile);
      if (file.bytes !== wholeBytes) {
        await file.handle.truncate(wholeBytes);
        await file.handle.datasync();
        file.bytes = wholeBytes;
      }
    }
    return { log, book };
  }

  /** Of the last row on disk. */
  get lastHash(): string {
    return this.#lastHash;
  }

  /** Why nothing can be written any more; undefined while it can. */
  get failure(): unknown {
    return this.#failure;
  }

  /**
   * Writes an event soon. One that is lost with the machine leaves its reservation held, never forgotten.
   * @param at when it happened, in ms since 1970
   */
  note(event: LogEvent, at = this.#options.now()): void {
    this.#waiting.push({ event, at });
    this.#start();
  }

  /**
   * Writes an event. Resolved once it is on disk; rejected when it is not, and then it is not in the log either.
   * @param at when it happened, in ms since 1970
   */
  durable(event: LogEvent, at = this.#options.now()): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      this.#waiting.push({ event, at, settle: { resolve, reject } });
      this.#start();
    });
  }

  /** Writes what waits, closes the file, and lets go of the folder. */
  async close(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    await this.#file?.handle.close();
    this.#file = undefined;
    await this.#letGo();
  }

  #start(): void {
    if (this.#writing !== undefined || this.#failure !== undefined) return;
    this.#writing = this.#writeAll().finally(() => {
      this.#writing = undefined;
      // What came in after the last look, before this moment, would else wait for ever.
      if (this.#waiting.some(({ settle }) => settle !== undefined)) this.#start();
    });
  }

  async #writeAll(): Promise<void> {
    // What is asked for in one turn goes to the disk together.
    await Promise.resolve();
    while (this.#waiting.length > 0 && this.#failure === undefined) {
      const batch = this.#waiting;
      this.#waiting = [];
      const before = { seq: this.#seq, lastHash: this.#lastHash };
      try {
        await this.#write(batch);
      } catch (cause) {
        this.#seq = before.seq;
        this.#lastHash = before.lastHash;
        await this.#takeBack(cause);
        for (const { settle } of batch) settle?.reject(cause);
        // What happened is not forgotten because it could not be written now.
        this.#waiting.unshift(...batch.filter(({ settle }) => settle === undefined));
        // The next event tries again: a disk that is full does not stay so.
        if (!this.#waiting.some(({ settle }) => settle !== undefined)) return;
        continue;
      }
      for (const { settle } of batch) settle?.resolve();
    }
    if (this.#failure === undefined) return;
    for (const { settle } of this.#waiting) settle?.reject(this.#failure);
    this.#waiting = this.#waiting.filter(({ settle }) => settle === undefined);
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const name = `${new Date(this.#options.now()).toISOString().slice(0, 10)}.jsonl`;
    // A clock that went back must not reopen a day.
    const file = this.#file !== undefined && name <= this.#file.name ? this.#file : await this.#open(name);
    const { size } = await file.handle.stat();
    if (size !== file.bytes) {
      this.#failure = new Error(`somebody else wrote to ${file.name}`);
      throw this.#failure;
    }
    const lines = batch.map(({ event, at }) => this.#line(event, at));
    const bytes = Buffer.from(lines.join(''));
    for (let written = 0; written < bytes.length; ) {
      const { bytesWritten } = await file.handle.write(bytes, written, bytes.length - written, null);
      written += bytesWritten;
    }
    try {
      await file.handle.datasync();
    } catch (cause) {
      // After a failed sync nobody knows what is on the disk, and a second one may pass for nothing.
      this.#failure = cause;
      throw cause;
    }
    file.bytes += bytes.length;
  }

  /** Cuts off what a failed write left. Where that fails as well, nothing is written any more. */
  async #takeBack(cause: unknown): Promise<void> {
    const file = this.#file;
    if (file === undefined || this.#failure !== undefined) return;
    try {
      await file.handle.truncate(file.bytes);
    } catch {
      this.#failure = cause;
    }
  }

  #line(event: LogEvent, at: number): string {
    this.#seq += 1;
    const { kind, ...rest } = event;
    const time = new Date(at).toISOString();
    const { instance } = this.#options;
    const text = JSON.stringify({ seq: this.#seq, time, prev: this.#lastHash, kind, instance, ...rest });
    this.#lastHash = hashOfRow(text);
    return `${text}\n`;
  }

  async #open(name: string): Promise<{ readonly name: string; readonly handle: LogFile; bytes: number }> {
    const openFile = this.#options.openFile ?? ((path) => open(path, 'a', FILE_MODE));
    const handle = await openFile(join(this.#options.folder, name));
    const { size } = await handle.stat();
    if (size === 0) await syncFolder(this.#options.folder);
    await this.#file?.handle.close();
    this.#file = { name, handle, bytes: size };
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
