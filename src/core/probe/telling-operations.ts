import type { BeyondSdk } from '../catalog/beyond-sdk.ts';
import { allows, type Catalog, type Operation, type PermissionName } from '../catalog/catalog.ts';
import type { GrantSide } from '../grant/grant.ts';

/** The calls whose answer differs between a grant with a permission and the same grant without it. */
export interface Telling {
  readonly catalog: readonly Operation[];
  /** Those that the SDK does not have. */
  readonly beyondSdk: readonly Operation[];
}

/** The calls that tell whether a key with this grant holds `permission`; those that need its name first. */
export function tellingOperations(
  permission: PermissionName,
  side: Pick<GrantSide, 'permissions' | 'effective'>,
  { catalog, beyondSdk }: { readonly catalog: Catalog; readonly beyondSdk?: BeyondSdk | undefined },
): Telling {
  const isHeld = side.effective.has(permission);
  const without = isHeld
    ? catalog.closure(side.permissions.filter((name) => name !== permission))
    : side.effective;
  const withIt = isHeld ? side.effective : catalog.closure([...side.permissions, permission]);
  const tells = (operation: Operation) => allows(withIt, operation) && !allows(without, operation);
  const own = catalog.operationsOf(permission).filter(tells);
  const brought = [...withIt].filter((name) => !without.has(name));
  return {
    catalog:
      own.length > 0
        ? own
        : [...new Set(brought.flatMap((name) => catalog.operationsOf(name)))].filter(tells),
    beyondSdk: [...new Set(brought.flatMap((name) => beyondSdk?.operationsOf(name) ?? []))].filter(
      (operation) => beyondSdk?.allows(withIt, operation) === true && !beyondSdk.allows(without, operation),
    ),
  };
}
