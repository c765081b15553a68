import type { Depth } from '../core/probe/depth.ts';
import type { VerifyReport } from '../core/result/verify-report.ts';
import type { OpenSession } from './session.ts';

/** What every report of a run begins with: which server was asked, by which catalog, how deep. */
export function reportHeader(
  { target, catalog, calibration }: OpenSession,
  depth: Depth,
): Omit<VerifyReport, 'results' | 'comparisons'> {
  return {
    target: target.name,
    apiBase: target.apiBase,
    targetNote: target.note,
    catalog: catalog.source,
    apiVersion: catalog.apiVersion,
    calibrated: calibration.entries.size === 0 ? undefined : calibration.entries.size,
    depth,
  };
}
