import { isAscii } from 'node:buffer';
import { hash } from 'node:crypto';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { KeyauditError } from '../../core/error.ts';
import type { LogRow } from '../../core/spend/log-row.ts';
import { LOG_FILE_NAME } from './guard-folder.ts';
import { readPublicKey } from './log-key.ts';
import { type AcceptedBreak, readAcceptedBreaks } from './rows/accepted-breaks.ts';
import { type Depth, RowReader } from './rows/read-row.ts';

const IMPOSSIBLE = 'what it says cannot have happened';

/** What the first row of all names as the one before it. */
const FIRST_PREV = 'none';

/** How much is read at a time, in bytes. */
const PIECE = 4 * 1024 * 1024;

/** No row is longer, in bytes. */
const LONGEST_ROW = 1024 * 1024;

/** Where the log is not what was written. */
export interface LogBreak {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly why: string;
  /** Of the line as it stands; undefined where rows are gone, or a line has not its end. */
  readonly hash?: string | undefined;
}

/** What was read of a log. */
export interface LogReading {
  /** The number of the first row; 1 unless it is one file of several. */
  readonly firstSeq: number;
  /** The number of the last row; 0 where there is none. */
  readonly lastSeq: number;
  /** Of the last row, or `none` where there is none. */
  readonly lastHash: string;
  /** The file that the last row stands in. */
  readonly lastFile: string | undefined;
  /** How many bytes and lines of the last file are whole rows; what follows was being written when the guard died. */
  readonly wholeBytes: number;
  readonly wholeLines: number;
  /** The first place that is not as it was written; nothing behind it is read. */
  readonly broken: LogBreak | undefined;
}

/**
 * Called for each row in turn, with its hash in base64url and its time in ms since 1970. What it throws is why the row
 * cannot have been written.
 */
export type VisitRow = (row: LogRow, hash: string, at: number) => void;

/** A place in a log up to which all is known. */
export interface LogPlace {
  readonly file: string;
  readonly bytes: number;
  readonly line: number;
  /** Of the last row before it. */
  readonly seq: number;
  readonly lastHash: string;
}

export interface ReadingOptions {
  /** Where to begin; what lies before is not read. */
  readonly from?: LogPlace | undefined;
  /** How much of its rows is wanted (default: all). */
  readonly depth?: Depth | undefined;
  /** Breaks that are taken as they stand (default: those of a folder that were accepted). */
  readonly accepted?: readonly Pick<AcceptedBreak, 'file' | 'line' | 'hash'>[] | undefined;
}

/**
 * Reads a log, a folder of it or one file, checking that every row is there, in its place and as it was written. A last
 * line without an end is no break: it was never acknowledged, and does not count. A row's hash is RFC 9162's of a leaf.
 * @throws KeyauditError `FILE_UNREADABLE`
 */
export async function readGuardLog(
  place: string,
  visit: VisitRow,
  options: ReadingOptions = {},
): Promise<LogReading> {
  const { from } = options;
  const { folder, names, isOneFile } = await filesAt(place);
  const accepted = options.accepted ?? (isOneFile ? [] : await acceptedIn(folder));
  const reader = new Reader(visit, isOneFile, { ...options, accepted });
  const after = names.filter((name) => from === undefined || name >= from.file);
  if (from !== undefined && after[0] !== from.file) reader.cutAt(from.file, 0);
  for (const [index, name] of after.entries()) {
    if (reader.broken !== undefined) break;
    const begin = name === from?.file ? from : undefined;
    await reader.file(join(folder, name), { isLast: index === after.length - 1, begin });
  }
  return reader;
}

async function acceptedIn(folder: string): Promise<readonly AcceptedBreak[]> {
  const key = await readPublicKey(folder).catch(() => undefined);
  return key === undefined ? [] : readAcceptedBreaks(folder, key);
}

interface LogFiles {
  readonly folder: string;
  readonly names: readonly string[];
  readonly isOneFile: boolean;
}

async function filesAt(place: string): Promise<LogFiles> {
  try {
    const found = await stat(place);
    if (!found.isDirectory()) return { folder: dirname(place), names: [basename(place)], isOneFile: true };
    const names = (await readdir(place)).filter((name) => LOG_FILE_NAME.test(name)).sort();
    return { folder: place, names, isOneFile: false };
  } catch (cause) {
    if (/^(?:ENOENT|ENOTDIR)$/.test((cause as NodeJS.ErrnoException).code ?? ''))
      return { folder: place, names: [], isOneFile: false };
    throw unreadable(place, cause);
  }
}

function unreadable(place: string, cause: unknown): KeyauditError {
  return new KeyauditError(
    'FILE_UNREADABLE',
    `${place} cannot be read: ${(cause as NodeJS.ErrnoException).code}.`,
    { hint: 'It belongs to the user that the guard runs as.', cause },
  );
}

class Reader implements LogReading {
  readonly #visit: VisitRow;
  readonly #mayBeginLater: boolean;
  readonly #rowReader: RowReader;
  readonly #accepted: ReadingOptions['accepted'];
  firstSeq = 1;
  lastSeq: number;
  lastHash: string;
  lastFile: string | undefined;
  wholeBytes = 0;
  wholeLines = 0;
  broken: LogBreak | undefined;

