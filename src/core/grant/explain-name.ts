import {
  allows,
  type Catalog,
  endpointOf,
  type Operation,
  type Permission,
  type PermissionName,
  type ResourceName,
} from '../catalog/catalog.ts';
import { permissionsAt } from '../catalog/levels.ts';
import { remarksOn } from '../catalog/remark.ts';
import { type Risk, riskOf } from '../catalog/risk.ts';

/** What a level of a resource comes to. */
export interface ExplainedLevel {
  readonly level: 'read' | 'write';
  readonly permissions: readonly PermissionName[];
  /** Operations of other resources that come along. */
  readonly besides: readonly string[];
}

/** What a level comes to, a sentence without its full stop. @param names how a list of names is said */
export function levelText(
  { level, permissions, besides }: ExplainedLevel,
  names: (all: readonly string[]) => string,
): string {
  const more = besides.length === 0 ? 'nothing comes along' : `also allows ${names(besides)}`;
  return `${level}: ${permissions.join(', ')}; ${more}`;
}

/** A resource of a profile, with all that people ask of it. */
export interface ExplainedResource {
  readonly kind: 'resource';
  readonly name: ResourceName;
  readonly operations: readonly string[];
  readonly levels: readonly ExplainedLevel[];
  /** Operations that no restricted key is known to be allowed. */
  readonly unknown: readonly string[];
}

/** A permission of Stripe's. */
export interface ExplainedPermission {
  readonly kind: 'permission';
  readonly name: PermissionName;
  readonly permission: Permission;
  readonly risk: Risk;
  readonly operations: readonly string[];
  /** Permissions that come along. */
  readonly implies: readonly PermissionName[];
  readonly impliedBy: readonly PermissionName[];
}

/** One API call. */
export interface ExplainedOperation {
  readonly kind: 'operation';
  readonly name: string;
  readonly endpoint: string;
  readonly operation: Operation;
  readonly remarks: readonly string[];
  readonly risk: Risk | undefined;
  /** What else the permission to ask for allows. */
  readonly besides: readonly string[];
}

export type ExplainedName = ExplainedResource | ExplainedPermission | ExplainedOperation;

/** What a name of the catalog means: a resource, a permission in either spelling, an operation in any; undefined for no name. */
export function explainName(text: string, catalog: Catalog): ExplainedName | undefined {
  const name = text.trim();
  if (catalog.operationsIn(name).length > 0) return explainResource(name, catalog);
  const permission = catalog.permissionByAnyName(name);
  if (permission !== undefined) return explainPermission(permission, catalog);
  const operation = catalog.find(name);
  return operation === undefined ? undefined : explainOperation(operation, catalog);
}

/** A resource with its levels. */
export function explainResource(name: ResourceName, catalog: Catalog): ExplainedResource {
  const own = catalog.operationsIn(name);
  return {
    kind: 'resource',
    name,
    operations: own.map((operation) => operation.name),
    levels: (['read', 'write'] as const)
      .map((level) => ({ level, permissions: permissionsAt(name, level, catalog) }))
      .filter(({ permissions }) => permissions.length > 0)
      .map(({ level, permissions }) => ({
        level,
        permissions,
        besides: besides(permissions, name, catalog),
      })),
    unknown: own.filter(({ permissions }) => permissions.length === 0).map((operation) => operation.name),
  };
}

function besides(
  permissions: readonly PermissionName[],
  resource: ResourceName,
  catalog: Catalog,
): readonly string[] {
  const effective = catalog.closure(permissions);
  return catalog.operations
    .filter((operation) => operation.resource !== resource && allows(effective, operation))
    .map((operation) => operation.name);
}

function explainPermission(permission: Permission, catalog: Catalog): ExplainedPermission {
  const { name } = permission;
  return {
    kind: 'permission',
    name,
    permission,
    risk: riskOf(name),
    operations: catalog.operationsOf(name).map((operation) => operation.name),
    implies: [...catalog.closure([name])].filter((other) => other !== name).sort(),
    impliedBy: catalog.permissions
      .map((other) => other.name)
      .filter((other) => other !== name && catalog.closure([other]).has(name)),
  };
}

function explainOperation(operation: Operation, catalog: Catalog): ExplainedOperation {
  const [first] = operation.permissions;
  const effective = catalog.closure(first === undefined ? [] : [first]);
  return {
    kind: 'operation',
    name: operation.name,
    endpoint: endpointOf(operation),
    operation,
    remarks: remarksOn(operation, catalog),
    risk: first === undefined ? undefined : riskOf(first),
    besides: catalog.operations
      .filter((other) => other !== operation && allows(effective, other))
      .map((other) => other.name),
  };
}
