import { existsSync } from 'node:fs';
import { type Calibration, NO_CALIBRATION, withCalibration } from '../core/calibrate/calibration.ts';
import { type LearnedRow, learnedRows, withNames, withRemarks } from '../core/calibrate/learned-rows.ts';
import { type BeyondOperation, BeyondSdk } from '../core/catalog/beyond-sdk.ts';
import { Catalog } from '../core/catalog/catalog.ts';
import { beyondSdkRows } from '../core/catalog/data/beyond-sdk.ts';
import { catalogData } from '../core/catalog/data/catalog.ts';
import { calibrationFolder } from '../store/user-folder.ts';
import { calibratedTarget } from './calibrated-target.ts';
import type { CommandContext } from './context.ts';

/** What is known of Stripe's calls, with what this user's runs have shown of the target. */
export interface Calibrated {
  /** The shipped catalog, with what calibrating has shown of this target; to judge and to grant by. */
  readonly catalog: Catalog;
  /** The same with the names that refusals gave, which are hints: to look things up in, and for nothing else. */
  readonly namedCatalog: Catalog;
  /** The calls that the SDK does not have. */
  readonly beyondSdk: BeyondSdk;
  /** What refusals of this target have named, beside the rows that they are about. */
  readonly learned: readonly LearnedRow[];
  /** What calibrating has shown of this target; empty when it never was. */
  readonly calibration: Calibration;
}

/** Reads what was kept for the target. @throws KeyauditError `CALIBRATION_BROKEN` or `CALIBRATION_FOREIGN` */
export async function readCalibrated(
  { env, globals }: Pick<CommandContext, 'env' | 'globals'>,
  shipped: Catalog,
): Promise<Calibrated> {
  const nothing = {
    calibration: NO_CALIBRATION,
    catalog: shipped,
    namedCatalog: shipped,
    beyondSdk: new BeyondSdk(beyondSdkRows, shipped),
    learned: [],
  };
  if (!existsSync(calibrationFolder(env))) return nothing;
  const { readCalibratedRows, readCalibration } = await import('../store/calibration/calibration-file.ts');
  const { readNamedRefusals } = await import('../store/calibration/named-refusals-file.ts');
  const where = calibratedTarget(globals);
  const calibration = await readCalibration(env, where);
  const rows = await readCalibratedRows(env, where);
  const refusals = await readNamedRefusals(env, where);
  if (calibration.entries.size + rows.length + refusals.length === 0) return nothing;
  const learned = learnedRows([...shipped.operations, ...beyondSdkRows], refusals, {
    apiVersion: shipped.apiVersion,
    settled: new Set(rows.map(({ operation }) => operation)),
  });
  const data = withRemarks(withCalibration(catalogData, calibration, rows), learned);
  const catalog = new Catalog(data);
  const settled = new Map(rows.map(({ operation, permissions }) => [operation, permissions]));
  const beyond = beyondSdkRows.map((row): BeyondOperation => {
    const permissions = settled.get(row.name);
    return permissions === undefined ? row : { ...row, permissions, provenance: 'calibrated' };
  });
  return {
    calibration,
    catalog,
    namedCatalog: new Catalog(withNames(data, learned)),
    beyondSdk: new BeyondSdk(beyond, catalog),
    learned,
  };
}
