import type { Stopped } from '../../core/error.ts';
import type { Finding, ProbeResult, Summary } from '../../core/verdict/finding.ts';
import { counted, paintFor, type TextOutput, wrap } from '../text.ts';

/** What was seen through a guard. */
export interface ThroughGuardReport {
  readonly ok: boolean;
  readonly target: string;
  readonly apiBase: string;
  readonly targetNote: string;
  readonly catalog: string;
  readonly results: readonly {
    readonly profile: string;
    readonly summary: Summary & { readonly guarded: number };
    readonly findings: readonly Finding[];
    readonly closedByGuard: readonly ProbeResult[];
    /** The connected account with which the Connect side was asked; absent where it was not. */
    readonly account?: string | undefined;
    readonly requests: number;
    readonly stopped?: Stopped | undefined;
  }[];
}

/** `verify --through-guard --format json`: `keyaudit.verify/1`, with what the guard closed in each result. */
export function throughGuardJson(report: ThroughGuardReport): unknown {
  return { schema: 'keyaudit.verify/1', depth: 'endpoints', throughGuard: true, ...report };
}

export function throughGuardTable(
  { targetNote, apiBase, results }: ThroughGuardReport,
  output: TextOutput,
): void {
  const paint = paintFor(output);
  output.write(paint.dim(wrap(`${targetNote} Asked through the guard at ${apiBase}.`, output)));
  const indent = { indent: '    ', first: '  ' };
  for (const { profile, summary, findings, closedByGuard, account, stopped } of results) {
    const bad = findings.length > 0 || stopped !== undefined;
    const mark = bad ? paint.red('✘') : paint.green('✔');
    output.write(
      `${mark} ${paint.bold(profile)} ${counted(summary.probes, 'call')} asked, ${summary.guarded} refused by the guard\n`,
    );
    if (stopped !== undefined) output.write(wrap(paint.red(stopped.message), output, indent));
    if (account !== undefined)
      output.write(wrap(`the Connect side was asked with Stripe-Account: ${account}`, output, indent));
    for (const { kind, operation, method, path, connect, message } of findings) {
      const call = `${operation} (${method} ${path}${side(connect)})`;
      output.write(wrap(`${paint.red(kind)} ${call}: ${message}`, output, indent));
    }
    if (closedByGuard.length === 0) continue;
    output.write(wrap('closed by the guard, although the key allows it:', output, indent));
    for (const { operation, method, path, connect } of closedByGuard) {
      output.write(
        wrap(`${operation} ${paint.dim(`${method} ${path}${side(connect)}`)}`, output, {
          indent: '      ',
          first: '    ',
        }),
      );
    }
  }
}

function side(connect: boolean): string {
  return connect ? ', with Stripe-Account' : '';
}
