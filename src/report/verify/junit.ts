import type { Drift } from '../../core/result/drift.ts';
import type { VerifyReport, VerifyResult } from '../../core/result/verify-report.ts';
import type { ProbeResult } from '../../core/verdict/finding.ts';
import { placeOf } from '../error.ts';
import type { TextOutput } from '../text.ts';
import { type Judgement, notDetermined, probesByGravity, resultsByGravity } from './gravity.ts';
import { type Fact, keyFacts, reportFacts } from './provenance-facts.ts';
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
    const failing = judged.filter(({ kind }) => kind === 'over-grant' || kind === 'under-grant');
    for (const one of failing) output.write(caseOf(one, result));
    for (const drift of result.drift ?? []) output.write(driftCase(drift, result));
    if (result.drift?.length === 0) output.write(lockedCase(result));
    if (unknown !== undefined) output.write(stoppedCase(unknown, result));
    for (const one of judged.slice(failing.length)) output.write(caseOf(one, result));
    output.write('  </testsuite>\n');
  }
  output.write('</testsuites>\n');
}

function countsOf(result: VerifyResult): { tests: number; failures: number; errors: number } {
  const { probes, overGrants, underGrants, inconclusive } = result.summary;
  const stopped = notDetermined(result) === undefined ? 0 : 1;
  const { drift } = result;
  const compared = drift === undefined ? 0 : Math.max(1, drift.length);
  const weighing = (weight: Drift['weight']) => drift?.filter((one) => one.weight === weight).length ?? 0;
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
  return (ms / 1000).toFixed(3);
}

/** To the second and without a zone, as readers of `timestamp` expect it; UTC. */
function secondsOf(at: string): string {
  return at.slice(0, 19);
}

function caseOf({ probe, kind }: Judgement, result: VerifyResult): string {
  const open = `    <testcase${attributes({
    classname: `keyaudit.${result.profile}`,
    name: `${probe.operation} (${probe.method} ${probe.path})`,
    time: seconds(probe.timeMs),
  })}`;
  switch (kind) {
    case undefined:
      return `${open}/>\n`;
    case 'accepted':
      return `${open}>\n      <system-out>${escapeXml(`accepted: ${probe.message}`)}</system-out>\n    </testcase>\n`;
    case 'over-grant':
    case 'under-grant':
      return `${open}>\n${problem('failure', kind, probe.message, factsOf(probe))}    </testcase>\n`;
    case 'inconclusive':
      return `${open}>\n${problem('error', probe.reason ?? kind, probe.message, factsOf(probe))}    </testcase>\n`;
  }
}

/** A case for each drift, so that test pages count and compare them: a failure where it shuts the gate. */
function driftCase({ kind, weight, name, message, location }: Drift, result: VerifyResult): string {
  const open = `    <testcase${attributes({
    classname: `keyaudit.${result.profile}`,
    name: `drift: ${kind} ${name}`,
    time: '0.000',
  })}>\n`;
  const text =
    weight === 'fails' || weight === 'unknown'
      ? problem(weight === 'fails' ? 'failure' : 'error', kind, message, placeOf(location))
      : `      <system-out>${escapeXml(message)}</system-out>\n`;
  return `${open}${text}    </testcase>\n`;
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

function factsOf(probe: ProbeResult): string {
  const facts = [
    ...(probe.location === undefined ? [] : [placeOf(probe.location)]),
    `expected ${probe.expected}, observed ${probe.observed} (${probe.evidence} evidence)`,
    probe.status === null ? 'no answer' : `HTTP ${probe.status}`,
    `permission ${probe.permission ?? 'unknown'} (${probe.provenance})`,
    ...probe.notes,
  ];
  return facts.join('; ');
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escapeXml(String(value))}"`)
    .join('');
}
