/** Stripe's own permission name, such as `charge_write`. */
export type PermissionName = string;
/** A name as in Stripe's API paths: `charges`, `payment_intents`, `issuing/cards`, `v2/core/accounts`. */
export type ResourceName = string;
/** An operation by its stripe-node name, such as `paymentIntents.capture`. */
export type OperationName = string;

export type Method = 'GET' | 'POST' | 'DELETE';
export type Level = 'none' | 'read' | 'write';
export type OperationKind = 'list' | 'search' | 'retrieve' | 'create' | 'update' | 'delete' | 'action';

/**
 * How the catalog knows which permission an operation needs, best first. `named`: a refusal on the user's own account
 * named it, which is a hint. `unknown` means that no name is known: every restricted key is expected to be refused.
 */
export const PROVENANCES = ['calibrated', 'documented', 'observed', 'named', 'inferred', 'unknown'] as const;
export type Provenance = (typeof PROVENANCES)[number];

/** Which of Stripe's hosts serves an operation (api.stripe.com, files.stripe.com, …). */
export type Host = 'api' | 'files' | 'connect' | 'meter-events';

/** One permission of Stripe's, as the catalog knows it. */
export interface Permission {
  readonly name: PermissionName;
  /** The Dashboard's row label, such as `Charges and refunds`. */
  readonly label: string;
  /** The Dashboard's group, such as `Core`. */
  readonly group: string;
  readonly level: 'read' | 'write';
  /** The spelling in older 403 messages and in Dashboard links: `rak_charge_write`. */
  readonly scope: string;
  /** Whether `POST /v2/iam/api_keys` is known to take the name. */
  readonly managedApi: boolean;
  readonly source: string;
  /** No public source knows the name, or its scope alone. */
  readonly unconfirmed?: 'name' | 'scope';
}

/** "Who holds `from` can also do what `to` allows", with where that is known from. */
export interface Implication {
  readonly from: PermissionName;
  readonly to: readonly PermissionName[];
  readonly source: string;
}

/** One API call: method and path template, and which permission it needs. */
export interface Operation {
  readonly name: OperationName;
  readonly method: Method;
  /** Path template; every parameter is written `{id}`. */
  readonly path: string;
  readonly resource: ResourceName;
  readonly kind: OperationKind;
  readonly host: Host;
  /** Any one of these suffices; the first is the one to ask for. Empty: unknown. */
  readonly permissions: readonly PermissionName[];
  readonly provenance: Provenance;
  /** Where the permission is known from, in words. */
  readonly source: string;
  /** What a user should know beside the permissions; a sentence without its full stop. */
  readonly remark?: string;
}

/** One top-level parameter of an operation, as stripe-node's type declarations give it. */
export interface Parameter {
  readonly name: string;
  readonly required: boolean;
  readonly type: 'string' | 'number' | 'boolean' | 'enum' | 'object' | 'array' | 'file';
  /** The values of an `enum`, as far as the declarations list them. */
  readonly values?: readonly string[];
}

/** What `npm run catalog` makes: plain rows, in a stable order. */
export interface CatalogData {
  /** Such as `stripe-node 23.1.0`. */
  readonly source: string;
  /** The API version pinned by that SDK, sent as `Stripe-Version`. */
  readonly apiVersion: string;
  readonly permissions: readonly Permission[];
  readonly implications: readonly Implication[];
  readonly operations: readonly Operation[];
}

/** Whether an operation can change something: every method but GET. */
export function isWrite(operation: Operation): boolean {
  return operation.method !== 'GET';
}

/** `POST /v1/refunds`: how an operation is written beside its name. */
export function endpointOf(operation: Operation): string {
  return `${operation.method} ${operation.path}`;
}

/**
 * The one function that says whether a grant allows an operation; planner, widening report and
 * sandbox all call it. `effective` is a grant with all that it implies ({@link Catalog.closure}).
 * An operation of unknown permission is allowed to no restricted key.
 */
export function allows(effective: ReadonlySet<PermissionName>, operation: Operation): boolean {
  return operation.permissions.some((permission) => effective.has(permission));
}

interface RouteNode {
  readonly next: Map<string, RouteNode>;
  parameter?: RouteNode;
  readonly byMethod: Map<string, Operation>;
}

const routeNode = (): RouteNode => ({ next: new Map(), byMethod: new Map() });

/** An operation found by a concrete path, with the ids that stood in it. */
export interface RouteMatch {
  readonly operation: Operation;
  readonly ids: readonly string[];
}

/** The catalog with its indexes: look-ups by name, endpoint, resource and permission. */
export class Catalog {
  readonly source: string;
  readonly apiVersion: string;
  readonly operations: readonly Operation[];
  readonly permissions: readonly Permission[];
  readonly implications: readonly Implication[];

  readonly #byName = new Map<string, Operation>();
  readonly #bySpelling = new Map<string, Operation>();
  readonly #byPermission = new Map<PermissionName, Operation[]>();
  readonly #places = new Map<Operation, number>();
  readonly #byResource = new Map<ResourceName, Operation[]>();
  readonly #permissionByName = new Map<PermissionName, Permission>();
  readonly #permissionByScope = new Map<string, Permission>();
  readonly #implied = new Map<PermissionName, Set<PermissionName>>();
  readonly #root = routeNode();

