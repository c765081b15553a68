import type { CalibrateReport } from '../../core/calibrate/calibrate-report.ts';
import type { Confirmation } from '../../core/calibrate/confirmation.ts';
import {
  LEARNED_KINDS,
  type LearnedKind,
  type LearnedRow,
  learnedText,
} from '../../core/calibrate/learned-rows.ts';
import { counted, paintFor, type TextOutput, wrap } from '../text.ts';

type Learned = Pick<CalibrateReport, 'learned' | 'confirmations'>;

/** What refusals named, as part of `keyaudit.calibrate/1`. */
export function learnedJson({ learned, confirmations }: Learned): Record<string, unknown> {
  const ofKind = (kind: LearnedKind) => learned.filter((row) => row.kind === kind);
  return {
    named: { ...Object.fromEntries(LEARNED_KINDS.map((kind) => [kind, ofKind(kind).length])) },
    filled: ofKind('filled'),
    replaced: ofKind('replaced'),
    contradictions: ofKind('contradicted'),
    confirmations: confirmations?.map(({ row, asked, settled }) => ({
      operation: row.operation,
      endpoint: row.endpoint,
      catalog: row.catalog,
      named: row.named,
      asked,
      settled: settled.length === 0 ? null : settled,
    })),
  };
}

const heading: Readonly<Record<Exclude<LearnedKind, 'agrees'>, string>> = {
  filled: 'the catalog knew no permission, and looks it up by this name from now on',
  replaced: 'the catalog had only reasoned another one, and looks it up by this name from now on',
  contradicted: 'a contradiction: the catalog keeps its own row',
};

/** @param most rows of a kind that are spelled out; undefined: all */
export function renderLearned(
  { learned, confirmations }: Learned,
  output: TextOutput,
  { most }: { readonly most: number | undefined },
): void {
  if (learned.length + (confirmations?.length ?? 0) === 0) return;
  const paint = paintFor(output);
  output.write(`\n${paint.bold('What refusals named (hints: no key is judged or made by them)')}\n`);
  const agreeing = learned.filter(({ kind }) => kind === 'agrees').length;
  if (agreeing > 0) output.write(`  ${counted(agreeing, 'row')} as the catalog has it\n`);
  for (const kind of ['filled', 'replaced', 'contradicted'] as const) {
    const rows = learned.filter((row) => row.kind === kind);
    if (rows.length === 0) continue;
    output.write(
      wrap(`${counted(rows.length, 'row')}: ${heading[kind]}`, output, { indent: '    ', first: '  ' }),
    );
    // Of a contradiction both sides are always told.
    writeRows(rows, kind === 'contradicted' ? undefined : most, output);
  }
  if (confirmations !== undefined) renderConfirmations(confirmations, output);
}

function writeRows(rows: readonly LearnedRow[], most: number | undefined, output: TextOutput): void {
  for (const row of rows.slice(0, most)) {
    const text = `${row.endpoint} (${row.operation}): ${learnedText(row)}`;
    output.write(wrap(text, output, { indent: '      ', first: '    ' }));
  }
  if (most !== undefined && rows.length > most)
    output.write(`    and ${rows.length - most} more; --verbose shows them\n`);
}

function renderConfirmations(confirmations: readonly Confirmation[], output: TextOutput): void {
  const settled = confirmations.filter((one) => one.settled.length > 0).length;
  output.write(
    wrap(
      `Asked again with a key for each permission: ${settled} of ${counted(confirmations.length, 'row')} settled, which count as calibrated from now on`,
      output,
      { indent: '    ', first: '  ' },
    ),
  );
  for (const confirmation of confirmations) {
    const { row } = confirmation;
    output.write(
      wrap(`${row.endpoint} (${row.operation}): ${outcomeOf(confirmation)}`, output, {
        indent: '      ',
        first: '    ',
      }),
    );
  }
}

function outcomeOf({ asked, settled }: Confirmation): string {
  const refused = asked
    .filter(({ permission }) => !settled.includes(permission))
    .map(({ permission, verdict, reason }) => {
      const why = reason === undefined ? '' : `, ${reason}`;
      return verdict === 'not-made'
        ? `${permission}: no key is made with it`
        : `${permission}: ${verdict}${why}`;
    });
  const through = settled.length === 0 ? 'not settled' : `${settled.join(' or ')} lets it through`;
  return [through, ...refused].join('; ');
}
