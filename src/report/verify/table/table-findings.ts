import type { PermissionFinding } from '../../../core/result/findings/permission-finding.ts';
import type { VerifyResult } from '../../../core/result/verify-report.ts';
import { counted, paintFor, plain, type TextOutput, wrap } from '../../text.ts';
import { evidenceWords } from '../words/evidence-words.ts';
import { besides, isDriftAlone, subjectOf, TIER_WORDS } from '../words/finding-words.ts';

/** At most so many findings of one weight are spelled out; `--verbose` and JSON have them all. */
const MOST_FINDINGS = 20;

const FURTHER = { indent: '    ' };
const FIRST = { indent: '    ', first: '  ' };

/** The findings of one result, each with what mends it. */
export function renderFindings(
  { permissionFindings, drift }: VerifyResult,
  output: TextOutput,
  { verbose }: { verbose: boolean },
): void {
  let before: string | undefined;
  for (const weight of ['fails', 'unknown', 'warns', 'note'] as const) {
    // What was not seen has sentences of its own below.
    const all = permissionFindings.filter(
      (finding) => finding.weight === weight && finding.cause !== 'not-seen',
    );
    const shown = verbose ? all : all.slice(0, MOST_FINDINGS);
    for (const finding of shown) {
      if (isDriftAlone(finding)) renderDrift(finding, output);
      else renderFinding(finding, output, verbose);
      const { fix } = finding;
      if (fix === null || (isDriftAlone(finding) && weight === 'note')) continue;
      const words = `${fix.text} ${fix.command ?? ''}`;
      if (words === before) output.write('    → The same mends it.\n');
      else renderFix(fix, output);
      before = words;
    }
    const rest = all.length - shown.length;
    if (rest > 0) output.write(`  and ${counted(rest, 'more finding')}; --verbose shows them\n`);
  }
  if (drift?.length === 0) output.write('  As locked.\n');
}

function renderFinding(finding: PermissionFinding, output: TextOutput, verbose: boolean): void {
  const { kind, tier, operations } = finding;
  const paint = paintFor(output);
  const colour = { fails: paint.red, unknown: paint.yellow, warns: paint.yellow, note: paint.cyan }[
    finding.weight
  ];
  const facts = [
    ...(kind === 'inconclusive' ? [] : [TIER_WORDS[tier]]),
    counted(operations.length, 'call'),
    ...evidenceWords(finding),
  ].join(', ');
  const subject = plain(subjectOf(finding));
  const heading = `  ${colour(kind.toUpperCase())} ${paint.bold(subject)}`;
  const length = kind.length + subject.length + facts.length + 6;
  // Where both do not fit on a line, the facts go below.
  if (length <= (output.columns ?? length)) output.write(`${heading} ${paint.dim(`(${facts})`)}\n`);
  else output.write(`${heading}\n${paint.dim(wrap(facts, output, FURTHER))}`);
  output.write(wrap(finding.message, output, FURTHER));
  if (verbose && operations.length > 2)
    output.write(paint.dim(wrap(`Calls: ${operations.join(', ')}.`, output, FURTHER)));
  for (const note of besides(finding)) output.write(wrap(`Note: ${note}`, output, FURTHER));
}

function renderDrift(finding: PermissionFinding, output: TextOutput): void {
  const paint = paintFor(output);
  const colour = { fails: paint.red, unknown: paint.yellow, warns: paint.yellow, note: paint.dim }[
    finding.weight
  ];
  output.write(colour(wrap(`DRIFT ${finding.kind}: ${finding.message}`, output, FIRST)));
}

/** A command stands on a line of its own and is never broken, so that it can be copied. */
export function renderFix(fix: PermissionFinding['fix'] | undefined, output: TextOutput): void {
  if (fix === null || fix === undefined) return;
  output.write(wrap(`→ ${fix.text}`, output, { indent: '      ', first: '    ' }));
  if (fix.command !== undefined) output.write(`      ${paintFor(output).bold(plain(fix.command))}\n`);
}
