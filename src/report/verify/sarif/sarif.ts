import { createHash } from 'node:crypto';
import type { SourceLocation } from '../../../core/error.ts';
import type { Fix, PermissionFinding } from '../../../core/result/findings/permission-finding.ts';
import { notDetermined } from '../../../core/result/not-determined.ts';
import { endOf, type Provenance } from '../../../core/result/provenance.ts';
import { exitCodeOf, type VerifyReport, type VerifyResult } from '../../../core/result/verify-report.ts';
import { errorPage, packagePage } from '../../error-page.ts';
import { type TextOutput, wellFormed } from '../../text.ts';
import { type Found, findingsByRisk } from '../gravity.ts';
import { writeJson } from '../json.ts';
import { isAbsolute, type SourceRoots, sourcePath } from '../source-path.ts';
import { isDriftAlone, othersKey, sentencesOf } from '../words/finding-words.ts';
import { RULE_INDEX, RULES, ruleIdOf, ruleOf } from './sarif-rules.ts';

/**
 * `verify --format sarif`: SARIF 2.1.0, one run over all profiles, a result for each permission with a
 * finding, what matters most first; what the profile accepts is none.
 * Without `automationDetails`: GitHub closes the alerts of a category that an upload no longer names, and an id
 * in the file would put the uploads of two profiles, or of test and live, into one. So the uploader's counts.
 */
export function renderVerifySarif(
  report: VerifyReport,
  output: TextOutput,
  { version, ...roots }: { version: string } & SourceRoots,
): void {
  const { provenance } = report;
  const stopped = report.results.flatMap((result) => {
    const why = notDetermined(result);
    return why === undefined ? [] : [{ result, why }];
  });
  const found = findingsByRisk(report)
    .filter(({ finding }) => finding.weight !== 'note' || finding.kind === 'unseen')
    .map((one) => resultOf(one, roots));
  const grave = found.filter(({ level }) => level === 'error');
  const run = {
    tool: {
      driver: {
        name: 'keyaudit',
        version,
        semanticVersion: version,
        informationUri: packagePage(version),
        rules: RULES.map((rule) => ruleOf(rule, errorPage(version, rule.heading))),
      },
    },
    invocations: [
      {
        executionSuccessful: stopped.length === 0,
        startTimeUtc: provenance.startedAt,
        endTimeUtc: endOf(provenance),
        exitCode: exitCodeOf(report),
        toolExecutionNotifications: stopped.map(({ result, why }) => ({
          descriptor: { id: why.code },
          level: 'error',
          message: { text: messageText(`${result.profile}: ${why.message}`) },
        })),
      },
    ],
    versionControlProvenance: revisionOf(provenance),
    columnKind: 'utf16CodeUnits',
    properties: {
      target: report.target,
      targetNote: report.targetNote,
      catalog: report.catalog,
      apiVersion: report.apiVersion,
      depth: report.depth,
      apiBase: report.apiBase,
      calibrated: report.calibrated,
      provenance,
      keys: report.results.map(({ profile, profileDigest, key, startedAt, durationMs }) => ({
        profile,
        profileDigest,
        startedAt,
        durationMs,
        key,
      })),
    },
    results: [
      ...grave,
      ...stopped.map(({ result, why }) => stoppedResult(result, why, roots)),
      ...found.slice(grave.length),
    ],
  };
  const log = {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [run],
  };
  writeJson(log, output.write);
}

/** The commit that the profiles were read from; only where the environment names both it and its repository. */
function revisionOf({ ci }: Provenance): readonly object[] | undefined {
  if (ci?.repository === null || ci?.commit === null || ci === null) return undefined;
  return [
    {
      repositoryUri: ci.repository,
      revisionId: ci.commit,
      branch: ci.ref ?? undefined,
      mappedTo: { uriBaseId: '%SRCROOT%' },
    },
  ];
}

function resultOf({ finding, result }: Found, roots: SourceRoots) {
  const { profile, file } = result;
  const { kind, permission, tier, operations, fix, location } = finding;
  const ruleId = ruleIdOf(finding);
  const others = othersKey(result);
  return {
    ruleId,
    ruleIndex: RULE_INDEX.get(ruleId),
    level: RULES[RULE_INDEX.get(ruleId) ?? 0]?.rule.level,
    message: {
      text: messageText(
        [
          ...(isDriftAlone(finding) ? [`${profile}:`] : []),
          ...(others === undefined ? [] : [others]),
          sentencesOf(finding),
          ...fixSentences(fix),
        ].join(' '),
      ),
    },
    locations: [
      {
        physicalLocation: physicalLocation(
          location.file === '' ? { file, line: 1, column: 1 } : location,
          roots,
        ),
        logicalLocations: operations.slice(0, MOST_CALLS).map((operation) => ({
          name: operation,
          fullyQualifiedName: `${profile}/${operation}`,
          kind: 'resource',
        })),
      },
    ],
    partialFingerprints: fingerprints(profile, kind, subjectOfFingerprint(finding)),
    fixes: fixesOf(fix, roots),
    properties: {
      profile,
      permission,
      connect: finding.connect,
      tier,
      cause: finding.cause,
      operations,
      evidence: finding.evidence,
      drift: finding.drift,
      command: fix?.command,
    },
  };
}

