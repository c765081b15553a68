import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type LogRow, ROW_KINDS } from '../../core/spend/log-row.ts';

/** What the first row of all names as the one before it. */
const FIRST_PREV = 'none';

/** A day of the log. */
const FILE_NAME = /^\d{4}-\d{2}-\d{2}\.jsonl$/;

/** Where the log is not what was written. */
export interface LogBreak {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly why: string;
}

/** What was read of a log. */
export interface LogReading {
  readonly rows: readonly LogRow[];
  /** Of the last row, or `none` where there is none. */
  readonly lastHash: string;
  /** The file that the last row stands in. */
  readonly lastFile: string | undefined;
  /** How many bytes of the last file hold whole rows; what follows was being written when the guard died. */
  readonly wholeBytes: number;
  /** The first place that is not as it was written; nothing behind it is read. */
  readonly broken: LogBreak | undefined;
}

/** RFC 9162's hash of a leaf: rows are chained by it, and are the leaves of the checkpoints' tree. */
export function hashOfRow(line: string | Buffer): string {
  return createHash('sha256').update('\0').update(line).digest('base64url');
}

/**
 * Reads all of a log, checking that every row is there, in its place and as it was written. A last line without an
 * end is no break: it was never acknowledged, and does not count.
 */
export async function readGuardLog(folder: string): Promise<LogReading> {
  const names = (await readdir(folder).catch(whenMissing)).filter((name) => FILE_NAME.test(name)).sort();
  const reader = new Reader();
  for (const [index, name] of names.entries()) {
    reader.file(name, await readFile(join(folder, name)), index === names.length - 1);
    if (reader.broken !== undefined) break;
  }
  return reader;
}

function whenMissing(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}

class Reader implements LogReading {
  readonly rows: LogRow[] = [];
  lastHash = FIRST_PREV;
  lastFile: string | undefined;
  wholeBytes = 0;
  broken: LogBreak | undefined;

  file(name: string, bytes: Buffer, isLast: boolean): void {
    this.lastFile = name;
    let from = 0;
    for (let line = 1; from < bytes.length; line++) {
      const end = bytes.indexOf(0x0a, from);
      if (end < 0) {
        if (!isLast) this.broken = { file: name, line, why: 'the line has no end, and rows follow it' };
        break;
      }
      const why = this.#row(bytes.subarray(from, end));
      if (why !== undefined) {
        this.broken = { file: name, line, why };
        break;
      }
      from = end + 1;
    }
    this.wholeBytes = from;
  }

  #row(line: Buffer): string | undefined {
    const row = rowOf(line);
    if (row === undefined) return 'it is no row of the log';
    if (row.prev !== this.lastHash) return 'the row before it is not the one that it was written behind';
    if (row.seq !== this.rows.length + 1)
      return `it has number ${row.seq}, and ${this.rows.length + 1} is next`;
    this.rows.push(row);
    this.lastHash = hashOfRow(line);
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
