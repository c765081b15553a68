import { allows, type Catalog, type Operation } from './catalog.ts';
import type { SourceLocation } from './error.ts';
import { permissionsAt } from './grant.ts';
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
  { accepted }: { accepted: boolean },
): SourceLocation {
  const named = ({ operation: name }: { operation: string }) => name === operation.name;
  const acceptance = accepted
    ? profile.accept.findLast((entry) => entry.operations.some(named))?.operations.find(named)
    : undefined;
  const check = profile.forbid.find(named) ?? profile.allow.find(named);
  const own = profile.permissions.find((entry) => isAbout(entry, operation));
  const bringing = profile.permissions.find((entry) => brings(entry, operation, catalog));
  return (acceptance ?? check ?? own ?? bringing ?? profile).location;
}

function isAbout(entry: PermissionEntry, operation: Operation): boolean {
  return entry.raw ? operation.permissions.includes(entry.name) : entry.name === operation.resource;
}

function brings(entry: PermissionEntry, operation: Operation, catalog: Catalog): boolean {
  const permissions = entry.raw ? [entry.name] : permissionsAt(entry.name, entry.level, catalog);
  return allows(catalog.closure(permissions), operation);
}
