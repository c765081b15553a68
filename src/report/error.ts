import { EXIT, type ExitCode, KeyauditError, type Problem, type SourceLocation } from '../core/error.ts';
import { paintFor } from './text.ts';

/**
 * Words for an error: the message, every problem with its place, the hint. Anything but a
 * KeyauditError is a bug of ours and keeps its stack.
 */
export function renderError(
  error: unknown,
  { colour }: { colour: boolean },
): { text: string; exitCode: ExitCode } {
  const paint = paintFor({ colour });
  if (!(error instanceof KeyauditError)) {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return {
      text: `${paint.red('keyaudit: this is a bug in keyaudit.')}\n${detail}\n`,
      exitCode: EXIT.undetermined,
    };
  }
  const lines = [`${paint.red('error:')} ${error.message}`];
  for (const problem of error.problems) lines.push(...problemLines(problem, paint.dim));
  if (error.hint !== undefined) lines.push(`  ${paint.dim('→')} ${error.hint}`);
  return { text: `${lines.join('\n')}\n`, exitCode: error.exitCode };
}

/** `profiles/x.yaml:3:5 Unknown level … → Did you mean …` */
export function problemLines(problem: Problem, dim: (text: string) => string): string[] {
  const place = problem.location === undefined ? '' : `${placeOf(problem.location)} `;
  const lines = [`  ${place}${problem.message}`];
  if (problem.hint !== undefined) lines.push(`    ${dim('→')} ${problem.hint}`);
  return lines;
}

/** `file:line:column`, as editors and terminals link it. */
export function placeOf({ file, line, column }: SourceLocation): string {
  return `${file}:${line}:${column}`;
}
