import type { Operation, OperationName, PermissionName } from '../catalog/catalog.ts';

/** What Stripe's resolver said of one batch of endpoints. */
export interface ResolverAnswer {
  /** For the batch as a whole. */
  readonly permissions: readonly PermissionName[];
  readonly unresolved: readonly { readonly endpoint: string; readonly reason: string }[];
}

/** One row of the catalog beside what Stripe's resolver says. */
export interface RowCheck {
  readonly operation: OperationName;
  /** As asked. */
  readonly endpoint: string;
  readonly catalog: readonly PermissionName[];
  /** Null when the resolver does not know the endpoint. */
  readonly resolver: readonly PermissionName[] | null;
  /** Why the resolver does not know it. */
  readonly reason?: string;
  readonly agrees: boolean;
}

/** Endpoints asked for at once. */
const BATCH = 20;

/**
 * Compares rows with Stripe's resolver. It answers for a batch as a whole, so each batch holds endpoints
 * of one permission alone; one whose answer differs is halved until the endpoint stands alone.
 * @param spell how an endpoint is written for the resolver
 */
export async function checkRows(
  operations: readonly Operation[],
  ask: (endpoints: readonly string[]) => Promise<ResolverAnswer>,
  spell: (operation: Operation) => string,
): Promise<readonly RowCheck[]> {
  const groups = groupByPermissions(operations);
  const batches = [...groups.values()].flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / BATCH) }, (_, index) =>
      group.slice(index * BATCH, (index + 1) * BATCH),
    ),
  );
  const checks = (await Promise.all(batches.map((batch) => checkBatch(batch, ask, spell)))).flat();
  const order = new Map(operations.map(({ name }, index) => [name, index]));
  return checks.sort((a, b) => (order.get(a.operation) ?? 0) - (order.get(b.operation) ?? 0));
}

function groupByPermissions(operations: readonly Operation[]): Map<string, Operation[]> {
  const groups = new Map<string, Operation[]>();
  for (const operation of operations) {
    const key = operation.permissions.join(' ');
    groups.set(key, [...(groups.get(key) ?? []), operation]);
  }
  return groups;
}

async function checkBatch(
  batch: readonly Operation[],
  ask: (endpoints: readonly string[]) => Promise<ResolverAnswer>,
  spell: (operation: Operation) => string,
): Promise<readonly RowCheck[]> {
  if (batch.length === 0) return [];
  const { permissions, unresolved } = await ask(batch.map(spell));
  const reasons = new Map(unresolved.map(({ endpoint, reason }) => [endpoint, reason]));
  const unknown = batch.filter((operation) => reasons.has(spell(operation)));
  const known = batch.filter((operation) => !reasons.has(spell(operation)));
  const checks = unknown.map((operation) => ({
    ...base(operation, spell),
    resolver: null,
    reason: reasons.get(spell(operation)) ?? '',
    // What neither knows is no disagreement.
    agrees: operation.permissions.length === 0,
  }));
  if (known.length === 0) return checks;
  const [named] = permissions;
  const agrees =
    permissions.length === 1 && named !== undefined && known[0]?.permissions.includes(named) === true;
  if (agrees || known.length === 1) {
    return [
      ...checks,
      ...known.map((operation) => ({ ...base(operation, spell), resolver: permissions, agrees })),
    ];
  }
  const half = Math.ceil(known.length / 2);
  return [
    ...checks,
    ...(await checkBatch(known.slice(0, half), ask, spell)),
    ...(await checkBatch(known.slice(half), ask, spell)),
  ];
}

function base(
  operation: Operation,
  spell: (operation: Operation) => string,
): Pick<RowCheck, 'operation' | 'endpoint' | 'catalog'> {
  return { operation: operation.name, endpoint: spell(operation), catalog: operation.permissions };
}
