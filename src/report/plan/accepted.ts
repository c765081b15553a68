import { paintFor, plain, type TextOutput, wrap } from '../text.ts';

/** What `profiles accept` wrote, and where. */
export interface AcceptedReport {
  readonly profile: string;
  readonly file: string;
  readonly line: number;
  readonly operations: readonly string[];
  readonly reason: string;
  readonly until: string | undefined;
}

/** `profiles accept --format json`, schema `keyaudit.accepted/1`. */
export function acceptedJson(report: AcceptedReport): unknown {
  return { schema: 'keyaudit.accepted/1', ...report };
}

export function renderAcceptedTable(
  { profile, file, line, operations }: AcceptedReport,
  output: TextOutput,
): void {
  const paint = paintFor(output);
  output.write(`${paint.green('✔')} ${paint.bold(plain(profile))} ${paint.dim(`${plain(file)}:${line}`)}\n`);
  output.write(
    wrap(`It now accepts ${operations.join(', ')}. Look at the change before you commit it.`, output, {
      indent: '  ',
    }),
  );
}
