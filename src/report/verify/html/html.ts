import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { VerifyReport } from '../../../core/result/verify-report.ts';
import { dayAndTime, type TextOutput } from '../../text.ts';
import { resultsByGravity } from '../gravity.ts';
import { escapeXml as text } from '../xml.ts';
import { callTable } from './call-table.ts';
import { writeFilter, writeFindings } from './findings.ts';
import { writeLastUse } from './last-use.ts';
import { writeMatrix } from './matrix.ts';
import {
  headline,
  VERDICT_WORDS,
  verdictOf,
  writeProfiles,
  writeProvenance,
  writeSummary,
} from './summary.ts';

// Beside this module in src/, and in dist/, where the build lays them.
const pageFile = (name: string) => readFileSync(new URL(`./page/${name}`, import.meta.url), 'utf8');
const PAGE_SCRIPT = pageFile('page.js');
/** In this order: what comes later overrides, on narrow screens and on paper most of all. */
const PAGE_STYLE = ['page.css', 'findings.css', 'tables.css', 'media.css'].map(pageFile).join('');

/**
 * `verify --format html`: one file that needs nothing else, no network either. Verdict, numbers, matrix and findings
 * are in the page itself; the table of every call is made by its script from a small table of data.
 */
export function renderVerifyHtml(report: VerifyReport, output: TextOutput): void {
  const { write } = output;
  const sorted = { ...report, results: resultsByGravity(report) };
  const script = createHash('sha256').update(PAGE_SCRIPT).digest('base64');
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${script}'; base-uri 'none'; form-action 'none'`;
  const title = `keyaudit ${dayAndTime(report.provenance.startedAt)}: ${VERDICT_WORDS[verdictOf(sorted)]}, ${headline(sorted)}`;
  write('<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n');
  write(`<meta http-equiv="Content-Security-Policy" content="${policy}">\n`);
  write('<meta name="viewport" content="width=device-width, initial-scale=1">\n');
  write('<meta name="referrer" content="no-referrer">\n');
  write(`<title>${text(title)}</title>\n<style>${PAGE_STYLE}</style>\n</head>\n<body>\n`);
  writeSummary(sorted, output);
  write('<main>\n');
  writeProfiles(sorted, output);
  writeMatrix(sorted, output);
  writeFilter(sorted, output);
  writeFindings(sorted, output);
  writeLastUse(sorted, output);
  write(CALLS_SECTION);
  write('</main>\n');
  writeProvenance(sorted, output);
  const data = JSON.stringify(callTable(sorted)).replace(/</g, '\\u003c');
  write(`<script type="application/json" id="data">${data}</script>\n`);
  write(`<script>${PAGE_SCRIPT}</script>\n</body>\n</html>\n`);
}

const CALLS_SECTION = `<section id="calls-section">
<h2>Every call</h2>
<p id="no-script">This table needs the script of this page; "verify --format json --verbose" has the same.</p>
<div id="calls-scroll" hidden><table id="calls" class="stacked">
<thead><tr><th scope="col">Operation</th><th scope="col">Result</th><th scope="col">Profile</th><th scope="col">Resource</th><th scope="col">Expected</th><th scope="col">Observed</th><th scope="col">Evidence</th><th scope="col">Answer</th></tr></thead>
<tbody></tbody>
</table></div>
<p><button type="button" id="more" hidden>Show more</button></p>
</section>
`;
