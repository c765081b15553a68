import { resolve } from 'node:path';
import { EXIT, type ExitCode } from '../core/error.ts';
import { logVerdictJson, logVerdictTable } from '../report/guard/log-verdict.ts';
import type { CommandContext } from '../session/context.ts';
import { printResult } from '../session/result-output.ts';
import { guardLogFolder } from '../store/guard-log/guard-folder.ts';
import { verifyGuardLog } from '../store/guard-log/verify-guard-log.ts';

export interface VerifyLogOptions {
  /** A folder of log files, or one of them; default: the log of the guard of this folder. */
  readonly place?: string;
  /** The hash of a row, or a checkpoint, that was seen once and must still be there. */
  readonly kept?: string;
  /** A file with the public key, kept elsewhere. */
  readonly key?: string;
}

/**
 * `keyaudit guard log verify [PLACE]`: whether the log is as it was written, its amounts added up again.
 * @returns 1 where it is not intact, 3 where that could not be told
 */
export async function verifyLog(
  { place, kept, key }: VerifyLogOptions,
  context: CommandContext,
): Promise<ExitCode> {
  const where = place === undefined ? guardLogFolder(context.cwd) : resolve(context.from, place);
  const verdict = await verifyGuardLog(where, {
    kept,
    key: key === undefined ? undefined : resolve(context.from, key),
  });
  await printResult(context, {
    json: logVerdictJson(where, verdict),
    table: (output) => logVerdictTable(where, verdict, output),
  });
  if (verdict.problems.length > 0) return EXIT.findings;
  return verdict.unknown.length > 0 ? EXIT.undetermined : EXIT.ok;
}
