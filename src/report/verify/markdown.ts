import {
  exitCodeOf,
  resultIsOk,
  type VerifyReport,
  type VerifyResult,
} from '../../core/result/verify-report.ts';
import { FINDING_KINDS, type Finding, type FindingKind } from '../../core/verdict/finding.ts';
import { placeOf } from '../error.ts';
import { counted, grouped, plain, type TextOutput } from '../text.ts';
import { driftsByGravity, findingsByGravity, notDetermined, resultsByGravity } from './gravity.ts';
import { keyFacts, reportFacts } from './provenance-facts.ts';

/** So many findings of one kind keep a job summary of GitHub far below its 1 MiB. */
const MOST_FINDINGS = 100;

const headings: Readonly<Record<FindingKind, string>> = {
  'over-grant': 'Over-grants: the key can do more than its profile says',
  'under-grant': 'Under-grants: the key cannot do what its profile says',
  inconclusive: 'Inconclusive: could not be determined',
  accepted: 'Accepted: the key can do more, and its profile accepts that',
};

/** `verify --format markdown`: a summary for people, findings first, in GitHub's and GitLab's dialect. */
export function renderVerifyMarkdown(
  report: VerifyReport,
  output: TextOutput,
  { verbose }: { verbose: boolean },
): void {
  const findings = findingsByGravity(report);
  output.write(`## keyaudit verify: ${headline(report)}\n`);
  for (const kind of FINDING_KINDS) {
    if (kind === 'inconclusive') {
      writeDrift(report, output);
      writeStopped(report, output);
    }
    const ofKind = findings.filter(({ finding }) => finding.kind === kind);
    if (ofKind.length === 0) continue;
    const shown = verbose ? ofKind : ofKind.slice(0, MOST_FINDINGS);
    output.write(`\n### ${headings[kind]}\n\n`);
    output.write(row(['Profile', 'Operation', 'Permission', 'Answer', 'What to know', 'Line']));
    output.write(row(['---', '---', '---', '---', '---', '---']));
    for (const { result, finding } of shown) output.write(row(cellsOf(finding, result)));
    const rest = ofKind.length - shown.length;
    if (rest > 0) output.write(`\nAnd ${counted(rest, 'more', 'more')}; \`--verbose\` shows them all.\n`);
  }
  output.write('\n### Profiles\n\n');
  output.write(
    row([
      '',
      'Profile',
      'Probes',
      'Passed',
      'Over-grants',
      'Under-grants',
      'Inconclusive',
      'Accepted',
      'Key',
    ]),
  );
  output.write(row(['---', '---', '--:', '--:', '--:', '--:', '--:', '--:', '---']));
  for (const result of resultsByGravity(report)) output.write(row(summaryCells(result)));
  output.write(`\n${escapeMarkdown(report.targetNote)}\n`);
  writeProvenance(report, output);
}

function writeProvenance(report: VerifyReport, { write }: TextOutput): void {
  write('\n### Provenance\n\n');
  write(row(['Fact', 'Value']));
  write(row(['---', '---']));
  for (const [name, value] of reportFacts(report)) write(row([name, code(value)]));
  write('\n### Keys\n\n');
  write(row(['Profile', 'Key', 'Fingerprint', 'Age', 'Expires', 'Account', 'Profile digest']));
  write(row(['---', '---', '---', '---', '---', '---', '---']));
  for (const result of report.results) {
    const facts = new Map(keyFacts(result));
    const of = (name: string) => code(facts.get(name) ?? '-');
    write(
      row([
        code(result.profile),
        ...['key', 'fingerprint', 'age', 'expires', 'account', 'profile digest'].map(of),
      ]),
    );
  }
}

