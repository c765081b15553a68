import type { VerifyReport } from '../../../core/result/verify-report.ts';
import type { FindingKind } from '../../../core/verdict/finding.ts';
import { counted, type TextOutput } from '../../text.ts';
import { levelMatrix, type MatrixCell, type MatrixRow } from '../level-matrix.ts';
import { escapeXml as text } from '../xml.ts';

/** With more profiles than this their names are written upright over the matrix. */
const MOST_LEVEL_NAMES = 8;
/** So many resources are on the printed page. */
const MOST_PRINTED = 24;

/** Resources by profiles, what was asked for against what the key showed. */
export function writeMatrix(report: VerifyReport, { write }: TextOutput): void {
  const many = report.results.length > MOST_LEVEL_NAMES;
  const names = many ? byLetter : inFull;
  const rows = levelMatrix(report);
  const loud = rows.filter(({ quiet }) => !quiet).length;
  write('<section id="matrix-section">\n<h2>Resources</h2>\n');
  write('<div class="scroll tall" role="region" aria-label="Matrix of resources and profiles" tabindex="0">');
  write(
    `<table id="matrix"${many ? ' class="many"' : ''}>\n<caption class="sr">Expected against observed level of each resource, by profile</caption>\n`,
  );
  write('<thead><tr><th scope="col">Resource</th>');
  for (const { profile } of report.results) write(`<th scope="col">${text(profile)}</th>`);
  write('</tr></thead>\n<tbody>\n');
  rows.forEach((row, index) => {
    write(matrixRow(row, names, index >= MOST_PRINTED));
  });
  write('</tbody>\n</table></div>\n');
  if (loud > MOST_PRINTED)
    write(
      `<p class="printed">The ${MOST_PRINTED} gravest of ${counted(loud, 'resource')}; this file has them all.</p>\n`,
    );
  write(legend(many));
  write(
    '<p><button type="button" id="quiet" aria-pressed="false" hidden>Show resources that nobody asks for and that were refused</button></p>\n</section>\n',
  );
}

function legend(many: boolean): string {
  const levels = many ? 'N none, R read, W write' : 'none, read, write';
  return `<ul class="legend">
<li>${levels}: the level that the key showed</li>
<li>a → b: the profile asks for a, the key showed b</li>
<li>▲ over-grant</li><li>▼ under-grant</li><li>? inconclusive, or not seen</li><li>● accepted</li><li>+ read that Stripe cannot separate</li><li>· not probed</li>
</ul>
`;
}

/** A resource's name with places where a narrow column may break it. */
function breakable(name: string): string {
  return text(name).replace(/[/_]/g, '$&<wbr>');
}

function matrixRow({ resource, cells, quiet }: MatrixRow, names: LevelNames, isLate: boolean): string {
  const marks = `${quiet ? ' data-quiet' : ''}${isLate && !quiet ? ' class="late"' : ''}`;
  return `<tr${marks}><th scope="row">${breakable(resource)}</th>${cells.map((cell) => matrixCell(cell, names)).join('')}</tr>\n`;
}

const marks: Readonly<Record<FindingKind, { readonly symbol: string; readonly style: string }>> = {
  'over-grant': { symbol: '▲', style: 'o' },
  'under-grant': { symbol: '▼', style: 'u' },
  inconclusive: { symbol: '?', style: 'i' },
  accepted: { symbol: '●', style: 'a' },
};
/** How a cell names the levels: in full, or by a letter where there are many profiles. */
const inFull = { none: 'none', read: 'read', write: 'write', unknown: 'unknown', arrow: ' → ' } as const;
const byLetter = { none: 'N', read: 'R', write: 'W', unknown: '-', arrow: '→' } as const;
type LevelNames = typeof inFull | typeof byLetter;

const heat = { none: '', read: 'r', write: 'w' } as const;

/** As short as HTML allows: a fleet has tens of thousands of these. */
function matrixCell(cell: MatrixCell | undefined, names: LevelNames): string {
  if (cell === undefined) return '<td>·';
  if (cell.unseen === true) return '<td class="i">?<span class="sr"> not seen</span>';
  const { expected, observed, kind, count, comesAlong } = cell;
  const seen = names[observed ?? 'unknown'];
  const levels = expected === observed ? seen : `${names[expected]}${names.arrow}${seen}`;
  const colour = observed === null ? '' : heat[observed];
  if (kind !== undefined) {
    const { symbol, style } = marks[kind];
    const words = `<span class="sr">, ${counted(count, kind, kind === 'over-grant' || kind === 'under-grant' ? `${kind}s` : kind)}</span>`;
    return `<td class="${colour} ${style}">${levels} <span aria-hidden="true">${symbol}${count}</span>${words}`;
  }
  if (comesAlong) return `<td class="${colour} c">${levels} +`;
  return colour === '' ? `<td>${levels}` : `<td class=${colour}>${levels}`;
}
