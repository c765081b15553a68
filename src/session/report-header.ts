import type { CalibrationEntry } from '../core/calibrate/calibration.ts';
import type { Depth } from '../core/probe/depth.ts';
import { ciRun } from '../core/result/ci-run.ts';
import type { SourceFile } from '../core/result/provenance.ts';
import type { VerifyReport } from '../core/result/verify-report.ts';
import type { OpenSession } from './session.ts';

/** What every report of a run begins with: which server was asked, by which catalog, how deep, and its provenance up to now. */
export async function reportHeader(
  { target, catalog, calibration, version, startedAt, now, env, policy }: OpenSession,
  depth: Depth,
  lock?: SourceFile,
): Promise<Omit<VerifyReport, 'results' | 'comparisons'>> {
  return {
    provenance: {
      startedAt: startedAt.toISOString(),
      durationMs: Math.max(0, now().getTime() - startedAt.getTime()),
      keyaudit: version,
      ci: ciRun(env),
      policy: sourceOf(await policy()),
      lock: sourceOf(lock),
    },
    target: target.name,
    apiBase: target.apiBase,
    targetNote: target.note,
    catalog: catalog.source,
    apiVersion: catalog.apiVersion,
    calibrated: [...calibration.entries.values()].filter(isAsked).length || undefined,
    depth,
  };
}

/** What one key alone was asked is not calibrated. */
function isAsked({ bare, full }: CalibrationEntry): boolean {
  return bare !== undefined && full !== undefined;
}

function sourceOf(source: SourceFile | undefined): SourceFile | null {
  return source === undefined ? null : { file: source.file, digest: source.digest };
}