/** `3 over-grants, 1 under-grant`, or that all is well. */
function headline(report: VerifyReport): string {
  const sum = (key: 'overGrants' | 'underGrants' | 'inconclusive') =>
    report.results.reduce((total, { summary }) => total + summary[key], 0);
  const beyond = driftsByGravity(report).filter(({ drift }) => drift.weight === 'fails').length;
  const open = report.results.filter((result) => notDetermined(result) !== undefined).length;
  const parts = [
    ...(sum('overGrants') > 0 ? [counted(sum('overGrants'), 'over-grant')] : []),
    ...(sum('underGrants') > 0 ? [counted(sum('underGrants'), 'under-grant')] : []),
    ...(beyond > 0 ? [`${beyond} drifted`] : []),
    ...(sum('inconclusive') > 0 ? [`${sum('inconclusive')} inconclusive`] : []),
    ...(open > 0 ? [`${counted(open, 'profile')} not determined`] : []),
  ];
  if (parts.length > 0) return `❌ ${parts.join(', ')}`;
  return exitCodeOf(report) === 0 ? '✅ every key is as its profile says' : '❌ nothing was verified';
}

const driftMarks = { fails: '❌', unknown: '❓', warns: '⚠️', note: '' } as const;

function writeDrift(report: VerifyReport, output: TextOutput): void {
  const drifts = driftsByGravity(report, { notes: true });
  if (drifts.length === 0) return;
  output.write('\n### Drift: no longer what was agreed\n\n');
  output.write(row(['', 'Profile', 'Drift', 'What changed', 'Line']));
  output.write(row(['---', '---', '---', '---', '---']));
  const shown = drifts.slice(0, MOST_FINDINGS);
  for (const { result, drift } of shown) {
    const { kind, weight, message, location } = drift;
    output.write(
      row([driftMarks[weight], code(result.profile), kind, escapeMarkdown(message), code(placeOf(location))]),
    );
  }
  const rest = drifts.length - shown.length;
  if (rest > 0) output.write(`\nAnd ${counted(rest, 'more', 'more')}.\n`);
}

function writeStopped(report: VerifyReport, output: TextOutput): void {
  const stopped = report.results.flatMap((result) => {
    const why = notDetermined(result);
    return why === undefined ? [] : [{ result, why }];
  });
  if (stopped.length === 0) return;
  output.write('\n### Not determined\n\n');
  output.write(row(['Profile', 'Why', 'What to do']));
  output.write(row(['---', '---', '---']));
  for (const { result, why } of stopped) {
    output.write(row([code(result.profile), escapeMarkdown(why.message), escapeMarkdown(why.hint ?? '')]));
  }
}

function cellsOf(finding: Finding, { profile, file }: VerifyResult): string[] {
  return [
    code(profile),
    `${code(finding.operation)} (${code(`${finding.method} ${finding.path}`)})`,
    finding.permission === null ? 'unknown' : code(finding.permission),
    `${finding.status === null ? 'none' : `HTTP ${finding.status}`}, ${finding.evidence}`,
    escapeMarkdown([finding.message, ...finding.notes].join(' ')),
    code(finding.location === undefined ? file : placeOf(finding.location)),
  ];
}

function summaryCells(result: VerifyResult): string[] {
  const { summary, key } = result;
  const numbers = [
    summary.probes,
    summary.passed,
    summary.overGrants,
    summary.underGrants,
    summary.inconclusive,
    summary.accepted,
  ];
  return [
    resultIsOk(result) ? '✅' : '❌',
    code(result.profile),
    ...numbers.map(grouped),
    key === null ? 'none found' : `${key.mode ?? 'unknown'}, ${code(key.id ?? key.fingerprint)}`,
  ];
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |\n`;
}

/** A code span, or escaped text where a code span could not hold it inside a table. */
function code(text: string): string {
  return /^[\w./{}:@ -]+$/.test(text) ? `\`${text}\`` : escapeMarkdown(text);
}

/** Text that stands for itself in a paragraph or a table cell, on one line. */
export function escapeMarkdown(text: string): string {
  return plain(text)
    .replace(/[\\`*[\]|~$#]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, '\\$&')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;');
}
