import type { OperationName } from '../catalog/catalog.ts';
import type { ProbeResult } from '../verdict/finding.ts';
import { holds, type VerdictKind } from '../verdict/verdict.ts';
import type { VerifyResult } from './verify-report.ts';

/** One call that the test key and the live key of a profile may not both make. */
export interface KeyDifference {
  readonly operation: OperationName;
  readonly method: string;
  readonly path: string;
  readonly permission: string | null;
  readonly test: VerdictKind;
  readonly live: VerdictKind;
}

/** The test key and the live key of one profile, side by side. */
export interface Comparison {
  readonly profile: string;
  readonly test: string | null;
  readonly live: string | null;
  /** Calls of which both keys' answers told. */
  readonly compared: number;
  readonly differences: readonly KeyDifference[];
  /** Calls of which an answer did not tell, or was not had. */
  readonly undetermined: readonly OperationName[];
}

/** What differs between two keys; what no restricted key may do counts as forbidden. */
export function compareResults(test: VerifyResult, live: VerifyResult): Comparison {
  const liveByName = byCall(live);
  const testByName = byCall(test);
  const names = [...new Set([...testByName.keys(), ...liveByName.keys()])];
  const differences: KeyDifference[] = [];
  const undetermined: OperationName[] = [];
  for (const name of names) {
    const [a, b] = [testByName.get(name), liveByName.get(name)];
    if (!tells(a) || !tells(b)) {
      undetermined.push(name);
      continue;
    }
    if (holds(a.observed) === holds(b.observed)) continue;
    const { method, path, permission } = a;
    differences.push({ operation: name, method, path, permission, test: a.observed, live: b.observed });
  }
  return {
    profile: test.profile,
    test: test.key?.fingerprint ?? null,
    live: live.key?.fingerprint ?? null,
    compared: names.length - undetermined.length,
    differences,
    undetermined,
  };
}

/** The answers by call; one with `Stripe-Account` is another call. */
function byCall({ probes }: VerifyResult): ReadonlyMap<string, ProbeResult> {
  return new Map(
    probes.map((probe) => [
      probe.connect ? `${probe.operation} with Stripe-Account` : probe.operation,
      probe,
    ]),
  );
}

function tells(probe: ProbeResult | undefined): probe is ProbeResult {
  return probe !== undefined && probe.observed !== 'inconclusive';
}
