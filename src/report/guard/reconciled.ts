import { formatAmount } from '../../core/spend/amount.ts';
import type { Reconciled } from '../../core/spend/guard-status.ts';
import { counted, paintFor, type TextOutput, wrap } from '../text.ts';

/** `guard reconcile --format json`, schema `keyaudit.guard-reconcile/1`. */
export function reconciledJson(reconciled: readonly Reconciled[]): unknown {
  const ok = reconciled.every(({ outcome }) => outcome !== 'unknown');
  return { schema: 'keyaudit.guard-reconcile/1', ok, reconciled };
}

const WORDS: Readonly<Record<Reconciled['outcome'], string>> = {
  settled: 'settled',
  released: 'released, nothing moved',
  'given-back': 'given back, it has failed since',
  pending: 'still on its way',
  unknown: 'stays held',
};

export function reconciledTable(reconciled: readonly Reconciled[], output: TextOutput): void {
  const paint = paintFor(output);
  for (const { reservation, run, operation, amount, moved, currency, outcome, evidence } of reconciled) {
    const minor = moved ?? amount;
    const much =
      minor === undefined || currency === undefined ? '' : ` of ${formatAmount({ minor, currency })}`;
    const mark = outcome === 'unknown' ? paint.yellow('?') : paint.green('✔');
    const text = `${reservation} (${operation}${much}, run ${run}): ${WORDS[outcome]}. ${evidence}.`;
    output.write(wrap(text, output, { indent: '  ', first: `${mark} ` }));
  }
  const held = reconciled.filter(({ outcome }) => outcome === 'unknown').length;
  if (reconciled.length === 0) output.write('Nothing is held, and nothing is on its way.\n');
  else if (held > 0) output.write(wrap(`${counted(held, 'reservation')} stay held, and counted.`, output));
}
