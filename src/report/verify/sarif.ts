import { createHash } from 'node:crypto';
import type { SourceLocation } from '../../core/error.ts';
import type { Drift } from '../../core/result/drift.ts';
import { endOf, type Provenance } from '../../core/result/provenance.ts';
import { exitCodeOf, type VerifyReport, type VerifyResult } from '../../core/result/verify-report.ts';
import { FINDING_KINDS, type Finding, type FindingKind } from '../../core/verdict/finding.ts';
import { errorPage, packagePage } from '../error-page.ts';
import { type TextOutput, wellFormed } from '../text.ts';
import { driftsByGravity, findingsByGravity, notDetermined } from './gravity.ts';
import { writeJson } from './json.ts';

interface Rule {
  readonly name: string;
  readonly level: 'error' | 'warning' | 'note';
  /** GitHub's scale from 0 to 10; without one it shows no severity. */
  readonly severity?: string;
  readonly short: string;
  readonly full: string;
  readonly help: string;
}

const rules: Readonly<Record<FindingKind, Rule>> = {
  'over-grant': {
    name: 'OverGrant',
    level: 'error',
    severity: '8.0',
    short: 'The key can do more than its profile says',
    full: 'A probe showed that the key is allowed an operation which its profile neither asks for nor accepts.',
    help: 'Take the permission off the key ("keyaudit rotate" makes a new one). Where Stripe cannot separate it from what the profile needs, accept the operation by name in the profile\'s "accept", with a reason. If the agent does need it, add it to "permissions".',
  },
  'under-grant': {
    name: 'UnderGrant',
    level: 'error',
    short: 'The key cannot do what its profile says',
    full: 'A probe showed that the key is refused an operation which its profile asks for.',
    help: 'Give the key the permission that the message names ("keyaudit rotate" makes a new key with all of them), or take the need out of the profile.',
  },
  inconclusive: {
    name: 'Inconclusive',
    level: 'warning',
    short: 'What the key can do could not be determined',
    full: 'A probe brought no answer from which it follows whether the key is allowed the operation, so nothing is known about it.',
    help: 'Read the reason: a dead key, a foreign answer, the rate limit and the network each need something else. Then run "keyaudit verify" again. What is inconclusive never counts as passed.',
  },
  accepted: {
    name: 'Accepted',
    level: 'note',
    short: 'The key can do more, and its profile accepts that',
    full: 'The key is allowed an operation beyond what its profile asks for, and the profile accepts that by name with a reason.',
    help: 'Nothing needs to be done. Look from time to time whether the reason still holds, and give the acceptance an end date with "until".',
  },
};

const driftRules: Readonly<Record<'fails' | 'warns', Rule & { readonly id: string }>> = {
  fails: {
    id: 'drift',
    name: 'Drift',
    level: 'error',
    severity: '7.0',
    short: 'The key or its profile left what was agreed',
    full: 'The key can do more than the committed lock file says it was verified to do, the profile grants more, a widening is new, an operation is no longer verified, or the key is older than the policy allows.',
    help: 'Rotate a key that is too old. Else undo the change, or, if it is meant, write the lock file anew with "keyaudit lock", review what changed in it and commit it together with the profile.',
  },
  warns: {
    id: 'drift-narrower',
    name: 'DriftNarrower',
    level: 'warning',
    short: 'The key or its profile is narrower than the lock file',
    full: 'The key or its profile no longer reaches as far as the committed lock file says.',
    help: 'Write the lock file anew with "keyaudit lock" and commit it, so that the old reach cannot come back unseen.',
  },
};
const RULE_COUNT = FINDING_KINDS.length;

/**
 * `verify --format sarif`: SARIF 2.1.0, one run over all profiles, a result for each finding, gravest first.
 * Without `automationDetails`: GitHub closes the alerts of a category that an upload no longer names, and an id
 * in the file would put the uploads of two profiles, or of test and live, into one. So the uploader's counts.
 */
