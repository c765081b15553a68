import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import { countChanges, diffSides } from '../core/lock/diff.ts';
import { diffJson, renderDiffMarkdown, renderDiffTable } from '../report/diff.ts';
import type { CommandContext } from '../session/context.ts';
import { readSide, readWorkingSide } from '../session/read-side.ts';
import { printResult } from '../session/result-output.ts';
import { openSession } from '../session/session.ts';

export interface DiffOptions {
  readonly before: string;
  /** Default: the profiles of the working folder. */
  readonly after?: string;
  /** Exit 1 when something is wider, or no longer verified. */
  readonly failOnWidening?: boolean;
}

/** `keyaudit diff A B`: what got wider and what narrower, between profiles, lock files or verify reports. */
export async function diff(
  { before, after, failOnWidening = false }: DiffOptions,
  context: CommandContext,
): Promise<ExitCode> {
  const session = await openSession(context);
  const [from, to] = [
    await readSide(before, session),
    after === undefined ? await readWorkingSide(session) : await readSide(after, session),
  ];
  const diffs = diffSides(from, to, session.catalog);
  if (diffs.length === 0) {
    throw new KeyauditError('DIFF_NOTHING', `${from.name} and ${to.name} have no profile in common.`);
  }
  const counts = countChanges(diffs);
  await printResult(context, {
    json: diffJson(from, to, diffs, counts),
    table: (output) => renderDiffTable(diffs, counts, output, { verbose: context.globals.verbose }),
    markdown: (output) => renderDiffMarkdown(diffs, counts, [from.name, to.name], output),
  });
  return failOnWidening && counts.wider + counts.unverified > 0 ? EXIT.findings : EXIT.ok;
}
