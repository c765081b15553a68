import { KeyauditError } from '../core/error.ts';
import type { TextOutput } from '../report/text.ts';
import { writeJson } from '../report/verify/json.ts';
import type { ResultKind } from '../store/result-file.ts';
import type { CommandContext } from './context.ts';

/** Where a command's result goes: standard output, or `--output FILE`, written whole at the end. */
export async function withResultOutput(
  context: CommandContext,
  render: (output: TextOutput) => void | Promise<void>,
  kind: ResultKind = 'report',
): Promise<void> {
  const { output: file } = context.globals;
  if (file === undefined) {
    await render(context.stdout);
    return;
  }
  const chunks: string[] = [];
  await render({ write: (text) => chunks.push(text), columns: undefined, colour: false });
  // Most results are printed, and what writes a file is a part of a short command's start.
  const { writeResultFile } = await import('../store/result-file.ts');
  await writeResultFile(context, file, chunks.join(''), kind);
}

/**
 * Renders a result in one of the two formats that every command has, or as Markdown where it can be that too.
 * @throws KeyauditError `FORMAT_UNKNOWN` for any other format
 */
export async function printResult(
  context: CommandContext,
  {
    json,
    table,
    markdown,
  }: {
    json: unknown;
    table: (output: TextOutput) => void;
    markdown?: (output: TextOutput) => void;
  },
): Promise<void> {
  const { format } = context.globals;
  requireFormat(format, ['table', 'json', ...(markdown === undefined ? [] : ['markdown'])]);
  await withResultOutput(context, (output) => {
    if (format === 'json') writeJson(json, output.write);
    else if (format === 'markdown') markdown?.(output);
    else table(output);
  });
}

/** @throws KeyauditError `FORMAT_UNKNOWN`, listing the valid ones */
export function requireFormat(format: string, valid: readonly string[]): void {
  if (valid.includes(format)) return;
  throw new KeyauditError('FORMAT_UNKNOWN', `This command has no format "${format}".`, {
    hint: `Valid: ${valid.join(', ')}.`,
  });
}
