import { type Catalog, isWrite, type OperationName, type PermissionName } from '../catalog/catalog.ts';
import { operationsAt, permissionsAt } from '../catalog/levels.ts';
import type { ProfileDocument } from '../profile/profile.ts';

/**
 * A profile for a key that holds exactly these permissions, and what they imply: resources where the
 * key may do all that the level means, raw permissions for the rest. It asks for all that the key may
 * do, so it has no widenings.
 */
export function profileFor(held: Iterable<PermissionName>, catalog: Catalog, name: string): ProfileDocument {
  const effective = catalog.closure(held);
  const permissions: NonNullable<ProfileDocument['permissions']> = {};
  const granted: PermissionName[] = [];
  const asked = new Set<OperationName>();
  for (const resource of catalog.resources) {
    const level = levelOf(resource, effective, catalog);
    if (level === undefined) continue;
    permissions[resource] = level;
    granted.push(...permissionsAt(resource, level, catalog));
    for (const operation of operationsAt(resource, level, catalog)) asked.add(operation.name);
  }
  const addRaw = (permission: PermissionName) => {
    permissions[permission] = catalog.permission(permission)?.level ?? 'read';
    granted.push(permission);
    const reach = catalog.closure([permission]);
    const own = [permission, permission.replace(/_write$/, '_read')].filter((one) => reach.has(one));
    for (const operation of own.flatMap((one) => catalog.operationsOf(one))) asked.add(operation.name);
  };
  for (const permission of fewestThatBring(effective, granted, catalog)) addRaw(permission);
  for (const operation of catalog.operations) {
    const permission = operation.permissions.find((one) => effective.has(one));
    if (permission !== undefined && !asked.has(operation.name)) addRaw(permission);
  }
  return { name, permissions };
}

/** The highest level of a resource of which the key may do everything. */
function levelOf(
  resource: string,
  effective: ReadonlySet<PermissionName>,
  catalog: Catalog,
): 'read' | 'write' | undefined {
  return (['write', 'read'] as const).find((level) => {
    const operations = operationsAt(resource, level, catalog);
    const means = level === 'write' ? operations.some(isWrite) : operations.length > 0;
    const needed = permissionsAt(resource, level, catalog);
    return means && needed.every((permission) => effective.has(permission));
  });
}

/** The fewest permissions that, with those already `granted`, bring all of `effective`. */
function fewestThatBring(
  effective: ReadonlySet<PermissionName>,
  granted: readonly PermissionName[],
  catalog: Catalog,
): PermissionName[] {
  const added = new Set([...effective].sort());
  for (const permission of [...added]) {
    added.delete(permission);
    if (!catalog.closure([...granted, ...added]).has(permission)) added.add(permission);
  }
  return [...added];
}
