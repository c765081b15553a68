import { EXIT, type ExitCode, KeyauditError, type Problem, type SourceLocation } from '../core/error.ts';
import type { ErrorCode } from '../core/error-code.ts';
import { counted, grouped, paintFor } from './text.ts';

/** An error for a program: `keyaudit.error/1`. */
export interface ErrorReport {
  readonly schema: 'keyaudit.error/1';
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  /** All mistakes of a file, where it is one that is wrong. */
  readonly problems?: readonly Problem[];
}

/**
 * Words for an error: the message, every problem with its place, the hint; or all that as one line of JSON.
 * Anything but a KeyauditError is a bug of ours and keeps its stack.
 */
export function renderError(
  error: unknown,
  { colour, format }: { readonly colour: boolean; readonly format: 'text' | 'json' },
): { text: string; exitCode: ExitCode } {
  const exitCode = error instanceof KeyauditError ? error.exitCode : EXIT.undetermined;
  if (format === 'json') return { text: `${JSON.stringify(errorReport(error))}\n`, exitCode };
  const paint = paintFor({ colour });
  if (!(error instanceof KeyauditError)) {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return {
      text: `${paint.red('keyaudit: this is a bug in keyaudit.')}\n${detail}\n`,
      exitCode,
    };
  }
  const lines = [`${paint.red('error:')} ${error.message}`];
  lines.push(...firstProblems(error.problems, paint.dim));
  if (error.hint !== undefined) lines.push(`  ${paint.dim('→')} ${error.hint}`);
  return { text: `${lines.join('\n')}\n`, exitCode };
}

function errorReport(error: unknown): ErrorReport {
  if (!(error instanceof KeyauditError)) {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return {
      schema: 'keyaudit.error/1',
      code: 'BUG',
      message: `This is a bug in keyaudit: ${detail}`,
    };
  }
  const { code, message, hint, problems } = error;
  return {
    schema: 'keyaudit.error/1',
    code,
    message,
    hint,
    ...(problems.length === 0 ? {} : { problems }),
  };
}

/** Of a file with a thousand mistakes the first tell what is wrong with it. */
const MOST_PROBLEMS = 20;

/** The first mistakes, each with its place, and how many more there are; machine formats have them all. */
export function firstProblems(
  problems: readonly Problem[],
  dim: (text: string) => string,
  what = 'mistake',
): string[] {
  const lines = problems.slice(0, MOST_PROBLEMS).flatMap((problem) => problemLines(problem, dim));
  const more = problems.length - MOST_PROBLEMS;
  return more <= 0
    ? lines
    : [...lines, `  and ${counted(more, `more ${what}`)}, ${grouped(problems.length)} in all.`];
}

/** `profiles/x.yaml:3:5 Unknown level … → Did you mean …` */
function problemLines(problem: Problem, dim: (text: string) => string): string[] {
  const place = problem.location === undefined ? '' : `${placeOf(problem.location)} `;
  const lines = [`  ${place}${problem.message}`];
  if (problem.hint !== undefined) lines.push(`    ${dim('→')} ${problem.hint}`);
  return lines;
}

/** `file:line:column`, as editors and terminals link it. */
export function placeOf({ file, line, column }: SourceLocation): string {
  return `${file}:${line}:${column}`;
}
