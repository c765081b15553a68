import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, KeyauditError } from '../../../core/error.ts';
import { SpendBook } from '../../../core/spend/spend-book.ts';
import { GuardLog } from '../guard-log.ts';
import { holdFolder } from '../hold-folder.ts';
import { openLogKey } from '../log-key.ts';
import { type LogBreak, readGuardLog } from '../read-guard-log.ts';
import { readSnapshot } from '../snapshot.ts';
import { addAcceptedBreak, readAcceptedBreaks } from './accepted-breaks.ts';

export interface AcceptOptions {
  readonly folder: string;
  /** `FILE:LINE`, as the guard named it. */
  readonly place: string;
  readonly reason: string;
  /** In ms since 1970. */
  readonly now: () => number;
}

/**
 * Takes the first break of a log as it stands, by its name, for whoever has found out how it came about. What the rows
 * say from there on is counted, and the acceptance is a row of the log.
 * @throws KeyauditError `GUARD_LOG_BROKEN` for another break than the one that is named, or one that cannot be accepted;
 *   `GUARD_LOG_WHOLE` where there is none, or no log; `GUARD_RUNNING`
 */
export async function acceptBreak({ folder, place, reason, now }: AcceptOptions): Promise<LogBreak> {
  if (!existsSync(folder)) {
    throw new KeyauditError('GUARD_LOG_WHOLE', `There is no log of a guard in ${folder}.`, {
      hint: 'Work in the folder that the guard runs for.',
    });
  }
  const letGo = await holdFolder(folder);
  let found: LogBreak | undefined;
  try {
    const key = await openLogKey(folder);
    const snapshot = await readSnapshot(folder, key);
    const book = new SpendBook(snapshot?.book);
    const accepted = await readAcceptedBreaks(folder, key);
    const options = { from: snapshot?.place, depth: 'counted', accepted } as const;
    ({ broken: found } = await readGuardLog(folder, (row, _hash, at) => book.apply(row, at), options));
    if (found === undefined) {
      throw new KeyauditError('GUARD_LOG_WHOLE', `The log in ${folder} is as it was written.`, {
        hint: 'There is nothing to accept.',
      });
    }
    const { file, line, why, hash } = found;
    const name = `${file}:${line}`;
    if (name !== place) throw notThis(folder, found, `The first break is ${name}: accept it by this name.`);
    if (hash === undefined)
      throw notThis(folder, found, 'What is gone cannot be taken as it stands: put the file back.');
    const acceptedAt = new Date(now()).toISOString();
    await addAcceptedBreak(folder, { file, line, hash, why, reason, acceptedAt }, key);
  } finally {
    await letGo();
  }
  // Where a further break follows, the next start says so.
  const opened = await GuardLog.open({ folder, now });
  await opened.log.durable({ kind: 'accept', place, why: found.why, reason }, now());
  await opened.log.close();
  return found;
}

function notThis(folder: string, { file, line, why }: LogBreak, hint: string): KeyauditError {
  const place = `${join(folder, file)}:${line}`;
  return new KeyauditError('GUARD_LOG_BROKEN', `${place} is not as it was written: ${why}.`, {
    hint,
    exitCode: EXIT.undetermined,
  });
}
