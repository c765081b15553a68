import { hash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { EXIT, KeyauditError } from '../../core/error.ts';
import type { LogEvent } from '../../core/spend/log-row.ts';
import { SpendBook } from '../../core/spend/spend-book.ts';
import { guardWrites, refuseLink } from '../workspace.ts';
import { signCheckpoint } from './checkpoint.ts';
import { DayFiles, type LogFile } from './day-files.ts';
import { holdFolder } from './hold-folder.ts';
import { openLogKey, type SigningKey } from './log-key.ts';
import { MerkleTree } from './merkle-tree.ts';
import { type LogBreak, type LogReading, readGuardLog } from './read-guard-log.ts';
import { type AcceptedBreak, readAcceptedBreaks } from './rows/accepted-breaks.ts';
import { readSnapshot, type Snapshot, writeSnapshot } from './snapshot.ts';

const FOLDER_MODE = 0o700;
/** A checkpoint after so many rows, or so long, in ms. */
const CHECKPOINT_ROWS = 1_000;
const CHECKPOINT_MS = 60_000;
/** The book is written down after so many rows, more of them the larger it is: a row for so many bytes. */
const SNAPSHOT_ROWS = 20_000;
const MOST_SNAPSHOT_ROWS = 40_000;
const BYTES_A_ROW = 200;
/** At the end of the guard it is, if so many rows are not in it. */
const SNAPSHOT_AT_END_ROWS = 1_000;

export interface GuardLogOptions {
  readonly folder: string;
  /** The clock, in ms since 1970. */
  readonly now: () => number;
  /** Which guard writes; it stands in every row. */
  readonly instance?: string | undefined;
  /** Told of each checkpoint, a compact JWS, once it is on disk. */
  readonly onCheckpoint?: ((jws: string) => void) | undefined;
  /** Opens a file of the log for appending; a test's disk may be full. */
  readonly openFile?: (path: string) => Promise<LogFile>;
}

/** An event that waits to be written. */
interface Waiting {
  readonly event: LogEvent;
  readonly at: number;
  /** Of one that must be on disk, or not at all. */
  readonly settle?: { readonly resolve: () => void; readonly reject: (cause: unknown) => void };
  readonly unwritten?: Unwritten;
}

/** What an event comes to that could not be made durable. */
export interface Unwritten {
  /** It has happened all the same: it keeps its place, and is written when it can be. */
  readonly stays?: boolean;
  /** Takes it back, in the same turn: nothing is counted on it. */
  readonly takeBack?: () => void;
}

/** How far the log has come. */
interface LogEnd {
  seq: number;
  lastHash: string;
  readonly tree: MerkleTree;
  /** The number of the last checkpoint's row. */
  checkpointSeq: number;
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
  readonly #book: SpendBook;
  readonly #key: SigningKey;
  readonly #files: DayFiles;
  readonly #letGo: () => Promise<void>;
  readonly #timer: NodeJS.Timeout;
  #end: LogEnd;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #wantsCheckpoint = false;
  #snapshot: { seq: number; rows: number; writing?: Promise<void> | undefined };

  private constructor(
    options: GuardLogOptions,
    held: Pick<Held, 'book' | 'key' | 'files' | 'end'>,
    snapshotSeq: number,
    letGo: () => Promise<void>,
  ) {
    this.#options = options;
    this.#book = held.book;
    this.#key = held.key;
    this.#files = held.files;
    this.#end = held.end;
    this.#snapshot = { seq: snapshotSeq, rows: SNAPSHOT_ROWS };
    this.#letGo = letGo;
    this.#timer = setInterval(() => this.#checkpoint(), CHECKPOINT_MS).unref();
  }

  /**
   * Opens a log for this process alone, cutting off a last line that was never acknowledged.
   * @returns the log, and all that its rows have counted
   * @throws KeyauditError `GUARD_LOG_BROKEN` (exit 3) for any other break: nobody knows what was counted
   * @throws KeyauditError `GUARD_RUNNING` when another process has it open, `GUARD_LOG_KEY`, `STORE_UNWRITABLE`,
   *   `FILE_UNREADABLE`
   */
  static async open(options: GuardLogOptions): Promise<{ log: GuardLog; book: SpendBook }> {
    const { folder } = options;
    await guardWrites(folder, () => mkdir(folder, { recursive: true, mode: FOLDER_MODE }));
    await refuseLink(folder);
    const letGo = await holdFolder(folder);
    try {
      const held = await openHeld(options);
      return { log: new GuardLog(options, held, held.snapshotSeq, letGo), book: held.book };
    } catch (error) {
      await letGo();
      throw error;
    }
  }

  /** Of the last row on disk. */
  get lastHash(): string {
    return this.#end.lastHash;
  }

  /** Why nothing can be written any more; undefined while it can. */
  get failure(): unknown {
    return this.#files.failure;
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
  durable(event: LogEvent, at = this.#options.now(), unwritten: Unwritten = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.failure !== undefined) {
        unwritten.takeBack?.();
        reject(this.failure);
        return;
      }
      this.#waiting.push({ event, at, settle: { resolve, reject }, unwritten });
      this.#start();
    });
  }

  /** Writes what waits and a last checkpoint, closes the file, and lets go of the folder. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    while (this.#writing !== undefined) await this.#writing;
    this.#checkpoint();
    while (this.#writing !== undefined) await this.#writing;
    await this.#snapshot.writing;
    if (this.failure === undefined && this.#end.seq - this.#snapshot.seq >= SNAPSHOT_AT_END_ROWS) {
      await this.#writeDown(JSON.stringify(this.#book.state()));
    }
    await this.#files.close();
    await this.#letGo();
  }

  /** A checkpoint now, unless the last one covers all there is. */
  #checkpoint(): void {
    this.#wantsCheckpoint = this.#end.seq > this.#end.checkpointSeq;
    if (this.#wantsCheckpoint) this.#start();
  }

  #start(): void {
    if (this.#writing !== undefined || this.failure !== undefined) return;
    this.#writing = this.#writeAll().finally(() => {
      this.#writing = undefined;
      // What came in after the last look, before this moment, would else wait for ever.
      if (this.#waiting.some(({ settle }) => settle !== undefined)) this.#start();
    });
  }

  async #writeAll(): Promise<void> {
    // What is asked for in one turn goes to the disk together.
    await Promise.resolve();
    while ((this.#waiting.length > 0 || this.#wantsCheckpoint) && this.failure === undefined) {
      const batch = this.#waiting.splice(0, CHECKPOINT_ROWS);
      // The book holds what has been handed over up to now, and nothing that has not.
      const state = this.#waiting.length === 0 ? this.#stateIfDue(batch.length) : undefined;
      try {
        await this.#write(batch);
      } catch (cause) {
        // What waits behind was counted on what is refused now, so that it is refused as well.
        this.#refuse([...batch, ...this.#waiting], cause);
        await new Promise(setImmediate);
        // The next event tries again: a disk that is full does not stay so.
        if (!this.#waiting.some(({ settle }) => settle !== undefined)) return;
        continue;
      }
      for (const { settle } of batch) settle?.resolve();
      if (state !== undefined) this.#snapshot.writing = this.#writeDown(state);
    }
    if (this.failure !== undefined) this.#refuse(this.#waiting, this.failure);
  }

  /** What has happened is not forgotten because it could not be written now. */
  #refuse(all: readonly Waiting[], cause: unknown): void {
    const kept = all.filter(({ settle, unwritten }) => settle === undefined || unwritten?.stays === true);
    this.#waiting = kept.map(({ event, at }) => ({ event, at }));
    for (const { unwritten } of all) unwritten?.takeBack?.();
    for (const { settle } of all) settle?.reject(cause);
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const { onCheckpoint, now, instance } = this.#options;
    const end = { ...this.#end, tree: this.#end.tree.copy() };
    const lines = batch.map(({ event, at }) => this.#line(end, event, at));
    const isDue = this.#wantsCheckpoint || end.seq - end.checkpointSeq >= CHECKPOINT_ROWS;
    this.#wantsCheckpoint = false;
    let jws: string | undefined;
    if (isDue) {
      const at = now();
      const time = new Date(at).toISOString();
      const checkpoint = { size: end.seq, root: end.tree.root(), time, instance };
      jws = await signCheckpoint(checkpoint, this.#key);
      const { size, root } = checkpoint;
      lines.push(this.#line(end, { kind: 'checkpoint', size, root, jws }, at));
      end.checkpointSeq = end.seq;
    }
    await this.#files.append(lines.join(''), lines.length, new Date(now()).toISOString().slice(0, 10));
    this.#end = end;
    if (jws !== undefined) onCheckpoint?.(jws);
  }

  /** What is counted, as text, where it is time to write it down. */
  #stateIfDue(more: number): string | undefined {
    const { seq, rows, writing } = this.#snapshot;
    if (writing !== undefined || this.#end.seq + more - seq < rows) return undefined;
    return JSON.stringify(this.#book.state());
  }

  /** A snapshot that cannot be written makes the next start slower, and nothing wrong. */
  async #writeDown(state: string): Promise<void> {
    const { seq, lastHash, checkpointSeq, tree } = this.#end;
    const { file, bytes, lines } = this.#files.end;
    const place = { seq, lastHash, checkpointSeq, roots: [...tree.roots], file, bytes, line: lines };
    await writeSnapshot(this.#options.folder, place, state, this.#key).catch(() => undefined);
    const rows = Math.max(SNAPSHOT_ROWS, Math.ceil(state.length / BYTES_A_ROW));
    this.#snapshot = { seq, rows: Math.min(rows, MOST_SNAPSHOT_ROWS) };
  }

  #line(end: LogEnd, event: LogEvent, at: number): string {
    end.seq += 1;
    const { kind, ...rest } = event;
    const time = new Date(at).toISOString();
    const { instance } = this.#options;
    const text = JSON.stringify({ seq: end.seq, time, prev: end.lastHash, kind, instance, ...rest });
    end.lastHash = hash('sha256', `\0${text}`, 'base64url');
    end.tree.append(end.lastHash);
    return `${text}\n`;
  }
}

/** What is at hand once a log is open. */
interface Held {
  readonly book: SpendBook;
  readonly key: SigningKey;
  readonly files: DayFiles;
  readonly end: LogEnd;
  readonly snapshotSeq: number;
}

async function openHeld({ folder, openFile }: GuardLogOptions): Promise<Held> {
  const key = await openLogKey(folder);
  const snapshot = await readSnapshot(folder, key);
  const accepted = await readAcceptedBreaks(folder, key);
  const { reading, book, end } = await fold(folder, snapshot, accepted);
  if (reading.broken !== undefined) throw broken(folder, reading.broken);
  const files = new DayFiles(folder, openFile);
  if (reading.lastFile !== undefined) {
    await files.goOnWith(reading.lastFile, reading.wholeBytes, reading.wholeLines);
  }
  return { book, key, files, end, snapshotSeq: snapshot?.place.seq ?? 0 };
}

async function fold(
  folder: string,
  snapshot: Snapshot | undefined,
  accepted: readonly AcceptedBreak[],
): Promise<{ reading: LogReading; book: SpendBook; end: LogEnd }> {
  const book = new SpendBook(snapshot?.book);
  const tree = new MerkleTree(snapshot?.place.seq, snapshot?.place.roots);
  let checkpointSeq = snapshot?.place.checkpointSeq ?? 0;
  const reading = await readGuardLog(
    folder,
    (row, ownHash, at) => {
      book.apply(row, at);
      tree.append(ownHash);
      if (row.kind === 'checkpoint') checkpointSeq = row.seq;
    },
    { from: snapshot?.place, depth: 'counted', accepted },
  );
  return { reading, book, end: { seq: reading.lastSeq, lastHash: reading.lastHash, tree, checkpointSeq } };
}

function broken(folder: string, { file, line, why }: LogBreak): KeyauditError {
  return new KeyauditError(
    'GUARD_LOG_BROKEN',
    `${join(folder, file)}:${line} is not as it was written: ${why}.`,
    {
      hint: `What was counted is not known any more. Find out who changed it, and put the file back; or take it as it stands, "keyaudit guard log accept ${file}:${line} --reason TEXT".`,
      exitCode: EXIT.undetermined,
    },
  );
}
