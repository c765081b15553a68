import { formatAmount } from '../../core/spend/amount.ts';
import type { FlatRow } from '../../core/spend/flat-row.ts';
import { paintFor, plain, type TextOutput } from '../text.ts';

/** Kinds that a person looks for first. */
const LOUD: ReadonlySet<string> = new Set(['refuse', 'kill', 'overrun', 'hold', 'accept']);

/** One row of the log as a line: when, what, of which run, how much, how it went. */
export function logRowLine(row: FlatRow, output: TextOutput): void {
  const paint = paintFor(output);
  const kind = row.kind.padEnd(10);
  const what = row.operation ?? [row.method, row.path].filter(Boolean).join(' ');
  const parts = [
    paint.dim(row.time),
    LOUD.has(row.kind) ? paint.yellow(kind) : kind,
    row.run,
    what,
    row.ids.join(','),
    row.amount === undefined ? undefined : formatAmount(row.amount),
    row.status,
    row.code ?? row.verdict,
    row.why === undefined ? undefined : `(${row.why})`,
    row.requestId,
  ];
  const text = parts
    .filter((part) => part !== undefined && part !== '')
    .map((part, at) => (at < 2 ? String(part) : plain(String(part))))
    .join('  ');
  output.write(`${text.trimEnd()}\n`);
}
