import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Drift } from '../../../core/result/drift.ts';
import {
  exitCodeOf,
  resultIsOk,
  type VerifyReport,
  type VerifyResult,
} from '../../../core/result/verify-report.ts';
import { FINDING_KINDS, type Finding, type FindingKind } from '../../../core/verdict/finding.ts';
import { placeOf } from '../../error.ts';
import { counted, grouped, type TextOutput } from '../../text.ts';
import { driftsByGravity, findingsByGravity, notDetermined, resultsByGravity } from '../gravity.ts';
import { levelMatrix, type MatrixCell, type MatrixRow } from '../level-matrix.ts';
import { keyFacts, reportFacts } from '../provenance-facts.ts';
import { verdictLine } from '../table.ts';
import { escapeXml as text } from '../xml.ts';
import { callTable } from './call-table.ts';

// Beside this module in src/, and in dist/, where the build lays them.
const PAGE_SCRIPT = readFileSync(new URL('./page/page.js', import.meta.url), 'utf8');
const PAGE_STYLE = readFileSync(new URL('./page/page.css', import.meta.url), 'utf8');

/** So many findings are spelled out; all of them are in the table of calls, without their message. */
const MOST_FINDINGS = 500;
/** With more profiles than this their names are written upright over the matrix. */
const MOST_LEVEL_NAMES = 8;

/**
 * `verify --format html`: one file that needs nothing else, no network either. Findings and matrix are
 * in the page itself; the table of every call is made by its script from a small table of data.
 */
export function renderVerifyHtml(report: VerifyReport, output: TextOutput): void {
  const { write } = output;
  const sorted = { ...report, results: resultsByGravity(report) };
  const script = createHash('sha256').update(PAGE_SCRIPT).digest('base64');
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${script}'; base-uri 'none'; form-action 'none'`;
  write('<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n');
  write(`<meta http-equiv="Content-Security-Policy" content="${policy}">\n`);
  write('<meta name="viewport" content="width=device-width, initial-scale=1">\n');
  write('<meta name="referrer" content="no-referrer">\n');
  write(
    `<title>keyaudit verify: ${text(headline(sorted))}</title>\n<style>${PAGE_STYLE}</style>\n</head>\n<body>\n`,
  );
  write(`<header>\n<h1>keyaudit verify</h1>\n${verdict(sorted)}</header>\n<main>\n`);
  writeFilter(sorted, output);
  writeFindings(sorted, output);
  writeProfiles(sorted, output);
  writeMatrix(sorted, output);
  write(callsSection);
  write('</main>\n<footer class="muted">\n');
  for (const facts of [reportFacts(report), ...sorted.results.map(keyFacts)])
    write(`<p>${facts.map(([name, value]) => `${text(name)} ${text(value)}`).join('; ')}</p>\n`);
  write('</footer>\n');
  const data = JSON.stringify(callTable(sorted)).replace(/</g, '\\u003c');
  write(`<script type="application/json" id="data">${data}</script>\n`);
  write(`<script>${PAGE_SCRIPT}</script>\n</body>\n</html>\n`);
}

function headline(report: VerifyReport): string {
  const grave = report.results.find((result) => !resultIsOk(result));
  if (grave !== undefined) {
    const bad = report.results.filter((result) => !resultIsOk(result)).length;
    return report.results.length === 1
      ? `${grave.profile}: ${verdictLine(grave)}`
      : `${bad} of ${counted(report.results.length, 'key')} did not pass`;
  }
  return report.results.length === 1
    ? 'the key is as its profile says'
    : `all ${counted(report.results.length, 'key')} are as their profiles say`;
}

function verdict(report: VerifyReport): string {
  const ok = exitCodeOf(report) === 0;
  const mark = `<span class="${ok ? 'yes' : 'no'}">${ok ? '✔ Yes' : '✘ No'}</span>`;
  return `<p class="verdict">${mark}, ${text(headline(report))}</p>\n<p>${text(report.targetNote)}</p>\n`;
}

