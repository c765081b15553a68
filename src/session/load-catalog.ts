import { type Calibration, NO_CALIBRATION, withCalibration } from '../core/calibrate/calibration.ts';
import { Catalog } from '../core/catalog/catalog.ts';
import { catalogData } from '../core/catalog/data/catalog.ts';
import type { CommandContext } from './context.ts';

let shipped: Catalog | undefined;
let calibrated: Catalog | undefined;
let calibration: Calibration = NO_CALIBRATION;

/** The catalog as it ships, indexed once a process. */
export function shippedCatalog(): Catalog {
  shipped ??= new Catalog(catalogData);
  return shipped;
}

/** The catalog of this run: the shipped one, with what calibrating has shown of this target. */
export function loadCatalog(): Catalog {
  return calibrated ?? shippedCatalog();
}

/** What calibrating has shown of this target; empty when it never was. */
export function loadCalibration(): Calibration {
  return calibration;
}

/**
 * Takes what `keyaudit calibrate` has kept for the target of this run; call before {@link loadCatalog}.
 * @throws KeyauditError `CALIBRATION_BROKEN`
 */
export async function useCalibration(context: CommandContext): Promise<void> {
  const { readCalibratedRows, readCalibration } = await import('../store/calibration-file.ts');
  const where = calibratedTarget(context);
  calibration = await readCalibration(context.env, where);
  const rows = await readCalibratedRows(context.env, where);
  if (calibration.entries.size + rows.length > 0)
    calibrated = new Catalog(withCalibration(catalogData, calibration, rows));
}

/** For which target and API version a calibration holds. */
export function calibratedTarget({ globals }: Pick<CommandContext, 'globals'>): {
  readonly target: string;
  readonly apiVersion: string;
} {
  const { target, apiBase } = globals;
  // Each sandbox picks its own port; anything else in Stripe's place is calibrated for itself.
  const elsewhere = target !== 'stripe' || apiBase === undefined ? '' : `-${apiBase.replace(/\W+/g, '-')}`;
  return { target: `${target}${elsewhere}`, apiVersion: catalogData.apiVersion };
}
