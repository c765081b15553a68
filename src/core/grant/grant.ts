import { byText } from '../by-text.ts';
import {
  allows,
  type Catalog,
  isWrite,
  type Level,
  type Operation,
  type OperationName,
  type PermissionName,
  type ResourceName,
} from '../catalog/catalog.ts';
import { operationsAt, permissionsAt } from '../catalog/levels.ts';
import type { Problem } from '../error.ts';
import type { Acceptance, PermissionEntry, Profile } from '../profile/profile.ts';
import { someOf } from '../some-of.ts';
import { guardContradictions } from './let-through.ts';

/**
 * Operations that a grant allows beyond what the profile asks, with one cause.
 * `bundled`: one permission covers several resources. `implied`: another permission comes with it.
 */
export interface Widening {
  readonly cause: 'bundled' | 'implied';
  /** The granted permission that brings these operations. */
  readonly permission: PermissionName;
  /** For `implied`: the permission that comes along. */
  readonly implied?: PermissionName;
  readonly operations: readonly OperationName[];
  readonly canWrite: boolean;
  readonly accepted: boolean;
  /** The profile's reason, when accepted. */
  readonly reason?: string;
  readonly until?: string;
}

/** The set of permissions that a profile resolves to, and what follows from it. */
export interface Grant {
  /** What to ask Stripe for: sorted, without a read that a write of the same name implies. */
  readonly permissions: readonly PermissionName[];
  readonly connectPermissions: readonly PermissionName[];
  /** `permissions` with all that they imply. */
  readonly effective: ReadonlySet<PermissionName>;
  /** The operations that the profile asks for. */
  readonly asked: ReadonlySet<OperationName>;
  readonly widenings: readonly Widening[];
  /** What the profile accepts by name today: operation → acceptance. */
  readonly accepted: ReadonlyMap<OperationName, Acceptance>;
  /** For `POST /v1/restricted_keys`: what was asked, by resource. */
  readonly restrictions: ReadonlyMap<ResourceName, Level>;
  /** Why no key can satisfy this profile; empty when one can. */
  readonly contradictions: readonly Problem[];
}

/**
 * Profile → grant. `today` is YYYY-MM-DD and decides which acceptances have expired; an expired one
 * counts as absent.
 */
export function resolveGrant(profile: Profile, catalog: Catalog, today: string): Grant {
  const problems: Problem[] = [];
  const permissions = permissionsFor(profile.permissions, catalog, problems);
  const connectPermissions = permissionsFor(profile.connectPermissions, catalog, problems);
  const effective = catalog.closure(permissions);
  const asked = askedOperations(profile, catalog, effective);
  const accepted = acceptedOperations(profile.accept, today);
  const widenings = findWidenings(permissions, effective, asked, accepted, catalog);
  problems.push(...contradictions({ profile, catalog, permissions, effective, asked, widenings }));
  const grant = {
    permissions,
    connectPermissions,
    effective,
    asked,
    widenings,
    accepted,
    restrictions: new Map(
      profile.permissions.filter((entry) => !entry.raw).map((entry) => [entry.name, entry.level]),
    ),
    contradictions: problems,
  };
  return { ...grant, contradictions: [...problems, ...guardContradictions(profile, grant, catalog)] };
}

function permissionsFor(
  entries: readonly PermissionEntry[],
  catalog: Catalog,
  problems: Problem[],
): PermissionName[] {
  const wanted = new Set<PermissionName>();
  for (const entry of entries) {
    const permissions = entry.raw ? [entry.name] : permissionsAt(entry.name, entry.level, catalog);
    const missing = entry.raw ? undefined : missingLevel(entry, catalog);
    if (missing !== undefined) problems.push(missing);
    for (const permission of permissions) wanted.add(permission);
  }
  return minimal(wanted, catalog);
}