function writeFilter({ results }: VerifyReport, { write }: TextOutput): void {
  const option = (value: string | number, label: string) =>
    `<option value="${value}">${text(label)}</option>`;
  const kinds = [
    option('', 'everything'),
    option('any', 'every finding'),
    ...FINDING_KINDS.map((kind) => option(kind, kind)),
    ...(results.some(({ drift }) => drift !== undefined) ? [option('drift', 'drift')] : []),
    option('none', 'as expected'),
  ];
  const profiles = [option('', 'all'), ...results.map(({ profile }, index) => option(index, profile))];
  write('<form id="filter" role="search" hidden>\n');
  write(
    '<div class="field"><label for="search">Search</label><input id="search" type="search" autocomplete="off" spellcheck="false" placeholder="refunds, POST, charge_write"></div>\n',
  );
  write(
    `<div class="field"><label for="kind">Kind</label><select id="kind">${kinds.join('')}</select></div>\n`,
  );
  write(
    `<div class="field"><label for="profile">Profile</label><select id="profile">${profiles.join('')}</select></div>\n`,
  );
  write(
    '<button type="reset">Reset</button>\n<p id="count" role="status" aria-live="polite"></p>\n</form>\n',
  );
}

function writeFindings(report: VerifyReport, { write }: TextOutput): void {
  const findings = findingsByGravity(report);
  const indexes = new Map(report.results.map((result, index) => [result, index]));
  write('<section>\n<h2>Findings</h2>\n');
  const stopped = report.results.flatMap((result) => stoppedCard(result, indexes.get(result) ?? 0));
  const grave = findings.filter(
    ({ finding }) => finding.kind === 'over-grant' || finding.kind === 'under-grant',
  );
  const cards = (some: typeof findings) =>
    some.map(({ result, finding }) => findingCard(finding, result, indexes.get(result) ?? 0));
  const drifts = driftsByGravity(report, { notes: true });
  const shut = drifts.filter(({ drift }) => drift.weight === 'fails');
  const driftCards = (some: typeof drifts) =>
    some.map(({ result, drift }) => driftCard(drift, result, indexes.get(result) ?? 0));
  const all = findings.length + stopped.length + drifts.length;
  if (all === 0) write('<p>None.</p>\n');
  write('<p id="no-findings" hidden>None fits the filter.</p>\n');
  write(`<ul class="findings" id="findings" data-all="${all}">\n`);
  const room = MOST_FINDINGS;
  for (const card of cards(grave.slice(0, room))) write(card);
  for (const card of driftCards(shut.slice(0, room))) write(card);
  for (const card of stopped) write(card);
  const notes = drifts.filter(({ drift }) => drift.weight === 'note');
  for (const card of driftCards(drifts.slice(shut.length, drifts.length - notes.length).slice(0, room)))
    write(card);
  for (const card of cards(findings.slice(grave.length, Math.max(grave.length, room)))) write(card);
  for (const card of driftCards(notes.slice(0, room))) write(card);
  write('</ul>\n');
  const shown = Math.min(grave.length, room) + Math.max(0, Math.min(findings.length, room) - grave.length);
  if (findings.length > shown) {
    write(
      `<p>${counted(findings.length - shown, 'more finding')}: the table of every call has them all.</p>\n`,
    );
  }
  write('</section>\n');
}

function findingCard(finding: Finding, { profile, file }: VerifyResult, index: number): string {
  const { kind, operation, method, path } = finding;
  const facts = [
    `expected ${finding.expected}, observed ${finding.observed}`,
    finding.status === null ? 'no answer' : `HTTP ${finding.status}`,
    `${finding.evidence} evidence`,
    `permission ${finding.permission ?? 'unknown'} (${finding.provenance})`,
  ];
  const place = finding.location === undefined ? file : placeOf(finding.location);
  return `<li class="finding ${kind}" data-kind="${kind}" data-profile="${index}">
<h3><span class="badge ${kind}">${kind}</span> <code>${text(operation)}</code> in ${text(profile)}</h3>
<p>${text(finding.message)}</p>
${finding.notes.map((note) => `<p>Note: ${text(note)}</p>\n`).join('')}<p class="muted"><code>${text(`${method} ${path}`)}</code>; ${text(facts.join('; '))}; <code>${text(place)}</code></p>
</li>
`;
}

const driftStyles = {
  fails: 'over-grant',
  unknown: 'inconclusive',
  warns: 'inconclusive',
  note: 'inconclusive',
} as const;

function driftCard(
  { kind, weight, message, location, name }: Drift,
  { profile }: VerifyResult,
  index: number,
): string {
  const style = driftStyles[weight];
  return `<li class="finding ${style}" data-kind="drift" data-profile="${index}">
<h3><span class="badge ${style}">${kind}</span> <code>${text(name)}</code> in ${text(profile)}</h3>
<p>${text(message)}</p>
<p class="muted">Drift, ${driftWeights[weight]}; <code>${text(placeOf(location))}</code></p>
</li>
`;
}

const driftWeights = { fails: 'fails', unknown: 'not known', warns: 'a warning', note: 'a note' } as const;

