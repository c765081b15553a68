import type { Catalog } from '../catalog/catalog.ts';
import type { ReadRecord } from '../verdict/record.ts';
import type { Contradiction, Inference, InferredPermission } from './infer-permissions.ts';

/**
 * What Stripe's record of the key says of what no answer told; where an answer says otherwise, both stand, and the
 * contradiction is named. A name that the catalog does not know is held as well.
 */
export function settleByRecord(inference: Inference, record: ReadRecord, catalog: Catalog): Inference {
  const held = catalog.closure(record.permissions);
  const state = (name: string) => (held.has(name) ? 'held' : 'absent');
  const contradictions: Contradiction[] = inference.permissions
    .filter((one) => one.state !== 'undetermined' && one.state !== state(one.permission))
    .map(({ permission, state: shown, operations }) => ({
      operation: operations[0] ?? permission,
      observed: shown === 'held' ? 'allowed' : 'forbidden',
      message:
        shown === 'held'
          ? `Answers show that the key holds ${permission}, and Stripe's record of it lacks it.`
          : `Answers show that the key lacks ${permission}, and Stripe's record of it carries it.`,
    }));
  const unknown = record.permissions.filter((name) => catalog.permission(name) === undefined);
  return {
    permissions: [
      ...inference.permissions.map(
        (one): InferredPermission =>
          one.state === 'undetermined' ? byRecord(one.permission, state(one.permission)) : one,
      ),
      ...unknown.map((name) => byRecord(name, 'held')),
    ],
    contradictions: [...inference.contradictions, ...contradictions],
  };
}

function byRecord(permission: string, state: 'held' | 'absent'): InferredPermission {
  return { permission, state, evidence: 'record', provenance: 'documented', operations: [] };
}
