import { formatAmount } from '../../core/spend/amount.ts';
import { counted, paintFor, type TextOutput, wrap } from '../text.ts';

/** A call of a log that a policy would have refused, or of which that cannot be told. */
interface SimulatedLine {
  readonly seq: number;
  readonly time: string;
  readonly run: string;
  readonly operation: string;
  readonly amount?: number | undefined;
  readonly currency?: string | undefined;
  readonly outcome: 'refused' | 'unknown';
  readonly code: string;
  readonly why: string;
}

export interface SimulationReport {
  readonly calls: number;
  readonly found: readonly SimulatedLine[];
}

/** `guard simulate --format json`, schema `keyaudit.guard-simulation/1`. */
export function simulationJson({ calls, found }: SimulationReport): unknown {
  const refused = found.filter(({ outcome }) => outcome === 'refused').length;
  const ok = found.length === 0 && calls > 0;
  return {
    schema: 'keyaudit.guard-simulation/1',
    ok,
    calls,
    refused,
    unknown: found.length - refused,
    found,
  };
}

export function simulationTable({ calls, found }: SimulationReport, output: TextOutput): void {
  const paint = paintFor(output);
  for (const { seq, time, run, operation, amount, currency, outcome, code, why } of found) {
    const mark = outcome === 'refused' ? paint.red('✘') : paint.yellow('?');
    const much =
      amount === undefined || currency === undefined ? '' : ` ${formatAmount({ minor: amount, currency })}`;
    const text = `row ${seq}, ${time}, run ${run}: ${operation}${much}: ${outcome === 'refused' ? code : 'cannot be told'}: ${why}.`;
    output.write(wrap(text, output, { indent: '  ', first: `${mark} ` }));
  }
  const refused = found.filter(({ outcome }) => outcome === 'refused').length;
  output.write(
    wrap(
      `Of ${counted(calls, 'call')} that had been let through, ${refused} would have been refused.`,
      output,
    ),
  );
}