  constructor(data: CatalogData) {
    this.source = data.source;
    this.apiVersion = data.apiVersion;
    this.operations = data.operations;
    this.permissions = data.permissions;
    this.implications = data.implications;
    for (const [place, operation] of data.operations.entries()) {
      this.#places.set(operation, place);
      this.#byName.set(operation.name, operation);
      this.#bySpelling.set(spellingKey(operation.name), operation);
      push(this.#byResource, operation.resource, operation);
      for (const permission of operation.permissions) push(this.#byPermission, permission, operation);
      this.#addRoute(operation);
    }
    for (const permission of data.permissions) {
      this.#permissionByName.set(permission.name, permission);
      this.#permissionByScope.set(permission.scope, permission);
    }
    for (const { from, to } of data.implications) {
      const implied = this.#implied.get(from) ?? new Set();
      for (const name of to) implied.add(name);
      this.#implied.set(from, implied);
    }
  }

  #addRoute(operation: Operation): void {
    let node = this.#root;
    for (const segment of operation.path.split('/')) {
      let next: RouteNode | undefined;
      if (segment === '{id}') {
        node.parameter ??= routeNode();
        next = node.parameter;
      } else {
        next = node.next.get(segment);
        if (next === undefined) {
          next = routeNode();
          node.next.set(segment, next);
        }
      }
      node = next;
    }
    node.byMethod.set(operation.method, operation);
  }

  /** The operation of that canonical name. */
  operation(name: OperationName): Operation | undefined {
    return this.#byName.get(name);
  }

  /** The operation that a method and a concrete path (no query) address; static segments win over ids. */
  match(method: string, path: string): RouteMatch | undefined {
    return matchRoute(this.#root, path.split('/'), 0, method, []);
  }

  /** Whether any operation has that concrete path, whatever the method. */
  hasPath(path: string): boolean {
    return (['GET', 'POST', 'DELETE'] as const).some((method) => this.match(method, path) !== undefined);
  }

  /** All operations that hold `permission` among those that suffice. */
  operationsOf(permission: PermissionName): readonly Operation[] {
    return this.#byPermission.get(permission) ?? [];
  }

  /** The operations that {@link allows} says yes to, in the catalog's order; found by their permissions. */
  allowedTo(effective: ReadonlySet<PermissionName>): Operation[] {
    const found = new Set<Operation>();
    for (const permission of effective) {
      for (const operation of this.operationsOf(permission)) found.add(operation);
    }
    const place = (operation: Operation) => this.#places.get(operation) ?? 0;
    return [...found].sort((a, b) => place(a) - place(b));
  }

  operationsIn(resource: ResourceName): readonly Operation[] {
    return this.#byResource.get(resource) ?? [];
  }

  get resources(): readonly ResourceName[] {
    return [...this.#byResource.keys()];
  }

  permission(name: PermissionName): Permission | undefined {
    return this.#permissionByName.get(name);
  }

  /** A permission by either spelling, its name or its `rak_` scope. */
  permissionByAnyName(text: string): Permission | undefined {
    return this.#permissionByName.get(text) ?? this.#permissionByScope.get(text);
  }

  /** `permissions` with all that they imply, transitively. */
  closure(permissions: Iterable<PermissionName>): ReadonlySet<PermissionName> {
    const seen = new Set<PermissionName>();
    const queue = [...permissions];
    for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
      if (seen.has(name)) continue;
      seen.add(name);
      queue.push(...(this.#implied.get(name) ?? []));
    }
    return seen;
  }

  /**
   * An operation by any spelling: stripe-node's (`paymentIntents.create`), snake case
   * (`payment_intents.create`), as code has it (`stripe.paymentIntents.create`), the CLI's (`payment_intents create`), an endpoint with a template or
   * a concrete id (`post /v1/payment_intents/:id`), or a path alone where just one method has it
   * (GET wins, since a bare path reads as "look at this").
   */
  find(text: string): Operation | undefined {
    const exact = this.#byName.get(text);
    if (exact !== undefined) return exact;
    const trimmed = text.trim();
    const endpoint = /^(?:(get|post|delete)\s+)?(?:https?:\/\/[^/]+)?(\/[^\s?#]*)/i.exec(trimmed);
    if (endpoint?.[2] !== undefined) {
      const path = endpoint[2].replace(/\/+$/, '').replace(/:[A-Za-z_]+|\{[^}]*\}|<[^>]*>/g, 'id');
      const methods = endpoint[1] === undefined ? ['GET', 'POST', 'DELETE'] : [endpoint[1].toUpperCase()];
      for (const method of methods) {
        const found = this.match(method, path);
        if (found !== undefined) return found.operation;
      }
      return undefined;
    }
    const name = trimmed.replace(/^(?:await\s+)?stripe\./, '').replace(/\(.*$/s, '');
    return this.#byName.get(name) ?? this.#bySpelling.get(spellingKey(name));
  }
}

/**
 * Folds camel case, snake case, dots and blanks (`payment_intents create` = `paymentIntents.create`), and
 * stripe-node's `del` with the CLI's `delete`.
 */
function spellingKey(text: string): string {
  return text
    .toLowerCase()
    .replace(/[\s_.]delete$/, 'del')
    .replace(/[\s_.-]+/g, '');
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

function matchRoute(
  node: RouteNode,
  segments: readonly string[],
  index: number,
  method: string,
  ids: readonly string[],
): RouteMatch | undefined {
  const segment = segments[index];
  if (segment === undefined) {
    const operation = node.byMethod.get(method);
    return operation === undefined ? undefined : { operation, ids };
  }
  const next = node.next.get(segment);
  if (next !== undefined) {
    const found = matchRoute(next, segments, index + 1, method, ids);
    if (found !== undefined) return found;
  }
  if (node.parameter === undefined || segment === '') return undefined;
  return matchRoute(node.parameter, segments, index + 1, method, [...ids, segment]);
}