  constructor(visit: VisitRow, mayBeginLater: boolean, { from, depth, accepted = [] }: ReadingOptions) {
    this.#accepted = accepted;
    this.#visit = visit;
    this.#mayBeginLater = mayBeginLater;
    this.#rowReader = new RowReader(depth);
    this.lastSeq = from?.seq ?? 0;
    this.lastHash = from?.lastHash ?? FIRST_PREV;
  }

  /** Rows are not there that were. */
  cutAt(file: string, line: number): void {
    this.broken = { file, line: line + 1, why: 'rows are gone that were there before' };
  }

  async file(
    path: string,
    { isLast, begin }: { readonly isLast: boolean; readonly begin: LogPlace | undefined },
  ): Promise<void> {
    const name = basename(path);
    this.lastFile = name;
    this.wholeBytes = begin?.bytes ?? 0;
    this.wholeLines = begin?.line ?? 0;
    try {
      const handle = await open(path, 'r');
      try {
        const { size } = await handle.stat();
        if (size < this.wholeBytes) this.cutAt(name, 0);
        else await this.#pieces(handle, name, isLast);
      } finally {
        await handle.close();
      }
    } catch (cause) {
      throw unreadable(path, cause);
    }
  }

  async #pieces(handle: FileHandle, name: string, isLast: boolean): Promise<void> {
    let rest: Buffer<ArrayBufferLike> = Buffer.alloc(0);
    let position = this.wholeBytes;
    while (this.broken === undefined && rest.length <= LONGEST_ROW) {
      // A leaf is hashed with a zero in front of it: the end of the line before, overwritten, is that zero.
      const piece = Buffer.allocUnsafe(1 + rest.length + PIECE);
      rest.copy(piece, 1);
      const { bytesRead } = await handle.read(piece, 1 + rest.length, PIECE, position);
      if (bytesRead === 0) break;
      position += bytesRead;
      rest = this.#rows(name, piece.subarray(0, 1 + rest.length + bytesRead));
    }
    if (rest.length === 0 || this.broken !== undefined) return;
    if (isLast && rest.length <= LONGEST_ROW) {
      // A row that was being written may lack its end. A whole row with another end was changed.
      if (this.#rowReader.row(rest.toString('utf8', 0, rest.length - 1)) === undefined) return;
      this.broken = { file: name, line: this.wholeLines + 1, why: 'the end of the line is another one' };
      return;
    }
    this.broken = { file: name, line: this.wholeLines + 1, why: 'the line has no end, and rows follow it' };
  }

  /** Takes in all whole lines behind the first byte. @returns what has no end yet */
  #rows(file: string, bytes: Buffer): Buffer {
    // Of plain signs each is one byte: the lines are cut out of one text.
    const text = isAscii(bytes) ? bytes.toString('latin1') : undefined;
    let from = 1;
    for (let end = bytes.indexOf(0x0a, from); end >= 0; end = bytes.indexOf(0x0a, from)) {
      const line = text?.substring(from, end) ?? bytes.toString('utf8', from, end);
      bytes[from - 1] = 0;
      const ownHash = hash('sha256', bytes.subarray(from - 1, end), 'base64url');
      const why = this.#row(line, ownHash);
      if (why !== undefined && !this.#isAccepted(file, ownHash)) {
        this.broken = { file, line: this.wholeLines + 1, why, hash: ownHash };
        break;
      }
      if (why !== undefined) this.#asItStands(line, ownHash, { isSeen: why.startsWith(IMPOSSIBLE) });
      this.wholeLines += 1;
      this.wholeBytes += end + 1 - from;
      from = end + 1;
    }
    return bytes.subarray(from);
  }

  #isAccepted(file: string, ownHash: string): boolean {
    const line = this.wholeLines + 1;
    return (
      this.#accepted?.some((one) => one.file === file && one.line === line && one.hash === ownHash) === true
    );
  }

  /** What an accepted row says counts, as far as it can have happened; what is no row counts for nothing. */
  #asItStands(line: string, ownHash: string, { isSeen }: { readonly isSeen: boolean }): void {
    const row = this.#rowReader.row(line);
    const at = row === undefined ? Number.NaN : Date.parse(row.time);
    if (row === undefined || Number.isNaN(at)) return;
    try {
      if (!isSeen) this.#visit(row, ownHash, at);
    } catch {
      // Not as it stands either: it counts for nothing.
    }
    this.lastSeq = row.seq;
    this.lastHash = ownHash;
  }

  #row(line: string, ownHash: string): string | undefined {
    const row = this.#rowReader.row(line);
    const at = row === undefined ? Number.NaN : Date.parse(row.time);
    if (row === undefined || Number.isNaN(at)) return 'it is no row of the log';
    if (this.lastSeq === 0 && this.#mayBeginLater && row.seq > 1 && row.prev !== FIRST_PREV) {
      this.firstSeq = row.seq;
    } else {
      if (row.prev !== this.lastHash) return 'the row before it is not the one that it was written behind';
      if (row.seq !== this.lastSeq + 1) return `it has number ${row.seq}, and ${this.lastSeq + 1} is next`;
    }
    try {
      this.#visit(row, ownHash, at);
    } catch (error) {
      return `${IMPOSSIBLE}: ${(error as Error).message}`;
    }
    this.lastSeq = row.seq;
    this.lastHash = ownHash;
    return undefined;
  }
}
