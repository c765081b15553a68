import { createHash } from 'node:crypto';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { KeyauditError } from '../../core/error.ts';
import { type LogRow, ROW_KINDS } from '../../core/spend/log-row.ts';

/** What the first row of all names as the one before it. */
const FIRST_PREV = 'none';

/** A day of the log. */
const FILE_NAME = /^\d{4}-\d{2}-\d{2}\.jsonl$/;

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
  /** How many bytes of the last file hold whole rows; what follows was being written when the guard died. */
  readonly wholeBytes: number;
  /** The first place that is not as it was written; nothing behind it is read. */
  readonly broken: LogBreak | undefined;
}

/** Called for each row in turn, with its hash. What it throws is why the row cannot have been written. */
export type VisitRow = (row: LogRow, hash: string) => void;

/** RFC 9162's hash of a leaf: rows are chained by it, and are the leaves of the checkpoints' tree. */
export function hashOfRow(line: string | Buffer): string {
  return createHash('sha256').update('\0').update(line).digest('base64url');
}

/**
 * Reads a log, a folder of it or one file, checking that every row is there, in its place and as it was written. A last
 * line without an end is no break: it was never acknowledged, and does not count.
 * @throws KeyauditError `FILE_UNREADABLE`
 */
export async function readGuardLog(place: string, visit: VisitRow): Promise<LogReading> {
  const { folder, names, isOneFile } = await filesAt(place);
  const reader = new Reader(visit, isOneFile);
  for (const [index, name] of names.entries()) {
    await reader.file(folder, name, index === names.length - 1);
    if (reader.broken !== undefined) break;
  }
  return reader;
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
    const names = (await readdir(place)).filter((name) => FILE_NAME.test(name)).sort();
    return { folder: place, names, isOneFile: false };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT')
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
  firstSeq = 1;
  lastSeq = 0;
  lastHash = FIRST_PREV;
  lastFile: string | undefined;
  wholeBytes = 0;
  broken: LogBreak | undefined;
  #line = 0;

  constructor(visit: VisitRow, mayBeginLater: boolean) {
    this.#visit = visit;
    this.#mayBeginLater = mayBeginLater;
  }

  async file(folder: string, name: string, isLast: boolean): Promise<void> {
    this.lastFile = name;
    this.wholeBytes = 0;
    this.#line = 0;
    let rest: Buffer<ArrayBufferLike> = Buffer.alloc(0);
    try {
      const handle = await open(join(folder, name), 'r');
      try {
        while (this.broken === undefined && rest.length <= LONGEST_ROW) {
          const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(PIECE), 0, PIECE, null);
          if (bytesRead === 0) break;
          const read = buffer.subarray(0, bytesRead);
          rest = this.#rows(name, rest.length === 0 ? read : Buffer.concat([rest, read]));
        }
      } finally {
        await handle.close();
      }
    } catch (cause) {
      throw unreadable(join(folder, name), cause);
    }
    if (rest.length === 0 || this.broken !== undefined) return;
    const isTorn = isLast && rest.length <= LONGEST_ROW;
    if (!isTorn)
      this.broken = { file: name, line: this.#line + 1, why: 'the line has no end, and rows follow it' };
  }

  /** Takes in all whole lines. @returns what has no end yet */
  #rows(file: string, bytes: Buffer): Buffer {
    let from = 0;
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, from)) {
      this.#line += 1;
      const why = this.#row(bytes.subarray(from, end));
      if (why !== undefined) {
        this.broken = { file, line: this.#line, why };
        break;
      }
      this.wholeBytes += end + 1 - from;
      from = end + 1;
    }
    return bytes.subarray(from);
  }

  #row(line: Buffer): string | undefined {
    const row = rowOf(line);
    if (row === undefined) return 'it is no row of the log';
    if (this.lastSeq === 0 && this.#mayBeginLater && row.seq > 1 && row.prev !== FIRST_PREV) {
      this.firstSeq = row.seq;
    } else {
      if (row.prev !== this.lastHash) return 'the row before it is not the one that it was written behind';
      if (row.seq !== this.lastSeq + 1) return `it has number ${row.seq}, and ${this.lastSeq + 1} is next`;
    }
    const hash = hashOfRow(line);
    try {
      this.#visit(row, hash);
    } catch (error) {
      return `what it says cannot have happened: ${(error as Error).message}`;
    }
    this.lastSeq = row.seq;
    this.lastHash = hash;
    return undefined;
  }
}

function rowOf(line: Buffer): LogRow | undefined {
  try {
    const row = JSON.parse(line.toString('utf8')) as Partial<LogRow> | null;
    const isRow =
      typeof row === 'object' &&
      row !== null &&
      typeof row.seq === 'number' &&
      typeof row.prev === 'string' &&
      typeof row.time === 'string' &&
      !Number.isNaN(Date.parse(row.time)) &&
      ROW_KINDS.some((kind) => kind === row.kind);
    return isRow ? (row as LogRow) : undefined;
  } catch {
    return undefined;
  }
}