export function renderVerifySarif(
  report: VerifyReport,
  output: TextOutput,
  { version, sourcePrefix }: { version: string; sourcePrefix: string },
): void {
  const { provenance } = report;
  const stopped = report.results.flatMap((result) => {
    const why = notDetermined(result);
    return why === undefined ? [] : [{ result, why }];
  });
  const found = findingsByGravity(report).map(({ result, finding }) =>
    resultOf(finding, result, sourcePrefix),
  );
  const grave = found.filter(({ level }) => level === 'error');
  const drifted = driftsByGravity(report).map(({ result, drift }) =>
    driftResult(drift, result, sourcePrefix),
  );
  const shut = drifted.filter(({ level }) => level === 'error');
  const run = {
    tool: {
      driver: {
        name: 'keyaudit',
        version,
        semanticVersion: version,
        informationUri: packagePage(version),
        rules: [
          ...FINDING_KINDS.map((kind) => ruleOf(kind, rules[kind], errorPage(version, kind))),
          ...Object.values(driftRules).map((rule) => ruleOf(rule.id, rule, errorPage(version, 'drift'))),
        ],
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
      ...shut,
      ...stopped.map(({ result, why }) => stoppedResult(result, why, sourcePrefix)),
      ...drifted.slice(shut.length),
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

function ruleOf(id: string, { name, level, severity, short, full, help }: Rule, helpUri: string): object {
  return {
    id,
    name,
    shortDescription: { text: short },
    fullDescription: { text: full },
    help: { text: help, markdown: help },
    helpUri,
    defaultConfiguration: { level },
    properties: {
      tags: ['security', 'stripe', 'least-privilege'],
      precision: 'very-high',
      'security-severity': severity,
    },
  };
}

function resultOf(finding: Finding, { profile, file }: VerifyResult, prefix: string) {
  const { operation, method, path, kind } = finding;
  return {
    ruleId: kind,
    ruleIndex: FINDING_KINDS.indexOf(kind),
    level: rules[kind].level,
    message: { text: messageText([finding.message, ...finding.notes].join(' ')) },
    locations: [
      {
        physicalLocation: physicalLocation(finding.location ?? { file, line: 1, column: 1 }, prefix),
        logicalLocations: [
          { name: operation, fullyQualifiedName: `${profile}/${operation}`, kind: 'resource' },
        ],
      },
    ],
    partialFingerprints: fingerprints(profile, kind, operation),
    ...(kind === 'accepted'
      ? { suppressions: [{ kind: 'inSource', status: 'accepted', justification: finding.message }] }
      : {}),
    properties: {
      profile,
      endpoint: `${method} ${path}`,
      permission: finding.permission,
      expected: finding.expected,
      observed: finding.observed,
      evidence: finding.evidence,
      status: finding.status,
      provenance: finding.provenance,
    },
  };
}

/** A drift; notes are left out, since a new key is one at every rotation. */
function driftResult(
  { kind, weight, name, message, location }: Drift,
  { profile }: VerifyResult,
  prefix: string,
) {
  const which = weight === 'fails' || weight === 'unknown' ? 'fails' : 'warns';
  const { id, level } = driftRules[which];
  return {
    ruleId: id,
    ruleIndex: RULE_COUNT + (which === 'fails' ? 0 : 1),
    level,
    message: { text: messageText(`${profile}: ${message}`) },
    locations: [{ physicalLocation: physicalLocation(location, prefix) }],
    partialFingerprints: fingerprints(profile, kind, name),
    properties: { profile, drift: kind, name },
  };
}

/** Readers of SARIF show results and rarely notifications, so that a run without an answer is one as well. */
function stoppedResult(
  { profile, file }: VerifyResult,
  why: NonNullable<VerifyResult['stopped']>,
  prefix: string,
) {
  const kind = 'inconclusive';
  const hint = why.hint === undefined ? '' : ` ${why.hint}`;
  return {
    ruleId: kind,
    ruleIndex: FINDING_KINDS.indexOf(kind),
    level: 'error',
    message: { text: messageText(`${profile}: ${why.message}${hint}`) },
    locations: [{ physicalLocation: physicalLocation({ file, line: 1, column: 1 }, prefix) }],
    partialFingerprints: fingerprints(profile, kind, why.code),
    properties: { profile, code: why.code },
  };
}

function physicalLocation({ file, line, column }: SourceLocation, prefix: string) {
  return {
    artifactLocation: artifactLocation(file, prefix),
    region: { startLine: line, startColumn: column },
  };
}

/** A path from the working folder is relative to the root of the source; any other is a `file:` URI. */
function artifactLocation(file: string, prefix: string): { uri: string; uriBaseId?: string } {
  const windows = /^[A-Za-z]:[\\/]/.test(file);
  const absolute = windows || file.startsWith('/');
  const path = file.startsWith('/') ? file : `${absolute ? '' : prefix}${file}`.replaceAll('\\', '/');
  const encoded = path
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
