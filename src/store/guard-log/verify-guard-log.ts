import type { ReserveEvent, RowTake } from '../../core/spend/log-row.ts';
import { SpendBook } from '../../core/spend/spend-book.ts';
import { readGuardLog } from './read-guard-log.ts';

/** What a log is worth. */
export interface LogVerdict {
  readonly rows: number;
  /** Of the last row: what one keeps elsewhere, to find a log that was cut to an earlier state. */
  readonly lastHash: string;
  /** Everything that is not as it should be, the place in front; empty for a log that is intact. */
  readonly problems: readonly string[];
}

/**
 * Checks a log: that each row is there and as it was written, and, adding the amounts up again, that every reservation
 * found its counters where it says and stayed within its caps.
 * @param kept the hash of a row that was seen once and must still be there
 */
export async function verifyGuardLog(folder: string, kept?: string): Promise<LogVerdict> {
  const { rows, broken, lastHash } = await readGuardLog(folder);
  const problems = broken === undefined ? [] : [`${broken.file}:${broken.line}: ${broken.why}`];
  const book = new SpendBook();
  for (const row of rows) {
    if (row.kind === 'reserve') problems.push(...wrongSums(row, row.seq, book));
    book.apply(row, Date.parse(row.time));
  }
  // A row names the one before it, so every hash but the last stands in the log itself.
  if (kept !== undefined && kept !== lastHash && !rows.some(({ prev }) => prev === kept)) {
    problems.push('the row that was kept is not in the log: it was cut off, or this is another log');
  }
  return { rows: rows.length, lastHash, problems };
}

function wrongSums({ takes, calls, amount = 0 }: ReserveEvent, seq: number, book: SpendBook): string[] {
  const wrong = (take: RowTake, most: number) => {
    const used = book.ledger.used(take.counter);
    if (take.before !== used) return `${take.counter} had come to ${used}, not ${take.before}`;
    const added = take.after - take.before;
    if (added < 0 || added > most) return `${take.counter} went up by ${added}, not by ${most} at most`;
    return added > 0 && take.after > take.cap
      ? `${take.counter} went over its cap of ${take.cap}`
      : undefined;
  };
  return [...takes.map((take) => wrong(take, amount)), ...calls.map((take) => wrong(take, 1))].flatMap(
    (why) => (why === undefined ? [] : [`row ${seq}: ${why}`]),
  );
}
