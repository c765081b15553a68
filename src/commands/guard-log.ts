import { resolve } from 'node:path';
import { EXIT, type ExitCode } from '../core/error.ts';
import { RowFlattener } from '../core/spend/flat-row.ts';
import type { LogRow } from '../core/spend/log-row.ts';
import { LOG_EXPORTERS, LOG_EXPORTS } from '../report/guard/log-export.ts';
import { logRowLine } from '../report/guard/log-rows.ts';
import { logVerdictJson, logVerdictTable } from '../report/guard/log-verdict.ts';
import { plain, wrap } from '../report/text.ts';
import type { CommandContext } from '../session/context.ts';
import { printResult, requireFormat, withResultOutput } from '../session/result-output.ts';
import { followGuardLog } from '../store/guard-log/follow-guard-log.ts';
import { guardLogFolder } from '../store/guard-log/guard-folder.ts';
import { acceptBreak } from '../store/guard-log/rows/accept-break.ts';
import { verifyGuardLog } from '../store/guard-log/verify-guard-log.ts';

/** Where a log lies: as it was named, else that of the guard of this folder. */
function logPlace(place: string | undefined, context: Pick<CommandContext, 'cwd' | 'from'>): string {
  return place === undefined ? guardLogFolder(context.cwd) : resolve(context.from, place);
}

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
  const where = logPlace(place, context);
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

export interface ShowLogOptions {
  /** A folder of log files, or one of them; default: the log of the guard of this folder. */
  readonly place?: string;
  /** Rows of this run alone. */
  readonly run?: string;
  /** So many, the last; default 50. */
  readonly last?: number;
  /** Go on with what is written from now on. */
  readonly follow?: boolean;
}

/** `keyaudit guard log`: its last rows, one a line, and with `--follow` what comes. JSON has the rows as they stand. */
export async function showLog(
  { place, run, last = 50, follow = false }: ShowLogOptions,
  context: CommandContext,
): Promise<ExitCode> {
  const { format } = context.globals;
  requireFormat(format, ['table', 'json']);
  await withResultOutput(context, (output) => {
    const tail = new Tail(last);
    const flattener = new RowFlattener();
    const visit = (row: LogRow) => {
      const flat = flattener.flat(row);
      if (run !== undefined && flat.run !== run) return;
      tail.line(() =>
        format === 'json' ? output.write(`${JSON.stringify(row)}\n`) : logRowLine(flat, output),
      );
    };
    const { signal } = context;
    const where = logPlace(place, context);
    const atEnd = () => {
      if (tail.isEmpty)
        context.stderr.write(
          `There is no row${run === undefined ? '' : ` of the run ${plain(run)}`} yet in ${where}.\n`,
        );
      tail.write();
    };
    return followGuardLog(where, visit, { follow, signal, atEnd });
  });
  return EXIT.ok;
}

/** Keeps the last lines until it is told to write them; from then on each is written at once. */
class Tail {
  readonly #most: number;
  #lines: (() => void)[] | undefined = [];

  constructor(most: number) {
    this.#most = most;
  }

  get isEmpty(): boolean {
    return this.#lines?.length === 0;
  }

  line(write: () => void): void {
    if (this.#lines === undefined) write();
    else if (this.#lines.push(write) > this.#most) this.#lines.shift();
  }

  write(): void {
    for (const line of this.#lines ?? []) line();
    this.#lines = undefined;
  }
}

/** `keyaudit guard log export --format ocsf|cloudevents|csv`: all rows, one a line, as other programs read them. */
export async function exportLog(
  { place }: { readonly place?: string },
  context: CommandContext,
): Promise<ExitCode> {
  const format = LOG_EXPORTS.find((one) => one === context.globals.format);
  if (format === undefined) {
    requireFormat(context.globals.format, LOG_EXPORTS);
    return EXIT.usage;
  }
  const { head, line } = LOG_EXPORTERS[format];
  const flattener = new RowFlattener();
  await withResultOutput(context, (output) => {
    if (head !== undefined) output.write(`${head}\n`);
    return followGuardLog(logPlace(place, context), (row) => output.write(`${line(flattener.flat(row))}\n`));
  });
  return EXIT.ok;
}

export interface AcceptBreakOptions {
  /** `FILE:LINE`, as the guard named it. */
  readonly place: string;
  /** Why it may be taken as it stands. */
  readonly reason: string;
}

/** `keyaudit guard log accept FILE:LINE`: takes a break of the log as it stands, so that a guard starts on it again. */
export async function acceptLogBreak(
  { place, reason }: AcceptBreakOptions,
  context: CommandContext,
): Promise<ExitCode> {
  const folder = guardLogFolder(context.cwd);
  const now = () => context.now().getTime();
  const { why } = await acceptBreak({ folder, place, reason, now });
  await printResult(context, {
    json: { schema: 'keyaudit.guard-log-accept/1', place, why, reason },
    table: (output) =>
      output.write(
        wrap(`${place} is taken as it stands (${why}). What its rows say is counted from here on.`, output),
      ),
  });
  return EXIT.ok;
}
