import type { VerifyReport } from '../../../core/result/verify-report.ts';
import { counted, paintFor, plain, type TextOutput, wrap } from '../../text.ts';
import { resultsByGravity } from '../gravity.ts';
import { levelMatrix, type MatrixCell, type MatrixRow } from '../level-matrix.ts';

/** At most so many resources stand in it; `--verbose` has them all. */
const MOST_ROWS = 40;
/** At most so many profiles; `--verbose` has them all. */
const MOST_PROFILES = 30;
/** A profile's name takes no more columns than this. */
const LONGEST_NAME = 22;
/** What stands in a cell, for who meets it first. */
const MARKS = [
  ['-', 'none'],
  ['R', 'read'],
  ['W', 'write'],
  ['>', 'asked for one, showed the other'],
  ['+', 'comes along'],
  ['*', 'accepted'],
  ['!', 'other calls than asked for'],
  ['?', 'not determined, or not seen'],
] as const;
const LETTERS = { none: '-', read: 'R', write: 'W' } as const;

/**
 * What each profile asks for and what its key showed, by resource: `R`, `W`, `R>W` where it showed more, `W>R` where
 * less, `+` a read that Stripe cannot separate. One profile is a line, several are a table.
 */
export function renderMatrix(
  report: Pick<VerifyReport, 'results'>,
  output: TextOutput,
  { verbose }: { verbose: boolean },
): void {
  // More columns than these nobody compares; those with findings are what somebody looks for.
  const results = verbose ? report.results : resultsByGravity(report).slice(0, MOST_PROFILES);
  const rows = levelMatrix({ results }).filter(({ quiet }) => !quiet);
  if (rows.length === 0) return;
  if (report.results.length === 1) {
    const shown = rows.map(({ resource, cells: [cell] }) => ({ resource, level: letters(cell) }));
    const cells = shown.map(({ resource, level }) => `${resource} ${level}`);
    const marks = MARKS.filter(([mark]) => shown.some(({ level }) => level.includes(mark)));
    const legend = marks.map(([mark, means]) => `${mark} ${means}`).join(', ');
    output.write(wrap(`Levels: ${cells.join(', ')} (${legend}).`, output, { indent: '    ', first: '  ' }));
    return;
  }
  const shown = verbose ? rows : rows.slice(0, MOST_ROWS);
  const names = results.map(({ profile }) => shorten(plain(profile)));
  const first = Math.max(8, ...shown.map(({ resource }) => resource.length));
  let from = 0;
  while (from < names.length) {
    const block = blockFrom(from, names, first, output.columns ?? Number.POSITIVE_INFINITY);
    renderBlock(shown, names.slice(from, from + block), { first, from }, output);
    from += block;
  }
  const others = report.results.length - results.length;
  if (others > 0) output.write(`  and ${counted(others, 'more profile')}; --verbose shows them\n`);
  const rest = rows.length - shown.length;
  if (rest > 0) output.write(`  and ${counted(rest, 'more resource')}; --verbose shows them\n`);
  const legend =
    '- none, R read, W write; a>b: the profile asks for a, the key showed b; + a read that Stripe cannot separate; * accepted; ? not determined, or not seen; blank: not probed.';
  output.write(paintFor(output).dim(wrap(legend, output, { indent: '  ' })));
}

/** How many profiles fit beside the resources; one at least. */
function blockFrom(from: number, names: readonly string[], first: number, columns: number): number {
  let width = 2 + first;
  let count = 0;
  for (const name of names.slice(from)) {
    width += 2 + Math.max(3, name.length);
    if (count > 0 && width > columns) break;
    count++;
  }
  return count;
}

function renderBlock(
  rows: readonly MatrixRow[],
  names: readonly string[],
  { first, from }: { first: number; from: number },
  output: TextOutput,
): void {
  const paint = paintFor(output);
  const line = (head: string, cells: readonly string[]) =>
    `  ${[head.padEnd(first), ...cells].join('  ').trimEnd()}\n`;
  const padded = (text: string, index: number) => text.padEnd(Math.max(3, names[index]?.length ?? 0));
  output.write(paint.bold(line('resource', names.map(padded))));
  for (const { resource, cells } of rows) {
    const own = cells.slice(from, from + names.length).map((cell, index) => {
      const text = padded(letters(cell), index);
      if (cell?.kind === 'over-grant' || cell?.kind === 'under-grant') return paint.red(text);
      return cell?.kind === 'inconclusive' ? paint.yellow(text) : text;
    });
    output.write(line(resource, own));
  }
}

/** `R`, `R>W`, `R+`. */
function letters(cell: MatrixCell | undefined): string {
  if (cell === undefined) return '';
  if (cell.unseen === true) return '?';
  const { expected, observed, kind, comesAlong } = cell;
  if (observed === null) return `${LETTERS[expected]}?`;
  const levels =
    expected === observed || comesAlong || kind === 'accepted'
      ? LETTERS[observed]
      : `${LETTERS[expected]}>${LETTERS[observed]}`;
  const mark = comesAlong ? '+' : kind === 'accepted' ? '*' : kind === 'inconclusive' ? '?' : '';
  // More or less on one level (another call than asked for) shows as well.
  const differs = (kind === 'over-grant' || kind === 'under-grant') && expected === observed;
  return differs ? `${levels}!` : `${levels}${mark}`;
}

function shorten(name: string): string {
  return name.length <= LONGEST_NAME ? name : `${name.slice(0, LONGEST_NAME - 1)}…`;
}
