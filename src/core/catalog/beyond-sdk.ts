import { allows, type Catalog, type Operation, type PermissionName, type RouteMatch } from './catalog.ts';

/**
 * Who can make a call that the SDK does not have. `preview` and `private`: accounts that Stripe has let in; `legacy`:
 * gone from newer versions; `expansion`: a field of `expand[]` beside a call of the catalog, where only a refusal
 * tells; `unsafe`: every request does something, so none is sent.
 */
export const ACCESSES = ['preview', 'private', 'legacy', 'expansion', 'unsafe'] as const;
export type Access = (typeof ACCESSES)[number];

/** A call of Stripe's API that the SDK does not have. */
export interface BeyondOperation extends Operation {
  /** The `Stripe-Version` that it is asked with; undefined where the catalog's does. */
  readonly version?: string;
  readonly access: Access;
  /** The query that a probe carries: `limit=1`, `expand[]=number`; empty for none. */
  readonly query: string;
}

/** Whether a probe's operation stands in the second table, not in the catalog. */
export function isBeyondSdk(operation: Operation): operation is BeyondOperation {
  return 'access' in operation;
}

/** The second table of operations: those outside the SDK, for permissions that nothing else shows. */
export class BeyondSdk {
  readonly operations: readonly BeyondOperation[];
  readonly #catalog: Catalog;
  readonly #byPermission = new Map<PermissionName, BeyondOperation[]>();

  constructor(rows: readonly BeyondOperation[], catalog: Catalog) {
    this.operations = rows;
    this.#catalog = catalog;
    for (const row of rows) {
      for (const permission of row.permissions) {
        this.#byPermission.set(permission, [...(this.#byPermission.get(permission) ?? []), row]);
      }
    }
  }

  operationsOf(permission: PermissionName): readonly BeyondOperation[] {
    return this.#byPermission.get(permission) ?? [];
  }

  /** Whether a grant allows one of these; an expansion needs the call beside which it stands as well. */
  allows(effective: ReadonlySet<PermissionName>, operation: BeyondOperation): boolean {
    return allows(effective, operation) && this.#base(operation).every((base) => allows(effective, base));
  }

  /** The expansion that a path of `expand[]` at an operation of the catalog is, where it has a permission of its own. */
  expansion({ method, path }: Operation, field: string): BeyondOperation | undefined {
    return this.operations.find(
      (row) =>
        row.access === 'expansion' &&
        row.method === method &&
        row.path === path &&
        new URLSearchParams(row.query).get('expand[]') === field,
    );
  }

  /** The call that a method and a concrete path address, expansions apart, which are calls of the catalog. */
  match(method: string, path: string): RouteMatch | undefined {
    for (const operation of this.operations) {
      if (operation.method !== method || operation.access === 'expansion') continue;
      const found = new RegExp(`^${operation.path.replace(/\{id\}/g, '([^/]+)')}$`).exec(path);
      if (found !== null) return { operation, ids: found.slice(1) };
    }
    return undefined;
  }

  #base({ access, method, path }: BeyondOperation): readonly Operation[] {
    if (access !== 'expansion') return [];
    const base = this.#catalog.match(method, path)?.operation;
    if (base === undefined) throw new Error(`${method} ${path} is no call of the catalog`);
    return [base];
  }
}
