import type { SourceLocation } from '../../core/error.ts';
import type { Fix, PermissionFinding } from '../../core/result/findings/permission-finding.ts';
import { notDetermined } from '../../core/result/not-determined.ts';
import type { VerifyReport } from '../../core/result/verify-report.ts';
import { plain, type TextOutput } from '../text.ts';
import { findingsByRisk, resultsByGravity } from './gravity.ts';
import { type SourceRoots, sourcePath } from './source-path.ts';
import { besides, isDriftAlone, othersKey, subjectOf } from './words/finding-words.ts';
import { verdictLine } from './words/verdict-line.ts';

interface Annotation {
  readonly command: 'error' | 'warning' | 'notice';
  readonly location: SourceLocation;
  readonly title: string;
  readonly message: string;
}

const commands: Readonly<Record<PermissionFinding['weight'], Annotation['command']>> = {
  fails: 'error',
  unknown: 'warning',
  warns: 'warning',
  note: 'notice',
};

/**
 * `verify --format github`: an annotation on the profile's line for each finding, as workflow
 * commands. GitHub shows ten of each level for a step, so the gravest come first.
 */
export function renderVerifyGithub(report: VerifyReport, output: TextOutput, roots: SourceRoots): void {
  for (const annotation of annotationsOf(report)) output.write(commandOf(annotation, roots));
  for (const result of resultsByGravity(report)) {
    const others = othersKey(result);
    const about = others === undefined ? '' : ` ${plain(others)}`;
    output.write(`keyaudit verify ${plain(result.profile)}: ${verdictLine(result)}${about}\n`);
  }
}

function annotationsOf(report: VerifyReport): readonly Annotation[] {
  const found = findingsByRisk(report)
    // A new key is a note at every rotation; no line of the profile is to blame for it.
    .filter(({ finding }) => !(isDriftAlone(finding) && finding.weight === 'note'))
    .map(({ result, finding }) => ({
      command: commands[finding.weight],
      location: finding.location.file === '' ? topOf(result.file) : finding.location,
      title: `${result.profile}: ${finding.kind} ${subjectOf(finding)}`,
      message: [finding.message, ...besides(finding), ...fixLines(finding.fix)].join('\n'),
    }));
  const stopped = report.results.flatMap((result) => {
    const why = notDetermined(result);
    if (why === undefined) return [];
    const message = [
      why.message,
      ...(why.hint === undefined ? [] : [why.hint]),
      ...fixLines(result.stoppedFix),
    ];
    const title = `${result.profile}: not determined`;
    return [{ command: 'error' as const, location: topOf(result.file), title, message: message.join('\n') }];
  });
  const grave = found.filter(({ command }) => command === 'error');
  return [...grave, ...stopped, ...found.slice(grave.length)];
}

function fixLines(fix: Fix | null | undefined): readonly string[] {
  if (fix === null || fix === undefined) return [];
  return [fix.text, ...(fix.command === undefined ? [] : [`  ${fix.command}`])];
}

function topOf(file: string): SourceLocation {
  return { file, line: 1, column: 1 };
}

function commandOf({ command, location, title, message }: Annotation, roots: SourceRoots): string {
  const properties = {
    file: sourcePath(location.file, roots),
    line: location.line,
    col: location.column,
    title,
  };
  const list = Object.entries(properties).map(([name, value]) => `${name}=${escapeProperty(String(value))}`);
  return `::${command} ${list.join(',')}::${escapeData(message)}\n`;
}

/** What the runner takes back out of a command's data (actions/runner, ActionCommand.cs). */
function escapeData(text: string): string {
  return text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
}

/** What the runner takes back out of a property: in addition the characters that end one. */
function escapeProperty(text: string): string {
  return escapeData(text).replace(/:/g, '%3A').replace(/,/g, '%2C');
}
