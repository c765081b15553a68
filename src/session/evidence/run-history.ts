import { resolve } from 'node:path';
import { type PastRun, pastRunOf, readHistory } from '../../core/result/history.ts';
import type { VerifyReport } from '../../core/result/verify-report.ts';
import { readTextFile } from '../../store/files/read-text-file.ts';
import { appendToResultFile, requireWritable } from '../../store/result-file.ts';
import type { Session } from '../session.ts';

/** The history of a file, for the length of a run. */
export interface RunHistory {
  /** The last runs, oldest first. */
  readonly past: readonly PastRun[];
  /** Adds a run at the end, on a line of its own. @throws KeyauditError `OUTPUT_UNWRITABLE` */
  add(report: VerifyReport): Promise<void>;
}

/** Reads `--history FILE`; one that is not there yet has no runs. @throws KeyauditError `OUTPUT_UNWRITABLE` */
export async function openRunHistory(
  file: string,
  session: Pick<Session, 'cwd' | 'env' | 'redact' | 'globals' | 'project'>,
): Promise<RunHistory> {
  await requireWritable(session, file);
  const text = await readTextFile(resolve(session.cwd, file)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const isCutOff = text !== '' && !text.endsWith('\n');
  return {
    past: readHistory(text, session.globals.target),
    add: (report) =>
      appendToResultFile(session, file, `${isCutOff ? '\n' : ''}${JSON.stringify(pastRunOf(report))}\n`),
  };
}
