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
import { contradictions } from './contradictions.ts';
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
  /** On the Connect side: these are calls with `Stripe-Account`. */
  readonly connect?: boolean;
  /** The profile's reason, when accepted. */
  readonly reason?: string;
  readonly until?: string;
}

/** What a profile resolves to on one side: the own one, or that of calls with `Stripe-Account`. */
export interface GrantSide {
  /** What to ask Stripe for: sorted, without a read that a write of the same name implies. */
  readonly permissions: readonly PermissionName[];
  /** Every name that the profile's lines resolve to, reads that a write implies included. */
  readonly named: ReadonlySet<PermissionName>;
  /** `permissions` with all that they imply. */
  readonly effective: ReadonlySet<PermissionName>;
  /** The operations that the profile asks for. */
  readonly asked: ReadonlySet<OperationName>;
  readonly widenings: readonly Widening[];
}

/** The set of permissions that a profile resolves to, and what follows from it; its own side, and the Connect side. */
export interface Grant extends GrantSide {
  readonly connect: GrantSide;
  readonly connectPermissions: readonly PermissionName[];
  /** Of both sides, gravest first. */
  readonly widenings: readonly Widening[];
  /** What the profile accepts by name today, on either side: operation → acceptance. */
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
  const accepted = acceptedOperations(profile.accept, today);
  const own = resolveSide(profile.permissions, { profile, catalog, accepted, problems });
  const connect = resolveSide(profile.connectPermissions, {
    profile,
    catalog,
    accepted,
    problems,
  });
  const connectWidenings = connect.widenings.map((widening) => ({ ...widening, connect: true }));
  problems.push(...contradictions({ profile, catalog, own, connect }));
  const grant = {
    ...own,
    connect: { ...connect, widenings: connectWidenings },
    connectPermissions: connect.permissions,
    widenings: [...own.widenings, ...connectWidenings].sort(byWeight),
    accepted,
    restrictions: new Map(
      profile.permissions.filter((entry) => !entry.raw).map((entry) => [entry.name, entry.level]),
    ),
    contradictions: problems,
  };
  return { ...grant, contradictions: [...problems, ...guardContradictions(profile, grant, catalog)] };
}

/** The widenings of one side of a grant. */
export function sideOf(grant: Grant, connect: boolean): GrantSide {
  return connect
    ? grant.connect
    : { ...grant, widenings: grant.widenings.filter((widening) => widening.connect !== true) };
}

function resolveSide(
  entries: readonly PermissionEntry[],
  {
    profile,
    catalog,
    accepted,
    problems,
  }: {
    profile: Pick<Profile, 'allow'>;
    catalog: Catalog;
    accepted: ReadonlyMap<OperationName, Acceptance>;
    problems: Problem[];
  },
): GrantSide {
  const named = permissionsFor(entries, catalog, problems);
  const permissions = minimal(named, catalog);
  const effective = catalog.closure(permissions);
  const asked = askedOperations(entries, profile.allow, catalog, effective);
  const widenings = findWidenings(permissions, effective, asked, accepted, catalog);
  return { permissions, named, effective, asked, widenings };
}

function permissionsFor(
  entries: readonly PermissionEntry[],
  catalog: Catalog,
  problems: Problem[],
): ReadonlySet<PermissionName> {
  const wanted = new Set<PermissionName>();
  for (const entry of entries) {
    const permissions = entry.raw ? [entry.name] : permissionsAt(entry.name, entry.level, catalog);
    const missing = entry.raw ? undefined : missingLevel(entry, catalog);
    if (missing !== undefined) problems.push(missing);
    for (const permission of permissions) wanted.add(permission);
  }
  return wanted;
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
  entries: readonly PermissionEntry[],
  allow: Profile['allow'],
  catalog: Catalog,
  effective: ReadonlySet<PermissionName>,
): ReadonlySet<OperationName> {
  const asked = new Set<OperationName>();
  for (const entry of entries) {
    const operations = entry.raw
      ? [...ownPermissions(entry.name, catalog)].flatMap((name) => catalog.operationsOf(name))
      : operationsAt(entry.name, entry.level, catalog);
    for (const operation of operations) asked.add(operation.name);
  }
  for (const { operation: name } of allow) {
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
  const causeOf = causesFor(permissions, catalog);
  const groups = new Map<string, Widening & { operations: OperationName[] }>();
  for (const operation of catalog.allowedTo(effective)) {
    if (asked.has(operation.name)) continue;
    const acceptance = accepted.get(operation.name);
    const why = causeOf(operation);
    const canWrite = isWrite(operation);
    const key = JSON.stringify([
      why.permission,
      why.implied,
      canWrite,
      acceptance?.reason,
      acceptance?.until,
    ]);
    const group = groups.get(key);
    if (group !== undefined) {
      group.operations.push(operation.name);
      continue;
    }
    groups.set(key, {
      ...why,
      operations: [operation.name],
      canWrite,
      accepted: acceptance !== undefined,
      reason: acceptance?.reason,
      until: acceptance?.until,
    });
  }
  return [...groups.values()].sort(byWeight);
}

/** Writing before reading, what nobody accepted before what is accepted. */
function byWeight(a: Widening, b: Widening): number {
  const weight = (widening: Widening) => (widening.canWrite ? 0 : 2) + (widening.accepted ? 1 : 0);
  return weight(a) - weight(b) || byText(a.permission, b.permission);
}

/** For an operation that a grant of `permissions` allows: the one of them that brings it, and how. */
export function causesFor(
  permissions: readonly PermissionName[],
  catalog: Catalog,
): (operation: Operation) => Pick<Widening, 'cause' | 'permission' | 'implied'> {
  const granted = permissions.map((permission) => ({
    permission,
    own: ownPermissions(permission, catalog),
    reach: catalog.closure([permission]),
  }));
  return (operation) => {
    const direct = granted.find(({ own }) => allows(own, operation));
    if (direct !== undefined) return { cause: 'bundled', permission: direct.permission };
    for (const { permission, reach } of granted) {
      const implied = operation.permissions.find((name) => reach.has(name));
      if (implied !== undefined) return { cause: 'implied', permission, implied };
    }
    throw new Error(`${operation.name} is allowed by no granted permission`);
  };
}
