import { basename, resolve } from 'node:path';
import type { CalibrateReport } from '../../core/calibrate/calibrate-report.ts';
import type { CalibratedRow } from '../../core/calibrate/calibration.ts';
import { checkRows, type RowCheck } from '../../core/calibrate/check-rows.ts';
import { endpointOf, type Operation } from '../../core/catalog/catalog.ts';
import { KeyauditError } from '../../core/error.ts';
import { impossiblePath } from '../../core/probe/build-probe.ts';
import type { SecretKey } from '../../core/secret-key.ts';
import { calibratedTarget } from '../../session/calibrated-target.ts';
import { startSpinner } from '../../session/progress.ts';
import type { OpenSession } from '../../session/session.ts';
import { writeCalibratedRows } from '../../store/calibration/calibration-file.ts';
import { writeResultFile } from '../../store/result-file.ts';
import { createResolver } from '../../stripe/resolve-endpoints.ts';
import { defaultRate } from '../../stripe/send-probes.ts';
import { operationsToCalibrate } from './calibrate-probes.ts';

export interface CalibrateRowsOptions {
  readonly only?: 'probes' | 'catalog';
  /** Keeps the resolver's answers as calibrated rows under this name. */
  readonly write?: string;
  /** Requests a second. */
  readonly rate?: number;
}

/** What the resolver said of the catalog's rows, and why the run ended early, if it did. */
export interface RowsCalibrated {
  readonly resolver: NonNullable<CalibrateReport['resolver']>;
  readonly stopped?: CalibrateReport['stopped'];
}

/** Asks Stripe's own resolver about every row of the catalog. */
export async function calibrateRows(
  options: CalibrateRowsOptions,
  key: SecretKey,
  session: OpenSession,
): Promise<RowsCalibrated> {
  const { target, shippedCatalog, signal } = session;
  const resolver = createResolver({
    key,
    apiBase: target.apiBase,
    apiVersion: shippedCatalog.apiVersion,
    ratePerSecond: options.rate ?? defaultRate(target.name, 'test'),
    signal,
  });
  const spinner = await startSpinner(session, "calibrate, the catalog beside Stripe's resolver");
  const ask = (endpoints: readonly string[]) => {
    spinner.update(`${resolver.requests} requests`);
    return resolver.ask(endpoints);
  };
  let checks: readonly RowCheck[];
  try {
    const spell = await spellingOf(ask, session);
    checks = await checkRows(operationsToCalibrate(session), ask, spell);
  } catch (error) {
    return notAsked(error, options, resolver.requests, session);
  } finally {
    spinner.stop();
  }
  const written = await writeRows(checks, options, session);
  return { resolver: { checks, requests: resolver.requests, written } };
}

function notAsked(
  error: unknown,
  { only }: CalibrateRowsOptions,
  requests: number,
  { signal }: OpenSession,
): RowsCalibrated {
  if (signal.aborted) {
    return {
      resolver: { checks: [], requests },
      stopped: {
        code: 'INTERRUPTED',
        message: "Interrupted while Stripe's resolver was asked; this report is partial.",
        hint: 'Run it again; what the probes showed is kept.',
      },
    };
  }
  if (!(error instanceof KeyauditError)) throw error;
  // Of no account is it known whether it has the resolver; the probes count without it.
  const counts = error.code !== 'RESOLVER_UNAVAILABLE' || only === 'catalog';
  return {
    resolver: { checks: [], requests, unavailable: error.message },
    stopped: counts ? { code: error.code, message: error.message } : undefined,
  };
}

async function writeRows(
  checks: readonly RowCheck[],
  { write }: CalibrateRowsOptions,
  session: OpenSession,
): Promise<{ file: string; rows: number } | undefined> {
  if (write === undefined) return undefined;
  const { env, cwd, now } = session;
  const where = calibratedTarget(session.globals);
  const rows = checks.flatMap(({ operation, catalog: known, resolver, agrees }): CalibratedRow[] => {
    if (resolver === null || resolver.length === 0) return [];
    if (agrees) return [{ operation, permissions: known }];
    // Several at once may mean "all of these", which no row can say.
    return resolver.length === 1 ? [{ operation, permissions: resolver }] : [];
  });
  const file = await writeCalibratedRows(env, basename(write), where, rows, now());
  if (isPath(write) && resolve(cwd, write) !== file) {
    await writeResultFile(session, write, `${JSON.stringify({ ...where, rows }, null, 1)}\n`);
  }
  return { file, rows: rows.length };
}

/** Whether `--write` names a place of its own besides the user's folder. */
export function isPath(write: string): boolean {
  return basename(write) !== write;
}

/** Templates as in the catalog, unless the resolver wants ids in their places. */
async function spellingOf(
  ask: (endpoints: readonly string[]) => Promise<{ readonly unresolved: readonly unknown[] }>,
  { shippedCatalog }: OpenSession,
): Promise<(operation: Operation) => string> {
  const concrete = (operation: Operation) =>
    `${operation.method} ${impossiblePath(operation.path, 'calibrate')}`;
  const example = shippedCatalog.operation('charges.retrieve');
  if (example === undefined) return endpointOf;
  const { unresolved } = await ask([endpointOf(example)]);
  return unresolved.length === 0 ? endpointOf : concrete;
}
