import { createHash } from 'node:crypto';
import type { RiskTier } from '../../core/catalog/risk.ts';
import type { PermissionFinding } from '../../core/result/findings/permission-finding.ts';
import { notDetermined } from '../../core/result/not-determined.ts';
import type { VerifyReport } from '../../core/result/verify-report.ts';
import { plain, type TextOutput } from '../text.ts';
import { findingsByRisk } from './gravity.ts';
import { writeJson } from './json.ts';
import { type SourceRoots, sourcePath } from './source-path.ts';
import { isDriftAlone, sentencesOf, subjectOf } from './words/finding-words.ts';

/** What GitLab reads of an issue, and no more (docs.gitlab.com/ci/testing/code_quality, "Code Quality report format"). */
interface Issue {
  readonly description: string;
  readonly check_name: string;
  /** The same for the same finding on whatever line, and for no other. */
  readonly fingerprint: string;
  readonly severity: 'info' | 'minor' | 'major' | 'critical' | 'blocker';
  readonly location: { readonly path: string; readonly lines: { readonly begin: number } };
}

const SEVERITIES: Readonly<Record<RiskTier, Issue['severity']>> = {
  'self-widening': 'blocker',
  'money-out': 'blocker',
  'money-in': 'critical',
  'personal-data': 'major',
  other: 'minor',
};

/** `verify --format gitlab`: a Code Quality report, an issue for each permission with a finding, by risk. */
export function renderVerifyGitlab(report: VerifyReport, output: TextOutput, roots: SourceRoots): void {
  const found = findingsByRisk(report)
    .filter(({ finding }) => finding.weight !== 'note' || finding.kind === 'unseen')
    .map(({ result, finding }): Issue => {
      const { location, permission, operations, cause, kind, connect, fix } = finding;
      const about = permission ?? (kind === 'inconclusive' ? cause : operations.join(' '));
      return {
        description: plain(
          [
            `${result.profile}: ${subjectOf(finding)}. ${sentencesOf(finding)}`,
            ...(fix === null ? [] : [fix.text, ...(fix.command === undefined ? [] : [fix.command])]),
          ].join(' '),
        ),
        check_name: `keyaudit/${isDriftAlone(finding) ? 'drift' : kind}`,
        fingerprint: fingerprint([result.profile, kind, cause, about, connect]),
        severity: severityOf(finding),
        location: placeIn(location.file === '' ? result.file : location.file, location.line, roots),
      };
    });
  const stopped = report.results.flatMap((result): Issue[] => {
    const why = notDetermined(result);
    if (why === undefined) return [];
    const command = result.stoppedFix?.command;
    return [
      {
        description: plain(
          [`${result.profile}: ${why.message}`, why.hint, command]
            .filter((text) => text !== undefined)
            .join(' '),
        ),
        check_name: 'keyaudit/not-determined',
        fingerprint: fingerprint([result.profile, why.code]),
        severity: 'critical',
        location: placeIn(result.file, 1, roots),
      },
    ];
  });
  writeJson([...found, ...stopped], output.write);
}

function severityOf({ kind, weight, tier }: PermissionFinding): Issue['severity'] {
  if (weight === 'warns' || weight === 'note') return 'info';
  return kind === 'contradiction' || kind === 'unseen' || kind === 'inconclusive' || kind === 'under-grant'
    ? 'major'
    : SEVERITIES[tier];
}

function placeIn(file: string, line: number, roots: SourceRoots): Issue['location'] {
  return { path: plain(sourcePath(file, roots)), lines: { begin: line } };
}

function fingerprint(about: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(about)).digest('hex');
}
