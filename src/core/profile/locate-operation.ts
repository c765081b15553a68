import { allows, type Catalog, type Operation, type PermissionName } from '../catalog/catalog.ts';
import { permissionsAt } from '../catalog/levels.ts';
import type { SourceLocation } from '../error.ts';
import type { PermissionEntry, Profile } from './profile.ts';

/**
 * The line of the profile that decides about an operation: the acceptance or the check that names it,
 * else the entry of its resource, else the entry whose permission brings it along, else the profile's
 * name, where a line for it is missing.
 */
export function locateOperation(
  operation: Operation,
  profile: Profile,
  catalog: Catalog,
  { accepted, connect = false }: { accepted: boolean; connect?: boolean },
): SourceLocation {
  const entries = connect ? profile.connectPermissions : profile.permissions;
  const named = ({ operation: name }: { operation: string }) => name === operation.name;
  const acceptance = accepted
    ? profile.accept.findLast((entry) => entry.operations.some(named))?.operations.find(named)
    : undefined;
  const check = profile.forbid.find(named) ?? profile.allow.find(named);
  const own = entries.find((entry) => isAbout(entry, operation));
  const bringing = entries.find((entry) => brings(entry, operation, catalog));
  return (acceptance ?? check ?? own ?? bringing ?? profile).location;
}

/** The line of the profile that brings a permission: the entry that names it, else the one whose level needs it. */
export function locatePermission(
  permission: PermissionName,
  profile: Profile,
  catalog: Catalog,
  { connect = false }: { connect?: boolean } = {},
): SourceLocation {
  const entries = connect ? profile.connectPermissions : profile.permissions;
  const own = entries.find((entry) => entry.raw && entry.name === permission);
  const bringing = entries.find(
    (entry) => !entry.raw && permissionsAt(entry.name, entry.level, catalog).includes(permission),
  );
  const implying = entries.find((entry) =>
    catalog
      .closure(entry.raw ? [entry.name] : permissionsAt(entry.name, entry.level, catalog))
      .has(permission),
  );
  return (own ?? bringing ?? implying ?? profile).location;
}

function isAbout(entry: PermissionEntry, operation: Operation): boolean {
  return entry.raw ? operation.permissions.includes(entry.name) : entry.name === operation.resource;
}

function brings(entry: PermissionEntry, operation: Operation, catalog: Catalog): boolean {
  const permissions = entry.raw ? [entry.name] : permissionsAt(entry.name, entry.level, catalog);
  return allows(catalog.closure(permissions), operation);
}
