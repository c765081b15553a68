import type { BeyondSdk } from '../core/catalog/beyond-sdk.ts';
import {
  allows,
  type Catalog,
  type Operation,
  type PermissionName,
  type RouteMatch,
} from '../core/catalog/catalog.ts';
import { type Expansion, type Expansions, lackingReads } from '../core/catalog/expansion.ts';

/** What somebody may do: a set of permissions for each side, or everything, as an unrestricted key may. */
export type Holder =
  | 'everything'
  | {
      readonly permissions: readonly PermissionName[];
      readonly connectPermissions: readonly PermissionName[];
    };

/** What is asked for. */
export interface GateCall {
  readonly method: string;
  /** As it came, without the query. */
  readonly path: string;
  /** Every path that `expand` names. */
  readonly expand: readonly string[];
  /** Whether it is about a connected account, so that the Connect side decides. */
  readonly connect: boolean;
}

/** An operation with the ids in its path, and what its expansions reach. */
export interface KnownCall extends RouteMatch {
  readonly expansions: readonly Expansion[];
}

/**
 * What the gate says of a call; how it is worded is the server's business.
 * `unknown`: the catalog does not have the operation, or does not know what a path of `expand` reaches.
 */
export type Decision =
  | ({ readonly kind: 'allowed' } & KnownCall)
  | ({
      readonly kind: 'forbidden';
      /** Any one of these would do; empty where none is known. */
      readonly lacking: readonly PermissionName[];
      /** The path of `expand` that is lacking, where the operation itself is not. */
      readonly expansion?: string | undefined;
      /** `no-connect-permissions`: the holder has none at all for connected accounts. */
      readonly because: 'permission' | 'no-connect-permissions';
    } & KnownCall)
  | {
      readonly kind: 'unknown';
      readonly call?: KnownCall | undefined;
      readonly expansion?: string | undefined;
    };

/**
 * One question for every server: may who holds these permissions make this call? The answer is the core's
 * {@link allows}, the same that planner, judge and widening report ask.
 */
export class Gate {
  readonly #catalog: Catalog;
  readonly #expansions: Expansions;
  readonly #beyondSdk: BeyondSdk | undefined;
  /** Closures by their permissions, since many holders are asked about the same again and again. */
  readonly #closures = new Map<string, ReadonlySet<PermissionName>>();
  /** The same for one list that is asked about again. */
  readonly #closureOf = new WeakMap<readonly PermissionName[], ReadonlySet<PermissionName>>();

  /** @param beyondSdk for a server that knows more calls than the SDK */
  constructor(catalog: Catalog, expansions: Expansions, beyondSdk?: BeyondSdk) {
    this.#catalog = catalog;
    this.#expansions = expansions;
    this.#beyondSdk = beyondSdk;
  }

  decide({ method, path, expand, connect }: GateCall, holder: Holder): Decision {
    const found = this.find(method, path);
    if (found === undefined) return { kind: 'unknown' };
    const { operation } = found;
    const reached = expand.map((one) => ({ path: one, expansion: this.#expansions.find(operation, one) }));
    const expansions = reached.flatMap(({ expansion }) => expansion ?? []);
    const call = { ...found, expansions };
    const lacking = this.#lacking(operation, reached, connect, holder);
    if (lacking !== undefined) return { kind: 'forbidden', ...lacking, ...call };
    const odd = reached.find(({ expansion }) => expansion === undefined);
    return odd === undefined ? { kind: 'allowed', ...call } : { kind: 'unknown', call, expansion: odd.path };
  }

  /** Whether somebody holds one permission, for endpoints that the catalog does not have. */
  holds(holder: Holder, permission: PermissionName, { connect }: Pick<GateCall, 'connect'>): boolean {
    if (holder === 'everything') return true;
    return this.#closure(connect ? holder.connectPermissions : holder.permissions).has(permission);
  }

  /**
   * The operation, and its ids decoded. What a server behind may read as a part of the path, a slash or dots, is no
   * id: it would do something else than was asked here.
   */
  find(method: string, path: string): RouteMatch | undefined {
    const found = this.#catalog.match(method, path) ?? this.#beyondSdk?.match(method, path);
    if (found === undefined || found.ids.length === 0) return found;
    const ids = path.includes('%') ? found.ids.map(decoded) : found.ids;
    return ids.some((id) => /^\.\.?$|\//.test(id)) ? undefined : { ...found, ids };
  }

  #lacking(
    operation: Operation,
    reached: readonly { readonly path: string; readonly expansion: Expansion | undefined }[],
    connect: boolean,
    holder: Holder,
  ):
    | {
        lacking: readonly PermissionName[];
        expansion?: string;
        because: 'permission' | 'no-connect-permissions';
      }
    | undefined {
    if (holder === 'everything') return undefined;
    const held = connect ? holder.connectPermissions : holder.permissions;
    if (connect && held.length === 0)
      return { lacking: operation.permissions, because: 'no-connect-permissions' };
    const effective = this.#closure(held);
    if (!allows(effective, operation)) return { lacking: operation.permissions, because: 'permission' };
    for (const { path, expansion } of reached) {
      const readers = expansion === undefined ? undefined : lackingReads(effective, expansion);
      if (readers !== undefined) {
        const lacking = readers.flatMap(({ permissions }) => permissions);
        return { lacking, expansion: path, because: 'permission' };
      }
    }
    return undefined;
  }

  #closure(permissions: readonly PermissionName[]): ReadonlySet<PermissionName> {
    const known = this.#closureOf.get(permissions) ?? this.#closureByName(permissions);
    this.#closureOf.set(permissions, known);
    return known;
  }

  #closureByName(permissions: readonly PermissionName[]): ReadonlySet<PermissionName> {
    const text = permissions.join(' ');
    const known = this.#closures.get(text);
    if (known !== undefined) return known;
    const closure = this.#catalog.closure(permissions);
    if (this.#closures.size >= MOST_CLOSURES) this.#closures.clear();
    this.#closures.set(text, closure);
    return closure;
  }
}

const MOST_CLOSURES = 1_000;

function decoded(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}