function missingLevel(entry: PermissionEntry, catalog: Catalog): Problem | undefined {
  const operations = operationsAt(entry.name, entry.level, catalog);
  const satisfied =
    entry.level === 'write' ? operations.some((operation) => isWrite(operation)) : operations.length > 0;
  if (satisfied) return undefined;
  const all = catalog.operationsIn(entry.name);
  const verb = entry.level === 'write' ? 'writes' : 'reads';
  const exists = all.some((operation) =>
    entry.level === 'write' ? isWrite(operation) : !isWrite(operation),
  );
  return exists
    ? {
        message: `No permission is known that ${verb} ${entry.name}, so no restricted key can be asked for it.`,
        location: entry.location,
        hint: 'Drop the line, or name the raw permission if Stripe told you one; docs/catalog.md says how to correct a row.',
      }
    : {
        message: `Nothing in Stripe's API ${verb} ${entry.name}.`,
        location: entry.location,
        hint: `Write "${entry.name}: ${entry.level === 'write' ? 'read' : 'write'}", or drop the line.`,
      };
}

/** Drops a read that the write of the same name implies; other implications are kept spelled out. */
function minimal(permissions: ReadonlySet<PermissionName>, catalog: Catalog): PermissionName[] {
  return [...permissions]
    .filter((permission) => {
      const write = permission.replace(/_read$/, '_write');
      return write === permission || !permissions.has(write) || !catalog.closure([write]).has(permission);
    })
    .sort();
}

/** `charge_write` and, by "write implies read", `charge_read`. */
function ownPermissions(permission: PermissionName, catalog: Catalog): ReadonlySet<PermissionName> {
  const read = permission.replace(/_write$/, '_read');
  return new Set(catalog.closure([permission]).has(read) ? [permission, read] : [permission]);
}

function askedOperations(
  profile: Profile,
  catalog: Catalog,
  effective: ReadonlySet<PermissionName>,
): ReadonlySet<OperationName> {
  const asked = new Set<OperationName>();
  for (const entry of profile.permissions) {
    const operations = entry.raw
      ? [...ownPermissions(entry.name, catalog)].flatMap((name) => catalog.operationsOf(name))
      : operationsAt(entry.name, entry.level, catalog);
    for (const operation of operations) asked.add(operation.name);
  }
  for (const { operation: name } of profile.allow) {
    const operation = catalog.operation(name);
    if (operation !== undefined && allows(effective, operation)) asked.add(name);
  }
  return asked;
}

function acceptedOperations(
  accept: readonly Acceptance[],
  today: string,
): ReadonlyMap<OperationName, Acceptance> {
  return new Map(
    accept
      .filter((entry) => entry.until === undefined || entry.until >= today)
      .flatMap((entry) => entry.operations.map(({ operation }) => [operation, entry] as const)),
  );
}

function findWidenings(
  permissions: readonly PermissionName[],
  effective: ReadonlySet<PermissionName>,
  asked: ReadonlySet<OperationName>,
  accepted: ReadonlyMap<OperationName, Acceptance>,
  catalog: Catalog,
): Widening[] {
  const groups = new Map<string, Widening & { operations: OperationName[] }>();
  for (const operation of catalog.operations) {
    if (asked.has(operation.name) || !allows(effective, operation)) continue;
    const acceptance = accepted.get(operation.name);
    const why = causeOf(operation, permissions, catalog);
    const widening = {
      ...why,
      operations: [operation.name],
      canWrite: isWrite(operation),
      accepted: acceptance !== undefined,
      ...(acceptance === undefined ? {} : { reason: acceptance.reason }),
      ...(acceptance?.until === undefined ? {} : { until: acceptance.until }),
    };
    const key = JSON.stringify({ ...widening, operations: [] });
    const group = groups.get(key);
    if (group === undefined) groups.set(key, widening);
    else group.operations.push(operation.name);
  }
  const weight = (widening: Widening) => (widening.canWrite ? 0 : 2) + (widening.accepted ? 1 : 0);
  return [...groups.values()].sort((a, b) => weight(a) - weight(b) || byText(a.permission, b.permission));
}

function causeOf(
  operation: Operation,
  permissions: readonly PermissionName[],
  catalog: Catalog,
): Pick<Widening, 'cause' | 'permission' | 'implied'> {
  const direct = permissions.find((permission) => allows(ownPermissions(permission, catalog), operation));
  if (direct !== undefined) return { cause: 'bundled', permission: direct };
  for (const permission of permissions) {
    const reach = catalog.closure([permission]);
    const implied = operation.permissions.find((name) => reach.has(name));
    if (implied !== undefined) return { cause: 'implied', permission, implied };
  }
  throw new Error(`${operation.name} is allowed by no granted permission`);
}

