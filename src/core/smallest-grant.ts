import {
  allows,
  type Catalog,
  endpointOf,
  type Operation,
  type PermissionName,
  type Provenance,
} from './catalog.ts';
import { nearest } from './nearest.ts';

/** A call that the catalog resolved to what it needs. */
export interface ResolvedEndpoint {
  /** As given. */
  readonly endpoint: string;
  readonly operation: string;
  /** Any one of these suffices. */
  readonly permissions: readonly PermissionName[];
  readonly provenance: Provenance;
}

export interface UnresolvedEndpoint {
  readonly endpoint: string;
  readonly reason: string;
}

/** A permission of the smallest grant, and the calls that it is there for. */
export interface Reason {
  readonly permission: PermissionName;
  readonly operations: readonly string[];
}

export interface SmallestGrant {
  /** Sorted; the fewest that allow every resolved call. */
  readonly permissions: readonly PermissionName[];
  readonly endpoints: readonly ResolvedEndpoint[];
  readonly unresolved: readonly UnresolvedEndpoint[];
  readonly reasons: readonly Reason[];
}

/** The smallest grant for these calls, in any spelling that {@link Catalog.find} takes. */
export function smallestGrant(texts: readonly string[], catalog: Catalog): SmallestGrant {
  const endpoints: ResolvedEndpoint[] = [];
  const unresolved: UnresolvedEndpoint[] = [];
  const wanted = new Set<Operation>();
  for (const endpoint of texts) {
    const operation = catalog.find(endpoint);
    if (operation === undefined) {
      unresolved.push({ endpoint, reason: unknownReason(endpoint, catalog) });
    } else if (operation.permissions.length === 0) {
      unresolved.push({
        endpoint,
        reason: `No permission is known for ${endpointOf(operation)}: ${operation.source}.`,
      });
    } else {
      wanted.add(operation);
      const { name, permissions, provenance } = operation;
      endpoints.push({ endpoint, operation: name, permissions, provenance });
    }
  }
  const permissions = fewest([...wanted], catalog);
  return {
    permissions,
    endpoints,
    unresolved,
    reasons: permissions.map((permission) => ({
      permission,
      operations: [...wanted]
        .filter((operation) => allows(catalog.closure([permission]), operation))
        .map((operation) => operation.name),
    })),
  };
}

/**
 * Asks first for what each call's row says to ask for, then drops every permission that the rest
 * makes needless (a read beside its write, an alternative that another call brings along).
 */
function fewest(operations: readonly Operation[], catalog: Catalog): PermissionName[] {
  const chosen = new Set(operations.flatMap((operation) => operation.permissions.slice(0, 1)));
  for (const permission of [...chosen].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b, 'en'))) {
    chosen.delete(permission);
    const effective = catalog.closure(chosen);
    if (!operations.every((operation) => allows(effective, operation))) chosen.add(permission);
  }
  return [...chosen].sort();
}

/** Reads are dropped before writes: a write that stays makes its read needless, never the other way. */
function rank(permission: PermissionName): number {
  return permission.endsWith('_read') ? 0 : 1;
}

function unknownReason(text: string, catalog: Catalog): string {
  const isPath = /^\s*(?:[a-z]+\s+)?\//i.test(text);
  const candidates = isPath
    ? catalog.operations.map(endpointOf)
    : catalog.operations.map((operation) => operation.name);
  const plain = isPath ? text.trim().replace(/:[A-Za-z_]+|\{[^}]*\}|<[^>]*>/g, '{id}') : text.trim();
  const withMethod = isPath && plain.startsWith('/') ? `GET ${plain}` : plain;
  const near = nearest(withMethod, candidates);
  const what = isPath ? 'The catalog has no such endpoint.' : 'The catalog has no such operation.';
  return near === undefined ? what : `${what} Did you mean "${near}"?`;
}
