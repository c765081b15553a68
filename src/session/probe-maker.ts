import { randomBytes } from 'node:crypto';
import { type Calibration, effectiveOfBare, probeForm, probeQuality } from '../core/calibrate/calibration.ts';
import { isBeyondSdk } from '../core/catalog/beyond-sdk.ts';
import type { Catalog, Operation } from '../core/catalog/catalog.ts';
import { parametersOf } from '../core/catalog/parameters.ts';
import { buildBeyondProbe } from '../core/probe/build-beyond-probe.ts';
import { buildProbe } from '../core/probe/build-probe.ts';
import type { Probe } from '../core/probe/probe.ts';

/**
 * The probe of each operation for one run: built once, with ids that no other run uses, and with what
 * calibrating has shown of it.
 */
export function probeMaker(catalog: Catalog, calibration: Calibration): (operation: Operation) => Probe {
  const nonce = randomBytes(6).toString('hex');
  const bareHolds = effectiveOfBare(calibration, catalog);
  const probes = new Map<Operation, Probe>();
  return (operation) => {
    const known = probes.get(operation);
    if (known !== undefined) return known;
    if (isBeyondSdk(operation)) {
      const beyond = buildBeyondProbe(operation, nonce);
      probes.set(operation, beyond);
      return beyond;
    }
    const material = { parameters: parametersOf(operation.name), nonce };
    const plain = buildProbe(operation, material);
    const entry = calibration.entries.get(operation.name);
    const isCurrent = entry !== undefined && entry.probe === probeForm(plain);
    const quality = isCurrent ? probeQuality(operation, entry, bareHolds) : 'unfinished';
    const probe = buildProbe(operation, {
      ...material,
      calibrated: quality === 'telling',
      blind: quality === 'blind',
      unsafe: quality === 'unsafe',
    });
    probes.set(operation, probe);
    return probe;
  };
}
