import { allows, type Catalog, type Operation, type PermissionName } from '../core/catalog/catalog.ts';
import { type Expansion, lackingReads } from '../core/catalog/expansion.ts';
import type { RefusalDialect } from '../core/verdict/refusal-dialect.ts';
import type { Answer } from '../http/answer.ts';
import { permissionsAt } from '../sandbox/keys/key-state.ts';
import type { Caller } from '../sandbox/keys/key-store.ts';
import { refusal } from './refusal-message.ts';

/** The account that the sandbox's keys belong to. */
export const OWN_ACCOUNT = 'acct_1SandboxOfKeyaudit';

export interface GateRequest {
  readonly caller: Caller;
  readonly token: string;
  readonly operation: Operation;
  /** The `Stripe-Account` header. */
  readonly account: string | undefined;
  /** What `expand[]` reaches. */
  readonly expansions: readonly Expansion[];
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
    if (!allows(effective, operation)) return refuse(request.dialect, operation.permissions);
    for (const expansion of request.expansions) {
      const lacking = lackingReads(effective, expansion);
      if (lacking !== undefined) {
        return refuse(
          request.dialect,
          lacking.flatMap(({ permissions }) => permissions),
        );
      }
    }
    return undefined;
  }

  /** Whether a caller holds one permission, for the endpoints that the catalog does not have. */
  holds(caller: Caller, permission: PermissionName, now: number): boolean {
    return (
      caller.kind === 'secret' || this.#closure(permissionsAt(caller.key, now).permissions).has(permission)
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
