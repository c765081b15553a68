import type { LogRow, ReserveEvent, RowTake } from '../../core/spend/log-row.ts';
import { SpendBook } from '../../core/spend/spend-book.ts';
import { readGuardLog } from './read-guard-log.ts';

/** What a log is worth. */
export interface LogVerdict {
  readonly rows: number;
  /** Of the last row: what one keeps elsewhere, to find a log that was cut to an earlier state. */
  readonly lastHash: string;
  /** Everything that is not as it was written, the place in front; empty for a log that is intact. */
  readonly problems: readonly string[];
  /** What could not be told. */
  readonly unknown: readonly string[];
}

/** So many problems are named; the first is what matters. */
const MOST_PROBLEMS = 20;

/**
 * Checks a log, a folder of it or one file: that each row is there and as it was written, and, adding the amounts up
 * again, that every reservation found its counters where it says and stayed within its caps.
 * @param kept the hash of a row that was seen once and must still be there
 * @throws KeyauditError `FILE_UNREADABLE`
 */
export async function verifyGuardLog(place: string, kept?: string): Promise<LogVerdict> {
  const problems: string[] = [];
  const book = new SpendBook();
  let first: number | undefined;
  let isKept = kept === undefined;
  const reading = await readGuardLog(place, (row, hash) => {
    if (hash === kept) isKept = true;
    first ??= row.seq;
    if (first === 1) addUp(row, book, problems);
  });
  const { broken, firstSeq, lastSeq, lastHash } = reading;
  if (broken !== undefined) problems.push(`${broken.file}:${broken.line}: ${broken.why}`);
  // A row names the one before it, so every hash but the last stands in the log itself.
  if (!isKept && broken === undefined) {
    problems.push('the row that was kept is not in the log: it was cut off, or this is another log');
  }
  const unknown = [
    ...(lastSeq === 0 && broken === undefined ? ['there are no rows'] : []),
    ...(firstSeq > 1
      ? [`it begins with row ${firstSeq}, so that amounts cannot be added up from the start`]
      : []),
  ];
  return { rows: lastSeq === 0 ? 0 : lastSeq - firstSeq + 1, lastHash, problems, unknown };
}

function addUp(row: LogRow, book: SpendBook, problems: string[]): void {
  if (row.kind === 'reserve') {
    for (const why of wrongSums(row, book))
      if (problems.length < MOST_PROBLEMS) problems.push(`row ${row.seq}: ${why}`);
  }
  book.apply(row, Date.parse(row.time));
}

function wrongSums({ takes, calls, amount = 0 }: ReserveEvent, book: SpendBook): string[] {
  const wrong = (take: RowTake, most: number) => {
    const used = book.ledger.used(take.counter);
    if (take.before !== used) return `${take.counter} had come to ${used}, not ${take.before}`;
    const added = take.after - take.before;
    if (added < 0 || added > most) return `${take.counter} went up by ${added}, not by ${most} at most`;
    return added > 0 && take.after > take.cap
      ? `${take.counter} went over its cap of ${take.cap}`
      : undefined;
  };
  return [...takes.map((take) => wrong(take, amount)), ...calls.map((take) => wrong(take, 1))].filter(
    (why) => why !== undefined,
  );
}
