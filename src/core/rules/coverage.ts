import { allows, type Catalog, type OperationName, type PermissionName } from '../catalog/catalog.ts';
import type { Problem } from '../error.ts';
import { type Grant, type GrantSide, sideOf } from '../grant/grant.ts';
import { locatePermission } from '../profile/locate-operation.ts';
import type { PermissionEntry, Profile } from '../profile/profile.ts';

/** How much of a grant the calls that the profile names under `checks.allow` exercise. */
export interface Coverage {
  /** Of the permissions that a call can exercise, how many one does; 100 where there are none. */
  readonly percent: number;
  readonly permissions: readonly PermissionCoverage[];
}

export interface PermissionCoverage {
  readonly permission: PermissionName;
  /** Of the calls with `Stripe-Account`. A named call counts on each side whose grant allows it. */
  readonly connect: boolean;
  /** The named calls that would be refused without this permission (for a write: with its read alone). */
  readonly exercisedBy: readonly OperationName[];
  /** Every such call; empty where other permissions of the grant allow the same. */
  readonly operations: readonly OperationName[];
}

/** Measures each permission of the grant. */
export function coverageOf(profile: Profile, grant: Grant, catalog: Catalog): Coverage {
  const named = new Set(profile.allow.map(({ operation }) => operation));
  const permissions = [false, true].flatMap((connect) => {
    const side = sideOf(grant, connect);
    return side.permissions.map((permission) => {
      const operations = operationsNeeding(permission, side, catalog);
      return { permission, connect, exercisedBy: operations.filter((name) => named.has(name)), operations };
    });
  });
  const can = permissions.filter(({ operations }) => operations.length > 0);
  const does = can.filter(({ exercisedBy }) => exercisedBy.length > 0);
  return {
    percent: can.length === 0 ? 100 : Math.floor((does.length / can.length) * 100),
    permissions,
  };
}

function operationsNeeding(permission: PermissionName, grant: GrantSide, catalog: Catalog): OperationName[] {
  const rest = grant.permissions.filter((name) => name !== permission);
  const read = permission.replace(/_write$/, '_read');
  const without = catalog.closure(read === permission ? rest : [...rest, read]);
  return catalog
    .allowedTo(grant.effective)
    .filter((operation) => !allows(without, operation))
    .map(({ name }) => name);
}

/** A problem for each permission that no named call exercises, when `percent` is below `minimum`. */
export function coverageProblems(
  coverage: Coverage,
  minimum: number,
  profile: Profile,
  catalog: Catalog,
): readonly Problem[] {
  if (coverage.percent >= minimum) return [];
  return coverage.permissions
    .filter(({ exercisedBy, operations }) => exercisedBy.length === 0 && operations.length > 0)
    .map(({ permission, connect, operations }) => ({
      message: `No call under "checks.allow" of ${profile.name} exercises ${permission}${connect ? ' with Stripe-Account' : ''}: coverage is ${coverage.percent} %, and at least ${minimum} % is asked.`,
      location: locatePermission(permission, profile, catalog, { connect }),
      hint: `Name one that needs it, such as ${exampleOf(operations, connect ? profile.connectPermissions : profile.permissions, catalog)}.`,
    }));
}

/** A call of a resource that the profile names, rather than one that merely comes along. */
function exampleOf(
  operations: readonly OperationName[],
  entries: readonly PermissionEntry[],
  catalog: Catalog,
): string {
  const own = operations.find((name) =>
    entries.some((entry) => entry.name === catalog.operation(name)?.resource),
  );
  return own ?? operations[0] ?? '';
}
