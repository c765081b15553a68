import type { Catalog, Operation, OperationName, PermissionName } from './catalog.ts';

/** What a user should know of an operation's row beside its permissions; sentences. */
export function remarksOn(operation: Operation, catalog: Catalog): readonly string[] {
  const row = operation.remark === undefined ? [] : [`${operation.remark}.`];
  const names = operation.permissions.flatMap((name) => unconfirmedName(name, catalog) ?? []);
  return [...row, ...names];
}

/** Operations that one remark is about. */
export interface SharedRemark {
  readonly remark: string;
  readonly operations: readonly OperationName[];
}

/** The remarks on all these operations, each once. */
export function remarksOnAll(operations: Iterable<OperationName>, catalog: Catalog): readonly SharedRemark[] {
  const byRemark = new Map<string, OperationName[]>();
  for (const name of operations) {
    const operation = catalog.operation(name);
    for (const remark of operation === undefined ? [] : remarksOn(operation, catalog))
      byRemark.set(remark, [...(byRemark.get(remark) ?? []), name]);
  }
  return [...byRemark].map(([remark, of]) => ({ remark, operations: of }));
}

/** That no public source knows a permission's name; undefined for a confirmed one. */
export function unconfirmedName(name: PermissionName, catalog: Catalog): string | undefined {
  return catalog.permission(name)?.unconfirmed === 'name'
    ? `${name} is an unconfirmed name: no source of Stripe's knows it.`
    : undefined;
}

/**
 * Permissions that Stripe's permissions reference marks "(Direct)": they do not cover calls made for another account.
 * Only its first rows could be read, all of them so marked (docs.stripe.com/keys/permissions-reference, a copy of 2026);
 * of every other permission nothing is known.
 */
const DIRECT: ReadonlySet<PermissionName> = new Set([
  'account_link_write',
  'account_session_write',
  'connected_account_read',
  'connected_account_write',
]);

/** Whether Stripe is known to mark a permission "(Direct)". */
export function isMarkedDirect(name: PermissionName): boolean {
  return DIRECT.has(name);
}
