import { allows, type Catalog, type OperationName, type PermissionName } from '../catalog/catalog.ts';
import type { ProbeResult } from './finding.ts';
import type { ReadRecord } from './record.ts';
import { holds, type Verdict } from './verdict.ts';

/**
 * An answer to a probe that cannot be true together with Stripe's record of the key. `suspect` says which of the two is
 * the likelier to be wrong: `record`, when every call of the permission was answered against it; `catalog`, when another
 * call of the same permission agrees with the record, or the refusal names another permission; else `either`.
 */
export interface WitnessContradiction {
  readonly operation: OperationName;
  readonly connect: boolean;
  readonly permissions: readonly PermissionName[];
  readonly probes: 'allowed' | 'forbidden';
  readonly suspect: 'record' | 'catalog' | 'either';
  /** One sentence. */
  readonly message: string;
}

type Answer = Pick<ProbeResult, 'operation' | 'observed' | 'connect'> & {
  readonly named?: Verdict['named'];
};

/** Where probes and record contradict each other, on both sides. */
export function witnessContradictions(
  answers: readonly Answer[],
  record: ReadRecord,
  catalog: Catalog,
): readonly WitnessContradiction[] {
  const held = {
    own: catalog.closure(record.permissions),
    connect: catalog.closure(record.connectPermissions),
  };
  const told = answers.flatMap((answer) => {
    const operation = catalog.operation(answer.operation);
    const { connect } = answer;
    const observed = holds(answer.observed) ? 'allowed' : answer.observed;
    if (operation === undefined || operation.permissions.length === 0) return [];
    if (observed !== 'allowed' && observed !== 'forbidden') return [];
    const recorded = allows(connect ? held.connect : held.own, operation) ? 'allowed' : 'forbidden';
    return [{ ...answer, observed, operation, agrees: recorded === observed } as const];
  });
  return told
    .filter(({ agrees }) => !agrees)
    .map(({ operation, observed, connect, named = [] }) => {
      const { permissions } = operation;
      const others = told.filter(
        (other) =>
          other.operation !== operation &&
          other.connect === connect &&
          other.operation.permissions.length === 1 &&
          permissions.includes(other.operation.permissions[0] ?? ''),
      );
      const namesAnother = named.length > 0 && !named.some((name) => permissions.includes(name));
      const suspect =
        namesAnother || others.some(({ agrees }) => agrees)
          ? 'catalog'
          : others.length > 0
            ? 'record'
            : 'either';
      return {
        operation: operation.name,
        connect,
        permissions,
        probes: observed,
        suspect,
        message: inWords(operation.name, permissions, observed, suspect),
      } as const;
    });
}

function inWords(
  operation: OperationName,
  permissions: readonly PermissionName[],
  probes: 'allowed' | 'forbidden',
  suspect: WitnessContradiction['suspect'],
): string {
  const names = permissions.join(' or ');
  const sides =
    probes === 'allowed'
      ? `The key may call ${operation}, and Stripe's record of it lacks ${names}.`
      : `The key may not call ${operation}, and Stripe's record of it carries ${names}.`;
  const who = {
    record: 'Other calls of the same permission say so too: the record is wrong, or older than the key.',
    catalog: "Other answers agree with the record: the catalog's row for this call is wrong.",
    either: "Either the record is wrong, or the catalog's row for this call.",
  } as const;
  return `${sides} ${who[suspect]}`;
}

/** Further calls, at most `most` for each contradiction, that tell a wrong record from a wrong row. */
export function furtherCalls(
  contradictions: readonly WitnessContradiction[],
  asked: ReadonlySet<OperationName>,
  catalog: Catalog,
  most = 2,
): readonly OperationName[] {
  return [
    ...new Set(
      contradictions
        .filter(({ suspect }) => suspect === 'either')
        .flatMap(({ permissions }) =>
          permissions
            .flatMap((name) => catalog.operationsOf(name))
            .filter((operation) => operation.permissions.length === 1 && !asked.has(operation.name))
            .slice(0, most)
            .map(({ name }) => name),
        ),
    ),
  ];
}