interface GrantSoFar {
  readonly profile: Profile;
  readonly catalog: Catalog;
  readonly permissions: readonly PermissionName[];
  readonly effective: ReadonlySet<PermissionName>;
  readonly asked: ReadonlySet<OperationName>;
  readonly widenings: readonly Widening[];
}

function contradictions(soFar: GrantSoFar): Problem[] {
  const { profile, catalog, effective } = soFar;
  const problems: Problem[] = [];
  const allowed = new Set(profile.allow.map((check) => check.operation));
  for (const { operation: name, location } of profile.forbid) {
    const operation = catalog.operation(name);
    if (operation === undefined) continue;
    if (allowed.has(name)) {
      problems.push({
        message: `${name} stands under both "allow" and "forbid".`,
        location,
        hint: 'Keep it on one side.',
      });
    } else if (allows(effective, operation)) {
      problems.push({
        message: forbiddenButGranted(operation, soFar),
        location,
        hint: waysOut(operation, soFar),
      });
    }
  }
  for (const { operation: name, location } of profile.allow) {
    const operation = catalog.operation(name);
    if (operation !== undefined && !allows(effective, operation)) {
      problems.push({ ...allowedButNotGranted(operation), location });
    }
  }
  if (profile.only) {
    for (const widening of soFar.widenings.filter((one) => !one.accepted)) {
      problems.push({
        message: `"only: true" cannot be had: ${widening.permission} also allows ${someOf(widening.operations)}.`,
        location: profile.location,
        hint: 'Accept these by name with a reason, or drop "only: true".',
      });
    }
  }
  return problems;
}

function forbiddenButGranted(operation: Operation, soFar: GrantSoFar): string {
  const asking = askingEntry(operation, soFar);
  const { permission, implied } = causeOf(operation, soFar.permissions, soFar.catalog);
  if (soFar.asked.has(operation.name) && asking !== undefined) {
    return `${operation.name} cannot be forbidden: the profile itself asks for it with "${asking.name}: ${asking.level}".`;
  }
  const because =
    implied === undefined
      ? `Stripe has one permission, ${permission}, for both`
      : `${permission} brings ${implied} with it`;
  return `${operation.name} cannot be forbidden to a key with "${asking?.name ?? permission}: ${asking?.level ?? 'write'}", because ${because}.`;
}

function waysOut(operation: Operation, soFar: GrantSoFar): string {
  const asking = askingEntry(operation, soFar);
  const lower =
    asking === undefined
      ? ''
      : asking.level === 'write'
        ? ` or lower "${asking.name}" to read,`
        : ` or drop "${asking.name}",`;
  return soFar.asked.has(operation.name)
    ? `Take it out of "forbid",${lower.replace(/,$/, '')}.`
    : `Take it out of "forbid" and accept it by name with a reason,${lower} or let a person make this call.`;
}

/** The line of the profile that brings the operation. */
function askingEntry(operation: Operation, { profile, catalog }: GrantSoFar): PermissionEntry | undefined {
  const brings = (entry: PermissionEntry) =>
    allows(
      catalog.closure(entry.raw ? [entry.name] : permissionsAt(entry.name, entry.level, catalog)),
      operation,
    );
  return (
    profile.permissions.find((entry) => entry.name === operation.resource && brings(entry)) ??
    profile.permissions.find(brings)
  );
}

function allowedButNotGranted(operation: Operation): Problem {
  if (operation.permissions.length === 0) {
    return {
      message: `${operation.name} cannot be allowed: no permission is known for ${operation.method} ${operation.path}.`,
      hint: 'Take it out of "allow", or correct the catalog (docs/catalog.md).',
    };
  }
  const level = isWrite(operation) ? 'write' : 'read';
  return {
    message: `${operation.name} is not covered: it needs ${operation.permissions.join(' or ')}, which this profile does not grant.`,
    hint: `Add "${operation.resource}: ${level}" to "permissions", or take it out of "allow".`,
  };
}
