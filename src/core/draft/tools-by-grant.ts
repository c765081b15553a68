import {
  allows,
  type Catalog,
  endpointOf,
  type OperationName,
  type PermissionName,
} from '../catalog/catalog.ts';
import { smallestGrant } from '../grant/smallest-grant.ts';

/** A tool that an agent is offered, and the calls that it makes. */
export interface OfferedTool {
  readonly tool: string;
  /** Or why no list of them can be given. */
  readonly calls: readonly OperationName[] | string;
}

/** A tool, what it needs, and whether a server that goes by the key's permissions shows it. */
export interface ToolNeeds {
  readonly tool: string;
  readonly operations: readonly OperationName[];
  /** The smallest grant for its calls. */
  readonly permissions: readonly PermissionName[];
  /** Undefined where that cannot be told, or no grant was named. */
  readonly shown: boolean | undefined;
  /** Of its permissions, those that the grant does not bring. */
  readonly lacks: readonly PermissionName[];
  /** Why no list of its calls can be given. */
  readonly reason: string | undefined;
}

/** What each tool needs. @param granted of the key in question, without what is implied; undefined: of none */
export function toolsByGrant(
  tools: readonly OfferedTool[],
  granted: readonly PermissionName[] | undefined,
  catalog: Catalog,
): readonly ToolNeeds[] {
  const effective = granted === undefined ? undefined : catalog.closure(granted);
  return tools.map(({ tool, calls }): ToolNeeds => {
    if (typeof calls === 'string') {
      return { tool, operations: [], permissions: [], shown: undefined, lacks: [], reason: calls };
    }
    const operations = calls.flatMap((name) => catalog.operation(name) ?? []);
    const { permissions } = smallestGrant(operations.map(endpointOf), catalog);
    const isKnown = operations.every((operation) => operation.permissions.length > 0);
    const missing =
      effective === undefined ? [] : operations.filter((operation) => !allows(effective, operation));
    const lacks = smallestGrant(missing.map(endpointOf), catalog).permissions;
    return {
      tool,
      operations: calls,
      permissions,
      shown: effective === undefined || !isKnown ? undefined : missing.length === 0,
      lacks,
      reason: undefined,
    };
  });
}
