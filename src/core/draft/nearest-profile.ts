import type { Catalog, PermissionName } from '../catalog/catalog.ts';

/** A profile that could stand for a draft, and what would differ. */
export interface NearestProfile {
  readonly profile: string;
  /** Of all that either of the two grants, the share that both do: 0 to 1. */
  readonly shared: number;
  /** What it grants and the draft does not. */
  readonly more: readonly PermissionName[];
  readonly fewer: readonly PermissionName[];
}

/** The profile that shares most with a grant; undefined where none shares anything. */
export function nearestProfile(
  permissions: readonly PermissionName[],
  candidates: readonly { readonly name: string; readonly permissions: readonly PermissionName[] }[],
  catalog: Catalog,
): NearestProfile | undefined {
  const wanted = catalog.closure(permissions);
  return candidates
    .map(({ name, permissions: theirs }) => {
      const granted = catalog.closure(theirs);
      const both = [...wanted].filter((permission) => granted.has(permission)).length;
      const either = new Set([...wanted, ...granted]).size;
      return {
        profile: name,
        shared: either === 0 ? 0 : both / either,
        more: theirs.filter((permission) => !wanted.has(permission)),
        fewer: permissions.filter((permission) => !granted.has(permission)),
      };
    })
    .filter(({ shared }) => shared > 0)
    .sort((a, b) => b.shared - a.shared || (a.profile < b.profile ? -1 : 1))
    .at(0);
}
