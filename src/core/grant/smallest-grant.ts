import { byText } from '../by-text.ts';
import {
  allows,
  type Catalog,
  endpointOf,
  type Operation,
  type PermissionName,
  type Provenance,
} from '../catalog/catalog.ts';
import type { Expansions } from '../catalog/expansion.ts';
import { remarksOn } from '../catalog/remark.ts';
import { nearestEndpoint, nearestOperation } from '../profile/names/nearest-name.ts';
import { successorOf, successorText } from '../profile/names/successor.ts';
import type { OlderApi } from './older-api.ts';

/** A call that the catalog resolved to what it needs. */
export interface ResolvedEndpoint {
  /** As given. */
  readonly endpoint: string;
  readonly operation: string;
  /** Any one of these suffices. */
  readonly permissions: readonly PermissionName[];
  readonly provenance: Provenance;
  /** What a user should know beside them; sentences. */
  readonly remarks?: readonly string[];
  /** What its `expand[]` reads, besides: of each of these calls it must be allowed one. */
  readonly expands?: readonly { readonly path: string; readonly reads: readonly (readonly string[])[] }[];
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

/**
 * The smallest grant for these calls, in any spelling that {@link Catalog.find} takes.
 * @param older for what the catalog's API version does not have
 * @param expansions for calls that say `?expand[]=…`; without it a query says nothing
 */
export function smallestGrant(
  texts: readonly string[],
  catalog: Catalog,
  expansions?: Expansions,
  older?: OlderApi,
): SmallestGrant {
  const endpoints: ResolvedEndpoint[] = [];
  const unresolved: UnresolvedEndpoint[] = [];
  const wanted = new Set<Operation>();
  for (const endpoint of texts) {
    const [call = '', query = ''] = endpoint.split('?', 2);
    const gone = older?.call(call);
    const operation = gone?.found ?? catalog.find(call);
    if (operation === undefined) {
      unresolved.push({ endpoint, reason: unknownReason(call, catalog) });
    } else if (operation.permissions.length === 0) {
      unresolved.push({
        endpoint,
        reason: `No permission is known for ${endpointOf(operation)}: ${operation.source}.`,
      });
    } else {
      const expanded = expansions === undefined ? [] : expandedBy(operation, query, expansions, older);
      const reason = expanded.find((one) => one.reason !== undefined)?.reason;
      if (reason !== undefined) {
        unresolved.push({ endpoint, reason });
        continue;
      }
      wanted.add(operation);
      for (const { reads } of expanded) for (const readers of reads) wanted.add(anyOf(readers));
      const { name, permissions, provenance } = operation;
      const versions = [gone, ...expanded].flatMap((one) => one?.remark ?? []);
      const remarks = [...versions, ...remarksOn(operation, catalog)];
      endpoints.push({
        endpoint,
        operation: name,
        permissions,
        provenance,
        ...(remarks.length === 0 ? {} : { remarks }),
        ...shown(expanded),
      });
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

interface Expanded {
  readonly path: string;
  readonly reads: readonly (readonly Operation[])[];
  /** Why what it reads is not known. */
  readonly reason?: string;
  /** On the version of the API that expands it. */
  readonly remark?: string;
}

function expandedBy(
  operation: Operation,
  query: string,
  expansions: Expansions,
  older: OlderApi | undefined,
): Expanded[] {
  const paths = [...new URLSearchParams(query)].filter(([name]) => /^expand(?:\[\d*\])?$/.test(name));
  return paths.map(([, path]) => {
    const gone =
      expansions.find(operation, path) === undefined ? older?.expansion(operation, path) : undefined;
    const found = gone?.found ?? expansions.find(operation, path);
    if (found === undefined) {
      const isInList = expansions.find(operation, `data.${path}`) !== undefined;
      const advice = isInList ? ` Did you mean "data.${path}"?` : '';
      return { path, reads: [], reason: `${operation.name} has nothing to expand at "${path}".${advice}` };
    }
    const isUnknown = found.reads.some((readers) => anyOf(readers).permissions.length === 0);
    const reason = `No permission is known for what "${path}" expands to.`;
    return isUnknown ? { path, reads: [], reason } : { path, reads: found.reads, remark: gone?.remark };
  });
}

/** As one call that any of their permissions opens. */
function anyOf(readers: readonly Operation[]): Operation {
  const [first, ...others] = readers;
  if (first === undefined) throw new RangeError('an expansion that no call reads');
  return others.length === 0
    ? first
    : { ...first, permissions: readers.flatMap(({ permissions }) => permissions) };
}

function shown(expanded: readonly Expanded[]): Pick<ResolvedEndpoint, 'expands'> {
  const expands = expanded.map(({ path, reads }) => ({
    path,
    reads: reads.map((readers) => readers.map(({ name }) => name)),
  }));
  return expands.length === 0 ? {} : { expands };
}

/**
 * Asks first for what each call's row says to ask for, then drops every permission that the rest
 * makes needless (a read beside its write, an alternative that another call brings along).
 */
function fewest(operations: readonly Operation[], catalog: Catalog): PermissionName[] {
  const chosen = new Set(operations.flatMap((operation) => operation.permissions.slice(0, 1)));
  for (const permission of [...chosen].sort((a, b) => rank(a) - rank(b) || byText(a, b))) {
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
  const isPath = /^\s*(?:[a-z]+\s+)?(?:https?:\/\/[^/]+)?\//i.test(text);
  const what = isPath ? 'The catalog has no such endpoint.' : 'The catalog has no such operation.';
  const successor = successorOf(text.trim());
  if (successor !== undefined) return `${what} ${successorText(successor)}`;
  const near = isPath
    ? nearestEndpoint(plainEndpoint(text), catalog)
    : nearestOperation(text.trim(), catalog);
  return near === undefined ? what : `${what} Did you mean "${near}"?`;
}

/** With a method, and `{id}` for every parameter. */
function plainEndpoint(text: string): string {
  const plain = text.trim().replace(/:[A-Za-z_]+|\{[^}]*\}|<[^>]*>/g, '{id}');
  return plain.startsWith('/') ? `GET ${plain}` : plain.replace(/^[a-z]+/, (method) => method.toUpperCase());
}
