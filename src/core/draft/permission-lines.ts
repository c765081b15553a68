import {
  type Catalog,
  isWrite,
  type Level,
  type Operation,
  type OperationName,
  type PermissionName,
} from '../catalog/catalog.ts';
import { permissionsAt } from '../catalog/levels.ts';
import type { SmallestGrant } from '../grant/smallest-grant.ts';
import type { DraftPermission } from './profile-text.ts';

/**
 * The lines that resolve to exactly this grant: a resource with its level where that brings nothing else, a raw
 * permission for the rest.
 */
export function permissionLines(
  { permissions }: Pick<SmallestGrant, 'permissions'>,
  calls: readonly OperationName[],
  catalog: Catalog,
): DraftPermission[] {
  const allowed = catalog.closure(permissions);
  const levels = new Map<string, Level>();
  const brought = new Set<PermissionName>();
  for (const name of calls) {
    const operation = catalog.operation(name);
    if (operation === undefined) continue;
    const level = isWrite(operation) ? 'write' : 'read';
    if (levels.get(operation.resource) === 'write') continue;
    const needs = permissionsAt(operation.resource, level, catalog);
    if (!bringsItself(operation, needs) || !needs.every((permission) => allowed.has(permission))) continue;
    levels.set(operation.resource, level);
    for (const permission of catalog.closure(needs)) brought.add(permission);
  }
  const raw = permissions
    .filter((permission) => !brought.has(permission))
    .map((name): DraftPermission => ({ name, level: catalog.permission(name)?.level ?? 'read' }));
  return [...[...levels].map(([name, level]): DraftPermission => ({ name, level })), ...raw].sort((a, b) =>
    a.name < b.name ? -1 : 1,
  );
}

function bringsItself(operation: Operation, permissions: readonly PermissionName[]): boolean {
  return operation.permissions.some((permission) => permissions.includes(permission));
}
