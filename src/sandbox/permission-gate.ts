import { allows, type Catalog, type Operation, type PermissionName } from '../core/catalog.ts';
import { referencedResource } from '../core/id-prefix.ts';
import type { RefusalDialect } from '../core/refusal.ts';
import type { Answer } from './answer.ts';
import { permissionsAt } from './key-state.ts';
import type { Caller } from './key-store.ts';
import { refusal } from './refusal-message.ts';

/** The account that the sandbox's keys belong to. */
export const OWN_ACCOUNT = 'acct_1SandboxOfKeyaudit';

export interface GateRequest {
  readonly caller: Caller;
  readonly token: string;
  readonly operation: Operation;
  /** The `Stripe-Account` header. */
  readonly account: string | undefined;
  /** The paths of `expand[]`. */
  readonly expand: readonly string[];
  readonly dialect: RefusalDialect;
  /** In ms since 1970. */
  readonly now: number;
}

/**
 * The permission check: undefined when the call may go on, else the refusal. The question itself is the
 * core's {@link allows}, the same that planner and widening report ask.
 */
export class PermissionGate {
  readonly #catalog: Catalog;
  /** Closures by their permissions, since many keys are asked the same again and again. */
  readonly #closures = new Map<string, ReadonlySet<PermissionName>>();

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  check(request: GateRequest): Answer | undefined {
    const { caller, token, operation, account, now } = request;
    const connected = account !== undefined && account !== OWN_ACCOUNT;
    const refuse = (dialect: RefusalDialect, permissions: readonly PermissionName[] = []) =>
      refusal(dialect, { catalog: this.#catalog, token, account: account ?? OWN_ACCOUNT, permissions });
    if (connected && !/^acct_[A-Za-z0-9]+$/.test(account)) return refuse('g');
    if (caller.kind === 'secret') return undefined;
    const held = permissionsAt(caller.key, now);
    if (connected && held.connectPermissions.length === 0) return refuse('f');
    const effective = this.#closure(connected ? held.connectPermissions : held.permissions);
    const refused = [operation, ...this.#expanded(request.expand)].find((one) => !allows(effective, one));
    return refused === undefined ? undefined : refuse(request.dialect, refused.permissions);
  }

  /** Whether a caller holds one permission, for the endpoints that the catalog does not have. */
  holds(caller: Caller, permission: PermissionName, now: number): boolean {
    return (
      caller.kind === 'secret' || this.#closure(permissionsAt(caller.key, now).permissions).has(permission)
    );
  }

  /** Expanding an object needs the permission to retrieve it. */
  #expanded(paths: readonly string[]): readonly Operation[] {
    return paths.flatMap((path) =>
      path.split('.').flatMap((name) => {
        const resource = referencedResource(name);
        const operation =
          resource === undefined ? undefined : this.#catalog.match('GET', `/v1/${resource}/id`)?.operation;
        return operation === undefined ? [] : [operation];
      }),
    );
  }

  #closure(permissions: readonly PermissionName[]): ReadonlySet<PermissionName> {
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
