import type { BeyondSdk } from '../catalog/beyond-sdk.ts';
import {
  allows,
  type Catalog,
  isWrite,
  type Operation,
  type OperationName,
  type PermissionName,
  PROVENANCES,
} from '../catalog/catalog.ts';
import { type Grant, type GrantSide, sideOf } from '../grant/grant.ts';
import type { Profile } from '../profile/profile.ts';
import type { Target } from '../target.ts';
import type { Depth } from './depth.ts';
import type { Probe } from './probe.ts';
import { tellingOperations } from './telling-operations.ts';
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
  /** Plan the calls with `Stripe-Account`. */
  readonly connect?: boolean;
  /** The calls that the SDK does not have, for permissions that nothing else shows. */
  readonly beyondSdk?: BeyondSdk;
  readonly depth: Depth;
  /** Operations to probe in any case: those that a lock file holds. */
  readonly also?: readonly OperationName[];
  /** Builds the harmless request for an operation. */
  readonly probeFor: (operation: Operation) => Probe;
  /** By default the sandbox, which answers everything. */
  readonly target?: Target;
  /** The key acts on a live account. */
  readonly isLive?: boolean;
}

/**
 * Chooses the probes. At depth `permissions` each permission gets the operation with the best
 * evidence among those that tell a key with it from a key without it: for a permission that the
 * grant holds, an operation that nothing else in the grant allows; for one that it lacks, an
 * operation that the grant refuses.
 */
export function planProbes(input: PlanInput): ProbePlan {
  const { catalog, depth, probeFor } = input;
  const side = sideOf(input.grant, input.connect === true);
  const unverifiable: UnverifiablePermission[] = [];
  const chosen = new Set<Operation>();
  const beyond = new Set<Operation>();
  const addByName = (name: OperationName) => {
    const operation = catalog.operation(name);
    if (operation !== undefined) chosen.add(operation);
  };
  const unasked = new Map<Operation, UnansweredReason>();
  const unansweredHere = (operation: Operation) =>
    unansweredBy(input.target ?? 'sandbox', operation, {
      isAllowed: allows(side.effective, operation),
      isLive: input.isLive,
    });
  const unanswered = (operation: Operation) => unansweredHere(operation) ?? unseen(probeFor(operation));
  if (depth === 'endpoints') {
    for (const operation of catalog.operations) {
      const reason = unansweredHere(operation);
      if (reason === undefined) chosen.add(operation);
      else unasked.set(operation, reason);
    }
  }
  if (depth === 'permissions' || depth === 'endpoints') {
    for (const widening of side.widenings) {
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
      const { catalog: telling, beyondSdk } = tellingOperations(name, side, input);
      const seeing = telling.filter((operation) => unanswered(operation) === undefined);
      const [first] = telling;
      if (seeing.length > 0) chosen.add(bestEvidence(seeing, probeFor));
      else if (beyondSdk.length > 0) {
        const safe = beyondSdk.filter((operation) => probeFor(operation).unsafe !== true);
        if (safe.length > 0 && !safe.some((operation) => beyond.has(operation)))
          beyond.add(bestEvidence(safe, probeFor));
      } else if (first === undefined) unverifiable.push(reasonFor(name, catalog));
      else {
        const reason = unanswered(first) ?? 'blind';
        unverifiable.push({ permission: name, reason, operations: telling.map((one) => one.name) });
      }
    }
  }
  // What the profile names is asked in any case, and said when it cannot be told.
  const named = depth === 'record' ? new Set<OperationName>() : namedIn(input, side);
  for (const name of named) addByName(name);
  for (const operation of chosen) {
    const isUnsafe = probeFor(operation).unsafe === true;
    if (!isUnsafe && unansweredHere(operation) !== 'test-mode') continue;
    chosen.delete(operation);
    unasked.set(operation, isUnsafe ? 'unsafe' : 'test-mode');
  }
  return {
    depth,
    probes: [...catalog.operations.filter((operation) => chosen.has(operation)), ...beyond].map(probeFor),
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

/** What the profile and the lock file name; with `Stripe-Account` only what the Connect side allows, and what is forbidden. */
function namedIn(
  { profile, catalog, also = [], connect = false }: PlanInput,
  { effective }: GrantSide,
): ReadonlySet<OperationName> {
  const isOurs = (name: OperationName) => {
    const operation = catalog.operation(name);
    return !connect || (operation !== undefined && allows(effective, operation));
  };
  const allow = profile.allow.map(({ operation }) => operation).filter(isOurs);
  return new Set([...allow, ...profile.forbid.map(({ operation }) => operation), ...also]);
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
