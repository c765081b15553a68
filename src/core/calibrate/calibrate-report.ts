import { EXIT, type ExitCode, type Stopped } from '../error.ts';
import type { InconclusiveReason } from '../verdict/verdict.ts';
import type { CalibrationRow, ProbeQuality } from './calibration.ts';
import type { RowCheck } from './check-rows.ts';
import type { Confirmation } from './confirmation.ts';
import type { LearnedRow } from './learned-rows.ts';

/** What `calibrate` found, this run and those before it. */
export interface CalibrateReport {
  readonly target: string;
  readonly apiBase: string;
  readonly targetNote: string;
  readonly catalog: string;
  readonly apiVersion: string;
  /** Where it is kept. */
  readonly file: string;
  /** Every operation that has been asked, in the catalog's order. */
  readonly rows: readonly CalibrationRow[];
  /** Operations of the catalog that can be calibrated. */
  readonly operations: number;
  /** Of this run, retries included. */
  readonly requests: number;
  /** The catalog's rows beside Stripe's own resolver. */
  readonly resolver?: {
    readonly checks: readonly RowCheck[];
    readonly requests: number;
    /** Where the rows were kept for later runs. */
    readonly written?: { readonly file: string; readonly rows: number };
    /** Why it could not be asked. */
    readonly unavailable?: string;
  };
  /** Whether one key without permissions was asked alone, so that nothing is said of the probes. */
  readonly bareOnly: boolean;
  /** What refusals have named, this run and all before it, beside the rows that they are about. */
  readonly learned: readonly LearnedRow[];
  /** What keys with just one permission settled; undefined when that was not asked for. */
  readonly confirmations?: readonly Confirmation[];
  /** Why the run ended early; absent when it ran to its end. */
  readonly stopped?: Stopped;
}

/** The operations whose probe has one quality. */
export function rowsOf({ rows }: CalibrateReport, quality: ProbeQuality): readonly CalibrationRow[] {
  return rows.filter((row) => row.quality === quality);
}

/** Rows of the catalog that Stripe's resolver contradicts. */
export function disagreements({ resolver }: CalibrateReport): readonly RowCheck[] {
  return (resolver?.checks ?? []).filter(({ agrees, resolver: named }) => !agrees && named !== null);
}

/** Why an answer says nothing that asking again could change. */
const PASSING: ReadonlySet<string> = new Set<InconclusiveReason>([
  'dead-key',
  'ip-refused',
  'foreign-answer',
  'rate-limit',
  'server-error',
  'network',
]);

/**
 * 0: all that could be found was found, whatever it is; 1: a probe was not harmless; 3: the run ended
 * early, or answers are missing that could have been had.
 */
export function exitCodeOfCalibration(report: CalibrateReport): ExitCode {
  if (rowsOf(report, 'unsafe').length > 0) return EXIT.findings;
  const isPassing = (answer: { readonly reason?: string } | undefined) => PASSING.has(answer?.reason ?? '');
  const isMissing = report.rows.some(({ quality, entry: { bare, full } }) =>
    report.bareOnly
      ? bare === undefined || isPassing(bare)
      : quality === 'unfinished' || (quality === 'undetermined' && [bare, full].some(isPassing)),
  );
  const isUntold = (report.confirmations ?? []).some(
    ({ settled, asked }) => settled.length === 0 && (asked.length === 0 || asked.some(isPassing)),
  );
  const isDone = report.stopped === undefined && !isMissing && !isUntold;
  return isDone ? EXIT.ok : EXIT.undetermined;
}
