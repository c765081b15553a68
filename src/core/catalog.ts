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
 * How the catalog knows which permission an operation needs, best first.
 * `unknown` means that no name is known: every restricted key is expected to be refused.
 */
export const PROVENANCES = ['calibrated', 'documented', 'observed', 'inferred', 'unknown'] as const;
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
