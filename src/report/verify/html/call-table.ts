import type { VerifyReport } from '../../../core/result/verify-report.ts';
import { FINDING_KINDS, type FindingKind, type ProbeResult } from '../../../core/verdict/finding.ts';
import { callName, probesByGravity } from '../gravity.ts';

/** How a probe can end: kind of finding (-1: as expected), expected, observed, evidence, answer. */
export type CallState = readonly [
  kind: number,
  expected: string,
  observed: string,
  evidence: string,
  answer: string,
];

/**
 * Every call of every profile, small: each operation and each way to end stands once, and a profile
 * is a string with two base-36 digits for each operation.
 */
export interface CallTable {
  readonly kinds: readonly FindingKind[];
  readonly profiles: readonly string[];
  readonly operations: readonly (readonly [name: string, endpoint: string, resource: string])[];
  readonly states: readonly CallState[];
  /** Two digits an operation, `..` where it was not probed. */
  readonly calls: readonly string[];
}

/** More ways to end than two digits can number would be a report that no Stripe could have answered. */
const MOST_STATES = 36 * 36;

export function callTable(report: Pick<VerifyReport, 'results'>): CallTable {
  const operations = new Map<string, ProbeResult>();
  for (const { probes } of report.results)
    for (const probe of probes) if (!operations.has(callName(probe))) operations.set(callName(probe), probe);
  const states = new Map<string, number>();
  const digitsOf = (probe: ProbeResult, kind: FindingKind | undefined): string => {
    const state: CallState = [
      kind === undefined ? -1 : FINDING_KINDS.indexOf(kind),
      probe.expected,
      probe.observed,
      probe.evidence,
      [probe.status === null ? 'none' : `HTTP ${probe.status}`, ...(probe.reason ? [probe.reason] : [])].join(
        ', ',
      ),
    ];
    const text = JSON.stringify(state);
    const number = states.get(text) ?? Math.min(states.size, MOST_STATES - 1);
    states.set(text, number);
    return number.toString(36).padStart(2, '0');
  };
  const calls = report.results.map((result) => {
    const digits = new Map(
      probesByGravity(result).map(({ probe, kind }) => [callName(probe), digitsOf(probe, kind)]),
    );
    return [...operations.keys()].map((name) => digits.get(name) ?? '..').join('');
  });
  return {
    kinds: FINDING_KINDS,
    profiles: report.results.map(({ profile }) => profile),
    operations: [...operations].map(([name, { method, path, resource }]) => [
      name,
      `${method} ${path}`,
      resource,
    ]),
    states: [...states.keys()].map((text) => JSON.parse(text) as CallState),
    calls,
  };
}