function stoppedCard(result: VerifyResult, index: number): string[] {
  const why = notDetermined(result);
  if (why === undefined) return [];
  const hint = why.hint === undefined ? '' : `<p>${text(why.hint)}</p>\n`;
  return [
    `<li class="finding inconclusive" data-kind="inconclusive" data-profile="${index}">
<h3><span class="badge inconclusive">not determined</span> ${text(result.profile)}</h3>
<p>${text(why.message)}</p>
${hint}<p class="muted"><code>${text(result.file)}</code></p>
</li>
`,
  ];
}

function writeProfiles({ results }: VerifyReport, { write }: TextOutput): void {
  write('<section>\n<h2>Profiles</h2>\n');
  write('<div class="scroll" role="region" aria-label="Table of profiles" tabindex="0"><table>\n<thead><tr>');
  for (const name of [
    'Profile',
    'As it says',
    'Probes',
    'Passed',
    'Over-grants',
    'Under-grants',
    'Inconclusive',
    'Accepted',
    'Key',
  ])
    write(`<th scope="col">${name}</th>`);
  write('</tr></thead>\n<tbody>\n');
  for (const result of results) {
    const { summary, key } = result;
    const ok = resultIsOk(result);
    const numbers = [
      summary.probes,
      summary.passed,
      summary.overGrants,
      summary.underGrants,
      summary.inconclusive,
      summary.accepted,
    ];
    const about =
      key === null
        ? 'none found'
        : `${key.mode ?? 'unknown'} ${key.id ?? '(not made here)'} ${key.fingerprint}`;
    write(
      `<tr><th scope="row">${text(result.profile)}</th><td class="${ok ? 'yes' : 'no'}">${ok ? '✔ yes' : '✘ no'}</td>${numbers
        .map((number) => `<td class="number">${grouped(number)}</td>`)
        .join('')}<td>${text(about)}</td></tr>\n`,
    );
  }
  write('</tbody>\n</table></div>\n</section>\n');
}

function legend(many: boolean): string {
  const levels = many ? 'N none, R read, W write' : 'none, read, write';
  return `<ul class="legend">
<li>${levels}: the level that the key showed</li>
<li>a → b: the profile asks for a, the key showed b</li>
<li>▲ over-grant</li><li>▼ under-grant</li><li>? inconclusive</li><li>● accepted</li><li>+ read that Stripe cannot separate</li><li>· not probed</li>
</ul>
`;
}

/** A resource's name with places where a narrow column may break it. */
function breakable(name: string): string {
  return text(name).replace(/[/_]/g, '$&<wbr>');
}

function writeMatrix(report: VerifyReport, { write }: TextOutput): void {
  const many = report.results.length > MOST_LEVEL_NAMES;
  const names = many ? byLetter : inFull;
  write('<section>\n<h2>Resources</h2>\n');
  write(
    `${legend(many)}<p><button type="button" id="quiet" aria-pressed="false" hidden>Show resources that nobody asks for and that were refused</button></p>\n`,
  );
  write('<div class="scroll tall" role="region" aria-label="Matrix of resources and profiles" tabindex="0">');
  write(
    `<table id="matrix"${many ? ' class="many"' : ''}>\n<caption><span>Expected against observed level of each resource, by profile</span></caption>\n`,
  );
  write('<thead><tr><th scope="col">Resource</th>');
  for (const { profile } of report.results) write(`<th scope="col">${text(profile)}</th>`);
  write('</tr></thead>\n<tbody>\n');
  for (const row of levelMatrix(report)) write(matrixRow(row, names));
  write('</tbody>\n</table></div>\n</section>\n');
}

function matrixRow({ resource, cells, quiet }: MatrixRow, names: LevelNames): string {
  return `<tr${quiet ? ' data-quiet' : ''}><th scope="row">${breakable(resource)}</th>${cells.map((cell) => matrixCell(cell, names)).join('')}</tr>\n`;
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

const callsSection = `<section id="calls-section">
<h2>Every call</h2>
<p id="no-script">This table needs the script of this page; "verify --format json --verbose" has the same.</p>
<div class="scroll" id="calls-scroll" role="region" aria-label="Table of calls" tabindex="0" hidden><table id="calls">
<thead><tr><th scope="col">Operation</th><th scope="col">Result</th><th scope="col">Endpoint</th><th scope="col">Profile</th><th scope="col">Resource</th><th scope="col">Expected</th><th scope="col">Observed</th><th scope="col">Evidence</th><th scope="col">Answer</th></tr></thead>
<tbody></tbody>
</table></div>
<p><button type="button" id="more" hidden>Show more</button></p>
</section>
`;
