import type { Drift } from '../../core/result/drift.ts';
import type { PermissionFinding } from '../../core/result/findings/permission-finding.ts';
import { notDetermined } from '../../core/result/not-determined.ts';
import type { VerifyReport, VerifyResult } from '../../core/result/verify-report.ts';
import type { ProbeResult } from '../../core/verdict/finding.ts';
import { placeOf } from '../error.ts';
import type { TextOutput } from '../text.ts';
import { callName, type Judgement, probesByGravity, resultsByGravity } from './gravity.ts';
import { isDriftAlone, subjectOf } from './words/finding-words.ts';
import { type Fact, keyFacts, reportFacts } from './words/provenance-facts.ts';
import { escapeXml } from './xml.ts';

/**
 * `verify --format junit`: a suite for each profile, a case for each operation probed, findings first.
 * An over-grant or under-grant is a failure, what could not be determined is an error. Only
 * the elements and attributes of the schema that Jenkins validates against are used, which gives a
 * case no place for file and line, so these stand in the text
 * (https://github.com/jenkinsci/xunit-plugin, junit-10.xsd).
 */
export function renderVerifyJunit(report: VerifyReport, output: TextOutput): void {
  const suites = resultsByGravity(report).map((result) => ({ result, ...countsOf(result) }));
  const total = (count: 'tests' | 'failures' | 'errors') =>
    suites.reduce((sum, suite) => sum + suite[count], 0);
  output.write('<?xml version="1.0" encoding="UTF-8"?>\n');
  output.write(
    `<testsuites${attributes({
      name: 'keyaudit verify',
      tests: total('tests'),
      failures: total('failures'),
      errors: total('errors'),
      time: seconds(report.provenance.durationMs),
    })}>\n`,
  );
  for (const { result, tests, failures, errors } of suites) {
    output.write(
      `  <testsuite${attributes({ name: result.profile, tests, failures, errors, skipped: 0, time: seconds(result.durationMs), timestamp: secondsOf(result.startedAt), file: result.file })}>\n`,
    );
    output.write(propertiesOf(report, result));
    const unknown = notDetermined(result);
    const judged = probesByGravity(result);
    const fixes = fixesByCall(result);
    const failing = judged.filter(({ kind }) => kind === 'over-grant' || kind === 'under-grant');
    for (const one of failing) output.write(caseOf(one, result, fixes));
    for (const finding of result.permissionFindings.filter(isCaseOfItsOwn))
      output.write(driftCase(finding, result));
    if (result.drift?.length === 0) output.write(lockedCase(result));
    if (unknown !== undefined) output.write(stoppedCase(unknown, result));
    for (const one of judged.slice(failing.length)) output.write(caseOf(one, result, fixes));
    output.write('  </testsuite>\n');
  }
  output.write('</testsuites>\n');
}

function countsOf(result: VerifyResult): { tests: number; failures: number; errors: number } {
  const { probes, overGrants, underGrants, inconclusive } = result.summary;
  const stopped = notDetermined(result) === undefined ? 0 : 1;
  const drifts = result.permissionFindings.filter(isCaseOfItsOwn);
  const compared = drifts.length + (result.drift?.length === 0 ? 1 : 0);
  const weighing = (weight: Drift['weight']) => drifts.filter((one) => one.weight === weight).length;
  return {
    tests: probes + stopped + compared,
    failures: overGrants + underGrants + weighing('fails'),
    errors: inconclusive + stopped + weighing('unknown'),
  };
}

function propertiesOf(report: VerifyReport, result: VerifyResult): string {
  const facts: readonly Fact[] = [
    ['target note', report.targetNote],
    ...reportFacts(report),
    ...keyFacts(result).map(([name, value]): Fact => [name.startsWith('key') ? name : `key ${name}`, value]),
  ];
  const lines = facts.map(
    ([name, value]) =>
      `      <property${attributes({ name: PROPERTY_NAMES[name] ?? name.toLowerCase().replaceAll(' ', '-'), value })}/>\n`,
  );
  return `    <properties>\n${lines.join('')}    </properties>\n`;
}

/** Where the usual way to write a fact's name would lead astray. */
const PROPERTY_NAMES: Readonly<Record<string, string>> = {
  key: 'key-id',
  'key profile digest': 'profile-digest',
};

