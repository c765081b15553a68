import { EXIT, KeyauditError } from '../../core/error.ts';
import type { LogRow } from '../../core/spend/log-row.ts';
import { type LogPlace, type LogReading, readGuardLog } from './read-guard-log.ts';

/** How often a log is looked at for more, in ms. */
const LOOK_MS = 200;

export interface FollowOptions {
  /** Go on with what is written from then on. */
  readonly follow?: boolean;
  /** What ends that. */
  readonly signal?: AbortSignal;
  /** Called once all rows that there are have been handed over. */
  readonly atEnd?: () => void;
}

/**
 * Hands over every row of a log in turn, and with `follow` goes on until the run is told to end.
 * @throws KeyauditError `GUARD_LOG_BROKEN` (exit 1), `FILE_UNREADABLE`
 */
export async function followGuardLog(
  place: string,
  visit: (row: LogRow) => void,
  { follow = false, signal, atEnd }: FollowOptions = {},
): Promise<void> {
  let reading = await readWhole(place, visit);
  atEnd?.();
  while (follow && signal?.aborted === false) {
    await later(signal);
    reading = await readWhole(place, visit, placeOf(reading));
  }
}

async function readWhole(place: string, visit: (row: LogRow) => void, from?: LogPlace): Promise<LogReading> {
  const reading = await readGuardLog(place, visit, { from });
  const { broken } = reading;
  if (broken === undefined) return reading;
  throw new KeyauditError(
    'GUARD_LOG_BROKEN',
    `${broken.file}:${broken.line} is not as it was written: ${broken.why}.`,
    { hint: '"keyaudit guard log verify" checks all of it.', exitCode: EXIT.findings },
  );
}

function placeOf({ lastFile, wholeBytes, wholeLines, lastSeq, lastHash }: LogReading): LogPlace | undefined {
  if (lastFile === undefined) return undefined;
  return { file: lastFile, bytes: wholeBytes, line: wholeLines, seq: lastSeq, lastHash };
}

function later(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, LOOK_MS);
    signal.addEventListener('abort', done);
  });
}