/** So many calls are named as places; the properties have them all. */
const MOST_CALLS = 10;

/** What does not change while the finding is the same, wherever it stands and however it is worded. */
function subjectOfFingerprint({ permission, operations, connect, cause, kind }: PermissionFinding): string {
  const what = permission ?? (kind === 'inconclusive' ? '' : operations.join(' '));
  return `${cause} ${connect ? 'connect ' : ''}${what}`;
}

function fixSentences(fix: Fix | null | undefined): readonly string[] {
  if (fix === null || fix === undefined) return [];
  return [fix.text, ...(fix.command === undefined ? [] : [`Run: ${fix.command}`])];
}

/** Only a change of a file is one that a reader of SARIF could make. */
function fixesOf(fix: Fix | null, roots: SourceRoots) {
  if (fix?.edit === undefined) return undefined;
  const { file, line, insert } = fix.edit;
  return [
    {
      description: { text: messageText(fix.text) },
      artifactChanges: [
        {
          artifactLocation: artifactLocation(file, roots),
          replacements: [
            {
              deletedRegion: { startLine: line, startColumn: 1, endLine: line, endColumn: 1 },
              insertedContent: { text: wellFormed(insert) },
            },
          ],
        },
      ],
    },
  ];
}

/** Readers of SARIF show results and rarely notifications, so that a run without an answer is one as well. */
function stoppedResult(
  { profile, file, stoppedFix }: VerifyResult,
  why: NonNullable<VerifyResult['stopped']>,
  roots: SourceRoots,
) {
  const kind = 'inconclusive';
  const hint = [...(why.hint === undefined ? [] : [why.hint]), ...fixSentences(stoppedFix)];
  return {
    ruleId: kind,
    ruleIndex: RULE_INDEX.get(kind),
    level: 'error',
    message: { text: messageText([`${profile}: ${why.message}`, ...hint].join(' ')) },
    locations: [{ physicalLocation: physicalLocation({ file, line: 1, column: 1 }, roots) }],
    partialFingerprints: fingerprints(profile, kind, why.code),
    properties: { profile, code: why.code },
  };
}

function physicalLocation({ file, line, column }: SourceLocation, roots: SourceRoots) {
  return {
    artifactLocation: artifactLocation(file, roots),
    region: { startLine: line, startColumn: column },
  };
}

/** A path from the root of the source; what lies outside of it is a `file:` URI. */
function artifactLocation(file: string, roots: SourceRoots): { uri: string; uriBaseId?: string } {
  const path = sourcePath(file, roots);
  const absolute = isAbsolute(path);
  const windows = absolute && !path.startsWith('/');
  const encoded = (windows || !absolute ? path.replaceAll('\\', '/') : path)
    .split('/')
    .map((segment) => encodeURIComponent(wellFormed(segment)))
    .join('/');
  if (windows) return { uri: `file:///${encoded.replace('%3A', ':')}` };
  return absolute ? { uri: `file://${encoded}` } : { uri: encoded, uriBaseId: '%SRCROOT%' };
}

/**
 * The same finding of the same profile has the same fingerprint on whatever line it stands. GitHub
 * tells alerts apart by `primaryLocationLineHash` alone; left out, the upload action fills in a hash of
 * the line, which findings on one line share. It keeps ours and warns that it differs
 * (github/codeql-action#4052).
 */
function fingerprints(profile: string, kind: string, subject: string): Record<string, string> {
  const hash = createHash('sha256')
    .update(JSON.stringify([profile, kind, subject]))
    .digest('hex');
  return { primaryLocationLineHash: `${hash.slice(0, 16)}:1`, 'keyauditFinding/v1': hash };
}

/**
 * Text for `message.text`: braces are doubled, since a single one begins a placeholder (SARIF 2.1.0,
 * 3.11.5), path parameters are written `:id` to stay readable, and nothing reads as a link (3.11.6).
 */
function messageText(text: string): string {
  return wellFormed(text).replaceAll('{id}', ':id').replace(/[{}]/g, '$&$&').replaceAll('](', '] (');
}
