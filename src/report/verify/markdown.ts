import type { PermissionFinding } from '../../core/result/findings/permission-finding.ts';
import { notDetermined } from '../../core/result/not-determined.ts';
import {
  exitCodeOf,
  resultIsOk,
  type VerifyReport,
  type VerifyResult,
} from '../../core/result/verify-report.ts';
import { placeOf } from '../error.ts';
import { code, escapeMarkdown, row } from '../markdown-text.ts';
import { counted, grouped, type TextOutput } from '../text.ts';
import { findingsByRisk, resultsByGravity } from './gravity.ts';
import { isDriftAlone, othersKey, sentencesOf, subjectOf, TIER_WORDS } from './words/finding-words.ts';
import { lastUseName, lastUseText, lastUseUnseen, lastUseWitness } from './words/last-use-text.ts';
import { keyFacts, reportFacts } from './words/provenance-facts.ts';

/** So many findings of one kind keep a job summary of GitHub far below its 1 MiB. */
const MOST_FINDINGS = 100;

/** A section for each way to matter; what left the agreement alone has its own. */
const SECTIONS: readonly {
  readonly heading: string;
  readonly has: (finding: PermissionFinding) => boolean;
}[] = [
  {
    heading: 'Over-grants: the key can do more than its profile says',
    has: ({ kind }) => kind === 'over-grant',
  },
  {
    heading: 'Under-grants: the key cannot do what its profile says',
    has: ({ kind }) => kind === 'under-grant',
  },
  {
    heading: 'Drift: no longer what was agreed',
    has: (finding) => isDriftAlone(finding) && finding.weight !== 'note',
  },
];
const LATER: typeof SECTIONS = [
  {
    heading: 'Inconclusive: could not be determined',
    has: ({ kind }) => kind === 'inconclusive',
  },
  {
    heading: 'Not seen: the key may hold this or not',
    has: ({ cause }) => cause === 'not-seen',
  },
  {
    heading: 'Accepted: the key can do more, and its profile accepts that',
    has: ({ kind }) => kind === 'accepted',
  },
];

/** `verify --format markdown`: a summary for people, findings first, in GitHub's and GitLab's dialect. */
export function renderVerifyMarkdown(
  report: VerifyReport,
  output: TextOutput,
  { verbose }: { verbose: boolean },
): void {
  output.write(`## keyaudit verify: ${headline(report)}\n`);
  for (const section of SECTIONS) writeSection(section, report, output, verbose);
  writeStopped(report, output);
  for (const section of LATER) writeSection(section, report, output, verbose);
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
  writeLastUse(report, output);
  output.write(`\n${escapeMarkdown(report.targetNote)}\n`);
  writeProvenance(report, output);
}

/** Nothing where no run of any profile is at hand. */
function writeLastUse({ results }: VerifyReport, { write }: TextOutput): void {
  const known = results.flatMap(({ profile, lastUse }) =>
    lastUse === undefined ? [] : [{ profile, lastUse }],
  );
  if (known.length === 0) return;
  write('\n### Last used\n\n');
  write(row(['Profile', 'Permission', 'Last used', 'Runs that used it']));
  write(row(['---', '---', '---', '---']));
  for (const { profile, lastUse } of known) {
    for (const use of lastUse.permissions) {
      const last = use.lastUsed?.slice(0, 10) ?? 'never';
      write(row([code(profile), code(lastUseName(use)), last, escapeMarkdown(lastUseText(use))]));
    }
  }
  for (const { profile, lastUse } of known) {
    write(`\n${escapeMarkdown(`${profile}: ${lastUseWitness(lastUse)}.${lastUseUnseen(lastUse)}`)}\n`);
  }
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

function writeSection(
  { heading, has }: (typeof SECTIONS)[number],
  report: VerifyReport,
  output: TextOutput,
  verbose: boolean,
): void {
  const found = findingsByRisk(report).filter(({ finding }) => has(finding));
  if (found.length === 0) return;
  const shown = verbose ? found : found.slice(0, MOST_FINDINGS);
  output.write(`\n### ${heading}\n\n`);
  output.write(row(['Profile', 'Permission', 'Risk', 'What to know', 'What to do', 'Line']));
  output.write(row(['---', '---', '---', '---', '---', '---']));
  for (const { result, finding } of shown) output.write(row(cellsOf(finding, result)));
  const rest = found.length - shown.length;
  if (rest > 0) output.write(`\nAnd ${counted(rest, 'more', 'more')}; \`--verbose\` shows them all.\n`);
}

/** `3 over-grants, 1 under-grant`, or that all is well. */
function headline(report: VerifyReport): string {
  const found = findingsByRisk(report);
  const count = (has: (finding: PermissionFinding) => boolean) =>
    found.filter(({ finding }) => has(finding)).length;
  const over = count(({ kind }) => kind === 'over-grant');
  const under = count(({ kind }) => kind === 'under-grant');
  const beyond = count((finding) => isDriftAlone(finding) && finding.weight === 'fails');
  const inconclusive = report.results.reduce((total, { summary }) => total + summary.inconclusive, 0);
  const open = report.results.filter((result) => notDetermined(result) !== undefined).length;
  const parts = [
    ...(over > 0 ? [counted(over, 'over-grant')] : []),
    ...(under > 0 ? [counted(under, 'under-grant')] : []),
    ...(beyond > 0 ? [`${beyond} drifted`] : []),
    ...(inconclusive > 0 ? [`${inconclusive} inconclusive`] : []),
    ...(open > 0 ? [`${counted(open, 'profile')} not determined`] : []),
  ];
  const passed = exitCodeOf(report) === 0;
  if (parts.length > 0) return `${passed ? '⚠️' : '❌'} ${parts.join(', ')}`;
  return passed ? '✅ every key is as its profile says' : '❌ nothing was verified';
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
    const hint = escapeMarkdown(why.hint ?? '');
    const command = commandCell(result.stoppedFix);
    const todo = [...(hint === '' ? [] : [hint]), ...(command === '' ? [] : [command])].join(' ');
    output.write(row([code(result.profile), escapeMarkdown(why.message), todo]));
  }
}

function cellsOf(finding: PermissionFinding, { profile, file }: VerifyResult): string[] {
  const { fix, location, kind, tier } = finding;
  return [
    code(profile),
    code(subjectOf(finding)),
    isDriftAlone(finding) ? kind : kind === 'inconclusive' ? '-' : TIER_WORDS[tier],
    escapeMarkdown(sentencesOf(finding)),
    fix === null ? '' : `${escapeMarkdown(fix.text)} ${commandCell(fix)}`.trim(),
    code(location.file === '' ? file : placeOf(location)),
  ];
}

function commandCell(fix: PermissionFinding['fix'] | undefined): string {
  return fix?.command === undefined ? '' : code(fix.command);
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
    key === null
      ? 'none found'
      : `${key.mode ?? 'unknown'}, ${code(key.id ?? key.fingerprint)}${escapeMarkdown(othersKey(result) === undefined ? '' : `, ${othersKey(result)}`)}`,
  ];
}
