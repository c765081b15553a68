import type { SourceLocation } from '../../core/error.ts';
import type { VerifyReport } from '../../core/result/verify-report.ts';
import type { FindingKind } from '../../core/verdict/finding.ts';
import { plain, type TextOutput } from '../text.ts';
import { driftsByGravity, findingsByGravity, notDetermined, resultsByGravity } from './gravity.ts';
import { verdictLine } from './table.ts';

interface Annotation {
  readonly command: 'error' | 'warning' | 'notice';
  readonly location: SourceLocation;
  readonly title: string;
  readonly message: string;
}

const commands: Readonly<Record<FindingKind, Annotation['command']>> = {
  'over-grant': 'error',
  'under-grant': 'error',
  inconclusive: 'warning',
  accepted: 'notice',
};

/**
 * `verify --format github`: an annotation on the profile's line for each finding, as workflow
 * commands. GitHub shows ten of each level for a step, so the gravest come first.
 */
export function renderVerifyGithub(
  report: VerifyReport,
  output: TextOutput,
  { sourcePrefix }: { sourcePrefix: string },
): void {
  for (const annotation of annotationsOf(report)) output.write(commandOf(annotation, sourcePrefix));
  for (const result of resultsByGravity(report)) {
    output.write(`keyaudit verify ${plain(result.profile)}: ${verdictLine(result)}\n`);
  }
}

function annotationsOf(report: VerifyReport): readonly Annotation[] {
  const found = findingsByGravity(report).map(({ result, finding }) => ({
    command: commands[finding.kind],
    location: finding.location ?? topOf(result.file),
    title: `${result.profile}: ${finding.kind} ${finding.operation}`,
    message: [finding.message, ...finding.notes].join('\n'),
  }));
  const drifted = driftsByGravity(report).map(
    ({ result, drift: { kind, weight, name, message, location } }) => ({
      command: weight === 'fails' ? ('error' as const) : ('warning' as const),
      location,
      title: `${result.profile}: ${kind} ${name}`,
      message: `${message}${weight === 'fails' ? ' That is not what was agreed.' : ''}`,
    }),
  );
  const shut = drifted.filter(({ command }) => command === 'error');
  const stopped = report.results.flatMap((result) => {
    const why = notDetermined(result);
    if (why === undefined) return [];
    const message = why.hint === undefined ? why.message : `${why.message}\n${why.hint}`;
    const title = `${result.profile}: not determined`;
    return [{ command: 'error' as const, location: topOf(result.file), title, message }];
  });
  const grave = found.filter(({ command }) => command === 'error');
  return [...grave, ...shut, ...stopped, ...drifted.slice(shut.length), ...found.slice(grave.length)];
}

function topOf(file: string): SourceLocation {
  return { file, line: 1, column: 1 };
}

function commandOf({ command, location, title, message }: Annotation, sourcePrefix: string): string {
  const properties = {
    file: location.file.startsWith('/') ? location.file : `${sourcePrefix}${location.file}`,
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
