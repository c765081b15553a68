import { randomBytes } from 'node:crypto';
import { buildProbe } from '../core/build-probe.ts';
import type { Operation } from '../core/catalog.ts';
import { parametersOf } from '../core/parameters.ts';
import type { Probe } from '../core/probe.ts';

/** The probe of each operation for one run: built once, with ids that no other run uses. */
export function makeProbes(): (operation: Operation) => Probe {
  const nonce = randomBytes(6).toString('hex');
  const probes = new Map<Operation, Probe>();
  return (operation) => {
    const known = probes.get(operation);
    if (known !== undefined) return known;
    const probe = buildProbe(operation, { parameters: parametersOf(operation.name), nonce });
    probes.set(operation, probe);
    return probe;
  };
}
