import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { LogRow, NoteEvent, ReserveEvent, RowTake } from '../../core/spend/log-row.ts';
import { SpendBook } from '../../core/spend/spend-book.ts';
import { type Checkpoint, readCheckpoint } from './checkpoint.ts';
import { type CheckpointKey, readPublicKey } from './log-key.ts';
import { MerkleTree } from './merkle-tree.ts';
import { readGuardLog } from './read-guard-log.ts';

/** What a log is worth. */
export interface LogVerdict {
  readonly rows: number;
  /** Of the last row: what one keeps elsewhere, to find a log that was cut to an earlier state. */
  readonly lastHash: string;
  readonly checkpoints: number;
  /** Rows behind the last checkpoint, which nothing is signed for yet. */
  readonly unsigned: number;
  /** The thumbprint of the key that the checkpoints were checked by; undefined where there is none. */
  readonly keyId: string | undefined;
  /** Everything that is not as it was written, the place in front; empty for a log that is intact. */
  readonly problems: readonly string[];
  /** What could not be told. */
  readonly unknown: readonly string[];
}

export interface VerifyOptions {
  /** The hash of a row, or a checkpoint, that was seen once: the log must still go on from it. */
  readonly kept?: string | undefined;
  /** A file with the public key, kept elsewhere than in the log. */
  readonly key?: string | undefined;
}

/** So many problems are named; the first is what matters. */
const MOST_PROBLEMS = 20;
/** A checkpoint is written at least every 1,000 rows, give or take what goes to the disk at once. */
const MOST_UNSIGNED = 2_100;

/**
 * Checks a log, a folder of it or one file: that each row is there and as it was written, that each checkpoint is
 * signed and has the root of all rows before it, and, adding the amounts up again, that every reservation found its
 * counters where it says and stayed within its caps.
 * @throws KeyauditError `FILE_UNREADABLE`, `GUARD_LOG_KEY`
 */
export async function verifyGuardLog(place: string, options: VerifyOptions = {}): Promise<LogVerdict> {
  const isFolder = await stat(place).then(
    (found) => found.isDirectory(),
    () => true,
  );
  const key = await readPublicKey(isFolder ? place : dirname(place), options.key);
  const kept = await readKept(options.kept, key);
  const check = new LogCheck(kept);
  const { broken, firstSeq, lastSeq, lastHash } = await readGuardLog(
    place,
    (row, hash, at) => check.row(row, hash, at),
    // What was accepted is not as it was written all the same.
    { depth: 'sums', accepted: [] },
  );
  if (broken !== undefined) check.problem(`${broken.file}:${broken.line}: ${broken.why}`);
  else check.end(lastSeq);
  const unknown: string[] = [];
  if (lastSeq === 0 && broken === undefined) unknown.push('there are no rows');
  if (firstSeq > 1) {
    unknown.push(`it begins with row ${firstSeq}: roots and amounts cannot be worked out from the start`);
  }
  if (key === undefined && check.signed.length > 0) {
    unknown.push('there is no key to check the checkpoints by: hand one over (--key)');
  }
  if (key !== undefined) await check.signatures(key);
  return {
    rows: lastSeq === 0 ? 0 : lastSeq - firstSeq + 1,
    lastHash,
    checkpoints: check.signed.length,
    unsigned: Math.max(0, lastSeq - check.lastCheckpoint),
    keyId: key?.id,
    problems: check.problems,
    unknown,
  };
}

/** What must still be there: a row by its hash, or all rows up to a size by their root. */
type Kept = { readonly hash: string } | Checkpoint | undefined;

async function readKept(kept: string | undefined, key: CheckpointKey | undefined): Promise<Kept> {
  if (kept === undefined) return undefined;
  const isJws = kept.split('.').length === 3;
  if (!isJws || key === undefined) return { hash: kept };
  // One that this key has not signed stands nowhere in this log.
  return (await readCheckpoint(kept, key)) ?? { hash: kept };
}

class LogCheck {
  readonly problems: string[] = [];
  readonly signed: (LogRow & NoteEvent)[] = [];
  lastCheckpoint = 0;
  readonly #book = new SpendBook();
  readonly #tree = new MerkleTree();
  readonly #kept: Kept;
  #isKept: boolean;
  #first: number | undefined;

  constructor(kept: Kept) {
    this.#kept = kept;
    this.#isKept = kept === undefined;
  }

  problem(why: string): void {
    if (this.problems.length < MOST_PROBLEMS) this.problems.push(why);
  }

  row(row: LogRow, hash: string, at: number): void {
    this.#first ??= row.seq;
    if (row.kind === 'checkpoint') this.#checkpoint(row);
    if (this.#first === 1) {
      this.#addUp(row, at);
      this.#tree.append(hash);
    }
    const kept = this.#kept;
    if (this.#isKept || kept === undefined) return;
    if ('hash' in kept) this.#isKept = hash === kept.hash;
    else if (kept.size === this.#tree.size) this.#isKept = kept.root === this.#tree.root();
  }

  end(lastSeq: number): void {
    if (lastSeq - this.lastCheckpoint > MOST_UNSIGNED)
      this.problem(`no checkpoint covers the rows behind ${this.lastCheckpoint}`);
    if (this.#isKept) return;
    this.problem('what was kept is not in the log: it was cut off, changed, or is another log');
  }

  async signatures(key: CheckpointKey): Promise<void> {
    for (const { seq, time, instance, size, root, jws } of this.signed) {
      const said = typeof jws === 'string' ? await readCheckpoint(jws, key) : undefined;
      if (said === undefined)
        this.problem(`row ${String(seq)}: the checkpoint is not signed by the log's key`);
      else if (said.size !== size || said.root !== root)
        this.problem(`row ${String(seq)}: the checkpoint says another root than it has signed`);
      else if (said.time !== time || (said.instance ?? instance) !== instance)
        this.problem(`row ${String(seq)}: the checkpoint says another time or guard than it has signed`);
    }
  }

  #checkpoint(row: LogRow & NoteEvent): void {
    this.signed.push(row);
    if (this.#first === 1) {
      if (row.size !== row.seq - 1 || row.root !== this.#tree.root())
        this.problem(`row ${row.seq}: the checkpoint's root is not that of the rows before it`);
      if (row.seq - this.lastCheckpoint > MOST_UNSIGNED)
        this.problem(`no checkpoint between the rows ${this.lastCheckpoint} and ${row.seq}`);
    }
    this.lastCheckpoint = row.seq;
  }

  #addUp(row: LogRow, at: number): void {
    this.#book.advance(at);
    if (row.kind === 'reserve')
      for (const why of wrongSums(row, this.#book)) this.problem(`row ${row.seq}: ${why}`);
    this.#book.apply(row, at);
  }
}

function wrongSums({ takes, calls, amount = 0 }: ReserveEvent, book: SpendBook): string[] {
  const wrong: string[] = [];
  const look = ({ counter, cap, before, after }: RowTake, most: number) => {
    const used = book.ledger.used(counter);
    const added = after - before;
    if (before !== used) wrong.push(`${counter} had come to ${used}, not ${before}`);
    else if (added < 0 || added > most) wrong.push(`${counter} went up by ${added}, not by ${most} at most`);
    else if (added > 0 && after > cap) wrong.push(`${counter} went over its cap of ${cap}`);
  };
  for (const take of takes) look(take, amount);
  for (const take of calls) look(take, 1);
  return wrong;
}
