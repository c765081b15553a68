import {
  type CalibrateReport,
  disagreements,
  exitCodeOfCalibration,
  rowsOf,
} from '../core/calibrate/calibrate-report.ts';
import { PROBE_QUALITIES } from '../core/calibrate/calibration.ts';
import { EXIT } from '../core/error.ts';

/** `calibrate --format json`, schema `keyaudit.calibrate/1`. */
export function calibrateJson(report: CalibrateReport): unknown {
  const { rows, resolver, ...facts } = report;
  const { operations } = report;
  const counts = PROBE_QUALITIES.map((quality) => [quality, rowsOf(report, quality).length] as const);
  return {
    schema: 'keyaudit.calibrate/1',
    ok: exitCodeOfCalibration(report) === EXIT.ok,
    ...facts,
    summary: { operations, asked: rows.length, ...Object.fromEntries(counts) },
    blind: rowsOf(report, 'blind'),
    unsafe: rowsOf(report, 'unsafe'),
    wrongRows: rows.filter((row) => row.wrongRow),
    undetermined: rowsOf(report, 'undetermined'),
    ...(resolver === undefined
      ? {}
      : {
          resolver: {
            asked: resolver.checks.length,
            requests: resolver.requests,
            agreed: resolver.checks.filter(({ agrees }) => agrees).length,
            disagreements: disagreements(report),
            unresolved: resolver.checks.filter(({ agrees, resolver: named }) => !agrees && named === null),
            ...(resolver.written === undefined ? {} : { written: resolver.written }),
            ...(resolver.unavailable === undefined ? {} : { unavailable: resolver.unavailable }),
          },
        }),
  };
}