/** Seconds with milliseconds, as the schema's pattern has them: without a group's separator. */
function seconds(ms: number): string {
  const whole = Math.round(ms);
  return `${Math.floor(whole / 1000)}.${`${whole % 1000}`.padStart(3, '0')}`;
}

/** To the second and without a zone, as readers of `timestamp` expect it; UTC. */
function secondsOf(at: string): string {
  return at.slice(0, 19);
}

/** What mends the finding that a call belongs to. */
function fixesByCall({ permissionFindings }: VerifyResult): ReadonlyMap<string, string> {
  return new Map(
    permissionFindings.flatMap(({ operations, connect, fix }) =>
      operations.map((operation) => [callName({ operation, connect }), fixText(fix).join('')] as const),
    ),
  );
}

function caseOf(
  { probe, kind }: Judgement,
  result: VerifyResult,
  fixes: ReadonlyMap<string, string>,
): string {
  const name = `${callName(probe)} (${probe.method} ${probe.path})`;
  // Written out: a fleet has hundreds of thousands of these.
  const open = `    <testcase${attributes({ classname: `keyaudit.${result.profile}`, name })} time="${seconds(probe.timeMs)}"`;
  switch (kind) {
    case undefined:
      return `${open}/>\n`;
    case 'accepted':
      return `${open}>\n      <system-out>${escapeXml(`accepted: ${probe.message}`)}</system-out>\n    </testcase>\n`;
    case 'over-grant':
    case 'under-grant':
      return `${open}>\n${problem('failure', kind, probe.message, factsOf(probe, fixes))}    </testcase>\n`;
    case 'inconclusive':
      return `${open}>\n${problem('error', probe.reason ?? kind, probe.message, factsOf(probe, fixes))}    </testcase>\n`;
  }
}

/** What no call has a case for: a drift that is part of no other finding, and what was not seen. */
function isCaseOfItsOwn(finding: PermissionFinding): boolean {
  return finding.cause === 'not-seen' || isDriftAlone(finding);
}

/** A case for each of these: a failure where it shuts the gate. */
function driftCase(finding: PermissionFinding, result: VerifyResult): string {
  const { kind, weight, message, location, fix } = finding;
  const open = `    <testcase${attributes({
    classname: `keyaudit.${result.profile}`,
    name: `${isDriftAlone(finding) ? 'drift' : 'not seen'}: ${kind} ${subjectOf(finding)}`,
    time: '0.000',
  })}>\n`;
  const facts = [placeOf(location), ...fixText(fix)].join('; ');
  const text =
    weight === 'fails' || weight === 'unknown'
      ? problem(weight === 'fails' ? 'failure' : 'error', kind, message, facts)
      : `      <system-out>${escapeXml(message)}</system-out>\n`;
  return `${open}${text}    </testcase>\n`;
}

function fixText(fix: PermissionFinding['fix'] | undefined): readonly string[] {
  if (fix === null || fix === undefined) return [];
  return [`${fix.text}${fix.command === undefined ? '' : ` ${fix.command}`}`];
}

function lockedCase({ profile }: VerifyResult): string {
  return `    <testcase${attributes({ classname: `keyaudit.${profile}`, name: 'drift: none, as locked', time: '0.000' })}/>\n`;
}

function stoppedCase(
  { code, message, hint }: NonNullable<VerifyResult['stopped']>,
  result: VerifyResult,
): string {
  const open = `    <testcase${attributes({
    classname: `keyaudit.${result.profile}`,
    name: 'the run came to its end',
    time: '0.000',
  })}>\n`;
  return `${open}${problem('error', code, message, hint ?? message)}    </testcase>\n`;
}

function problem(element: 'failure' | 'error', type: string, message: string, text: string): string {
  return `      <${element}${attributes({ type, message })}>${escapeXml(text)}</${element}>\n`;
}

function factsOf(probe: ProbeResult, fixes: ReadonlyMap<string, string>): string {
  const fix = fixes.get(callName(probe)) ?? '';
  const facts = [
    ...(probe.location === undefined ? [] : [placeOf(probe.location)]),
    `expected ${probe.expected}, observed ${probe.observed} (${probe.evidence} evidence)`,
    probe.status === null ? 'no answer' : `HTTP ${probe.status}`,
    `permission ${probe.permission ?? 'unknown'} (${probe.provenance})`,
    ...(fix === '' ? [] : [fix]),
    ...probe.notes,
  ];
  return facts.join('; ');
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escapeXml(String(value))}"`)
    .join('');
}
