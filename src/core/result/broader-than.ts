import { allows, type Catalog, type OperationName, type PermissionName } from '../catalog/catalog.ts';
import { holds } from '../verdict/verdict.ts';
import type { VerifyResult } from './verify-report.ts';

/** What a new key can do and the old one, probed beside it, cannot. */
export function broaderThanProbed(after: VerifyResult, before: VerifyResult): readonly OperationName[] {
  const could = new Map(before.probes.map((probe) => [probe.operation, probe.observed]));
  return after.probes
    .filter(({ operation, observed }) => holds(observed) && !holds(could.get(operation) ?? 'inconclusive'))
    .map(({ operation }) => operation);
}

/** The same beside an old key that is dead or out of reach: what its record says that it held. */
export function broaderThanRecord(
  after: VerifyResult,
  held: readonly PermissionName[],
  catalog: Catalog,
): readonly OperationName[] {
  const effective = catalog.closure(held);
  return after.probes
    .filter(({ operation, observed }) => {
      const known = catalog.operation(operation);
      return holds(observed) && known !== undefined && !allows(effective, known);
    })
    .map(({ operation }) => operation);
}

/** What the old key could not do is an over-grant in every report. */
export function withBroader(verification: VerifyResult, broader: readonly string[]): VerifyResult {
  const { findings, summary, probes } = verification;
  const added = probes
    .filter(({ operation }) => broader.includes(operation))
    .map((probe) => ({
      ...probe,
      kind: 'over-grant' as const,
      message: `This key can call ${probe.operation} (${probe.method} ${probe.path}), which the key that it is to replace cannot.`,
    }));
  return {
    ...verification,
    findings: [...added, ...findings],
    summary: {
      ...summary,
      passed: summary.passed - added.length,
      overGrants: summary.overGrants + added.length,
    },
  };
}
