import { randomBytes } from 'node:crypto';
import { buildProbe } from '../core/build-probe.ts';
import { type Calibration, effectiveOfBare, probeQuality } from '../core/calibration.ts';
import type { Operation } from '../core/catalog.ts';
import { parametersOf } from '../core/parameters.ts';
import type { Probe } from '../core/probe.ts';
import { loadCalibration, loadCatalog } from './load-catalog.ts';

/**
 * The probe of each operation for one run: built once, with ids that no other run uses, and with what
 * calibrating has shown of it.
 */
export function makeProbes(calibration: Calibration = loadCalibration()): (operation: Operation) => Probe {
  const nonce = randomBytes(6).toString('hex');
  const bareHolds = effectiveOfBare(calibration, loadCatalog());
  const probes = new Map<Operation, Probe>();
  return (operation) => {
    const known = probes.get(operation);
    if (known !== undefined) return known;
    const quality = probeQuality(operation, calibration.entries.get(operation.name) ?? {}, bareHolds);
    const probe = buildProbe(operation, {
      parameters: parametersOf(operation.name),
      nonce,
      calibrated: quality === 'telling',
      blind: quality === 'blind',
      unsafe: quality === 'unsafe',
    });
    probes.set(operation, probe);
    return probe;
  };
}
