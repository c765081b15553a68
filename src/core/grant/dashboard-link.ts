import type { Catalog, PermissionName } from '../catalog/catalog.ts';
import type { Mode } from '../secret-key.ts';

export interface DashboardLink {
  readonly name: string;
  readonly permissions: readonly PermissionName[];
  readonly connectPermissions: readonly PermissionName[];
}

/**
 * The Dashboard's form for a new restricted key, filled in. It takes scopes, not names, and the
 * connect list under `connectPermissions`; see docs/observed.md#dashboard-link.
 */
export function dashboardUrl(mode: Mode, link: DashboardLink, catalog: Catalog): string {
  const scopes = (key: string, names: readonly PermissionName[]) =>
    names.map((name) => `${key}[]=${encodeURIComponent(catalog.permission(name)?.scope ?? `rak_${name}`)}`);
  const query = [
    `name=${encodeURIComponent(link.name)}`,
    ...scopes('permissions', link.permissions),
    ...scopes('connectPermissions', link.connectPermissions),
  ];
  return `https://dashboard.stripe.com/${mode === 'test' ? 'test/' : ''}apikeys/create?${query.join('&')}`;
}

/** Where the Dashboard lists the keys of a mode, and deletes them. */
export function dashboardKeysUrl(mode: Mode): string {
  return `https://dashboard.stripe.com/${mode === 'test' ? 'test/' : ''}apikeys`;
}

/** A row of the Dashboard's form, and the level to tick. */
export interface DashboardRow {
  readonly group: string;
  readonly label: string;
  readonly level: 'read' | 'write';
  readonly permission: PermissionName;
}

/** The rows to tick, in the order of the permissions. */
export function dashboardRows(
  permissions: readonly PermissionName[],
  catalog: Catalog,
): readonly DashboardRow[] {
  return permissions.flatMap((name) => {
    const permission = catalog.permission(name);
    return permission === undefined
      ? []
      : [{ group: permission.group, label: permission.label, level: permission.level, permission: name }];
  });
}
