import {
  allows,
  type Catalog,
  isWrite,
  type Operation,
  type OperationName,
  type PermissionName,
  PROVENANCES,
} from '../catalog/catalog.ts';
import type { Grant } from '../grant/grant.ts';
import type { Profile } from '../profile/profile.ts';
import type { Target } from '../target.ts';
import type { Depth } from './depth.ts';
import type { Probe } from './probe.ts';
import { type UnansweredReason, unansweredBy } from './unanswered.ts';

export interface ProbePlan {
  readonly depth: Depth;
  readonly probes: readonly Probe[];
  /** Permissions that no probe can tell apart from the rest of the grant. */
  readonly unverifiable: readonly UnverifiablePermission[];
  /** Operations of this depth that are left out, since no answer could tell. */
  readonly unasked: readonly UnaskedOperation[];
}

/** An operation of this depth that no probe asks about, and why. */
export interface UnaskedOperation {
  readonly operation: OperationName;
  readonly reason: UnansweredReason;
  /** The profile or the lock file names it, so that the result is no yes without it. */
  readonly named?: boolean;
}

/** A permission whose presence no probe of this plan can show, and why. */
export interface UnverifiablePermission {
  readonly permission: PermissionName;
  readonly reason: 'no-operation' | 'always-covered' | UnansweredReason;
  /** For `always-covered`: the operations that other granted permissions allow anyway; else those that would tell. */
  readonly operations: readonly OperationName[];
}

export interface PlanInput {
  readonly catalog: Catalog;
  readonly profile: Profile;
  readonly grant: Grant;
  readonly depth: Depth;
  /** Operations to probe in any case: those that a lock file holds. */
  readonly also?: readonly OperationName[];
  /** Builds the harmless request for an operation. */
  readonly probeFor: (operation: Operation) => Probe;
  /** By default the sandbox, which answers everything. */
  readonly target?: Target;
}

/**
 * Chooses the probes. At depth `permissions` each permission gets the operation with the best
 * evidence among those that tell a key with it from a key without it: for a permission that the
 * grant holds, an operation that nothing else in the grant allows; for one that it lacks, an
 * operation that the grant refuses.
 */
export function planProbes(input: PlanInput): ProbePlan {
  const { catalog, depth, probeFor } = input;
  const unverifiable: UnverifiablePermission[] = [];
  const chosen = new Set<Operation>();
  const addByName = (name: OperationName) => {
    const operation = catalog.operation(name);
    if (operation !== undefined) chosen.add(operation);
  };
  const unasked = new Map<Operation, UnansweredReason>();
  const unansweredHere = (operation: Operation) =>
    unansweredBy(input.target ?? 'sandbox', operation, {
      isAllowed: allows(input.grant.effective, operation),
    });
  const unanswered = (operation: Operation) => unansweredHere(operation) ?? unseen(probeFor(operation));
  if (depth === 'endpoints') {
    for (const operation of catalog.operations) {
      const reason = unansweredHere(operation);
      if (reason === undefined) chosen.add(operation);
      else unasked.set(operation, reason);
    }
  }
  if (depth !== 'checks') {
    for (const widening of input.grant.widenings) {
      if (!widening.canWrite && !widening.accepted) continue;
      for (const name of widening.operations) {
        const operation = catalog.operation(name);
        if (operation === undefined || chosen.has(operation)) continue;
        const reason = unanswered(operation);
        if (reason === undefined) chosen.add(operation);
        else unasked.set(operation, reason);
      }
    }
    for (const { name } of catalog.permissions) {
      const telling = tellingOperations(name, input);
      const seeing = telling.filter((operation) => unanswered(operation) === undefined);
      const [first] = telling;
      if (seeing.length > 0) chosen.add(bestEvidence(seeing, probeFor));
      else if (first === undefined) unverifiable.push(reasonFor(name, catalog));
      else {
        const reason = unanswered(first) ?? 'blind';
        unverifiable.push({ permission: name, reason, operations: telling.map((one) => one.name) });
      }
    }
  }
  // What the profile names is asked in any case, and said when it cannot be told.
  for (const check of [...input.profile.allow, ...input.profile.forbid]) addByName(check.operation);
  for (const name of input.also ?? []) addByName(name);
  const named = new Set([
    ...[...input.profile.allow, ...input.profile.forbid].map((check) => check.operation),
    ...(input.also ?? []),
  ]);
  for (const operation of chosen) {
    if (probeFor(operation).unsafe !== true) continue;
    chosen.delete(operation);
    unasked.set(operation, 'unsafe');
  }
  return {
    depth,
    probes: catalog.operations.filter((operation) => chosen.has(operation)).map(probeFor),
    unverifiable,
    unasked: [...unasked]
      .filter(([operation]) => !chosen.has(operation))
      .map(([{ name }, reason]) => ({
        operation: name,
        reason,
        ...(named.has(name) ? { named: true } : {}),
      })),
  };
}

/** What calibration has shown against a probe. */
function unseen({ blind, unsafe }: Probe): 'blind' | 'unsafe' | undefined {
  return unsafe === true ? 'unsafe' : blind === true ? 'blind' : undefined;
}

/** The operations whose answer differs between the grant with `permission` and the grant without it. */
function tellingOperations(permission: PermissionName, { catalog, grant }: PlanInput): readonly Operation[] {
  const held = grant.effective.has(permission);
  const without = held
    ? catalog.closure(grant.permissions.filter((name) => name !== permission))
    : grant.effective;
  const withIt = held ? grant.effective : catalog.closure([...grant.permissions, permission]);
  return catalog
    .operationsOf(permission)
    .filter((operation) => allows(withIt, operation) && !allows(without, operation));
}

function reasonFor(permission: PermissionName, catalog: Catalog): UnverifiablePermission {
  const operations = catalog.operationsOf(permission).map((operation) => operation.name);
  return { permission, reason: operations.length === 0 ? 'no-operation' : 'always-covered', operations };
}

/** The operation with the best evidence: {@link evidenceRank}, and the first of equals. */
function bestEvidence(
  operations: readonly Operation[],
  probeFor: (operation: Operation) => Probe,
): Operation {
  const rank = (operation: Operation) => evidenceRank(probeFor(operation));
  return operations.reduce((best, operation) => (rank(operation) < rank(best) ? operation : best));
}

/** Calibrated before documented before observed before inferred; strong before weak; reads first; blind last. Less is better. */
export function evidenceRank({ operation, calibrated, blind, strength }: Probe): number {
  const provenance = calibrated ? 0 : blind ? PROVENANCES.length : PROVENANCES.indexOf(operation.provenance);
  return provenance * 100 + (strength === 'strong' ? 0 : 10) + (isWrite(operation) ? 1 : 0);
}
