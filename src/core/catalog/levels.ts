import {
  type Catalog,
  isWrite,
  type Level,
  type Operation,
  type PermissionName,
  type ResourceName,
} from './catalog.ts';

/** The operations of a resource that a level asks for; those of unknown permission cannot be asked for. */
export function operationsAt(resource: ResourceName, level: Level, catalog: Catalog): readonly Operation[] {
  return level === 'none'
    ? []
    : catalog
        .operationsIn(resource)
        .filter(
          (operation) => operation.permissions.length > 0 && (level === 'write' || !isWrite(operation)),
        );
}

/** The permissions that a resource at a level needs: for each operation the one to ask for. */
export function permissionsAt(resource: ResourceName, level: Level, catalog: Catalog): PermissionName[] {
  const chosen = new Set<PermissionName>();
  for (const operation of operationsAt(resource, level, catalog)) {
    const first = operation.permissions[0];
    if (first !== undefined) chosen.add(first);
  }
  return [...chosen];
}
