import { counted, paintFor, type TextOutput, wrap } from '../text.ts';

/** What a log of the guard is worth. */
export interface LogVerdictReport {
  readonly rows: number;
  readonly lastHash: string;
  readonly checkpoints: number;
  /** Rows behind the last checkpoint. */
  readonly unsigned: number;
  readonly keyId: string | undefined;
  /** What is not as it was written. */
  readonly problems: readonly string[];
  /** What could not be told. */
  readonly unknown: readonly string[];
}

/** `guard log verify --format json`, schema `keyaudit.guard-log/1`. */
export function logVerdictJson(place: string, verdict: LogVerdictReport): unknown {
  const isIntact = verdict.problems.length === 0 && verdict.unknown.length === 0;
  return { schema: 'keyaudit.guard-log/1', ok: isIntact, place, ...verdict };
}

export function logVerdictTable(place: string, verdict: LogVerdictReport, output: TextOutput): void {
  const { rows, lastHash, checkpoints, unsigned, keyId, problems, unknown } = verdict;
  const paint = paintFor(output);
  const rest = { indent: '  ' };
  for (const problem of problems)
    output.write(wrap(problem, output, { ...rest, first: `${paint.red('✘')} ` }));
  for (const what of unknown) output.write(wrap(what, output, { ...rest, first: `${paint.yellow('?')} ` }));
  if (problems.length > 0) {
    output.write(wrap(`${place} is not as it was written.`, output));
    return;
  }
  const worth = unknown.length > 0 ? 'could not be told to be intact' : 'is intact';
  output.write(
    wrap(`${place} ${worth}: ${counted(rows, 'row')}, ${counted(checkpoints, 'checkpoint')}.`, output),
  );
  if (checkpoints > 0 && keyId !== undefined)
    output.write(wrap(`Checkpoints are signed by ${keyId}: compare it with what was kept.`, output));
  if (unsigned > 0)
    output.write(
      wrap(
        `${counted(unsigned, 'row')} at the end ${unsigned === 1 ? 'stands' : 'stand'} behind the last checkpoint.`,
        output,
      ),
    );
  if (rows > 0)
    output.write(
      wrap(`Last row ${lastHash}: kept elsewhere, it shows whether the log is cut later (--kept).`, output),
    );
}
