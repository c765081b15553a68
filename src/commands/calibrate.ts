import { operationsToCalibrate, ProbeCalibration } from '../audit/calibrate/calibrate-probes.ts';
import { calibrateRows, isPath, type RowsCalibrated } from '../audit/calibrate/calibrate-rows.ts';
import { liveRefused } from '../core/calibrate/calibrate-error.ts';
import { type CalibrateReport, exitCodeOfCalibration } from '../core/calibrate/calibrate-report.ts';
import { calibrationRows, currentCalibration, NO_CALIBRATION } from '../core/calibrate/calibration.ts';
import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import type { SecretKey } from '../core/secret-key.ts';
import { openBareKey } from '../keys/bare-key.ts';
import { cleanUp } from '../keys/end/clean-up.ts';
import { calibrateJson, renderCalibrateTable, renderContribution } from '../report/calibrate.ts';
import { writeJson } from '../report/verify/json.ts';
import { calibratedTarget } from '../session/calibrated-target.ts';
import type { CommandContext } from '../session/context.ts';
import { probeMaker } from '../session/probe-maker.ts';
import { printResult, requireFormat, withResultOutput } from '../session/result-output.ts';
import { type OpenSession, openSession, type Session, withTarget } from '../session/session.ts';
import { calibrationFile, readCalibration } from '../store/calibration/calibration-file.ts';
import { requireWritable } from '../store/result-file.ts';
import type { OpenTarget } from '../targets/target.ts';

export interface CalibrateOptions {
  /** The variable of a test key that holds nothing useful; without it one is made and ended. */
  readonly bareKeyEnv?: string;
  readonly only?: 'probes' | 'catalog';
  /** Keeps the resolver's answers as calibrated rows under this name. */
  readonly write?: string;
  /** Prints what is kept, asks nothing. */
  readonly print?: boolean;
  readonly restart?: boolean;
  /** Probes a second. */
  readonly rate?: number;
}

/**
 * `keyaudit calibrate`: sends every probe with a key that holds nothing useful and with an unrestricted
 * test key, and compares the catalog with Stripe's own resolver. What is found is kept for later runs;
 * an interrupted run is gone on with.
 */
export async function calibrate(options: CalibrateOptions, context: CommandContext): Promise<ExitCode> {
  const { globals } = context;
  requireFormat(globals.format, ['table', 'json']);
  const session = await openSession(context);
  if (options.print === true) return print(session);
  requireSensible(options, session);
  // Before hundreds of requests, not after.
  for (const file of [globals.output, options.write]) {
    if (file !== undefined && (file === globals.output || isPath(file))) await requireWritable(context, file);
  }
  return withTarget(session, async (open) => {
    await cleanUp(open, {});
    const report = await calibrateTarget(options, open);
    await printResult(open, {
      json: calibrateJson(report),
      table: (output) => renderCalibrateTable(report, output, globals),
    });
    return exitCodeOfCalibration(report);
  });
}

async function calibrateTarget(options: CalibrateOptions, session: OpenSession): Promise<CalibrateReport> {
  const { target, shippedCatalog: catalog, env, globals } = session;
  const full = unrestrictedTestKey(target);
  const probes = new ProbeCalibration(options, session);
  await probes.read();
  if (options.only !== 'catalog') {
    await probes.run({ full, bare: () => openBareKey(options.bareKeyEnv, session) });
  }
  const asksRows = options.only !== 'probes' && probes.stopped === undefined;
  const rows: RowsCalibrated | undefined = asksRows ? await calibrateRows(options, full, session) : undefined;
  return {
    target: target.name,
    apiBase: target.apiBase,
    targetNote: target.note,
    catalog: catalog.source,
    apiVersion: catalog.apiVersion,
    file: calibrationFile(env, calibratedTarget(globals)),
    rows: calibrationRows(probes.calibration, catalog),
    operations: operationsToCalibrate(session).length,
    requests: probes.requests,
    resolver: rows?.resolver,
    stopped: probes.stopped ?? rows?.stopped,
  };
}

function requireSensible({ write, only }: CalibrateOptions, { globals }: Session): void {
  if (write !== undefined && only === 'probes') {
    throw new KeyauditError(
      'USAGE',
      "--write keeps the resolver's answers, and --only probes asks it nothing.",
    );
  }
  if (globals.live) throw liveRefused();
  if (globals.target === 'stripe-mock') {
    throw new KeyauditError('USAGE', 'stripe-mock enforces no permissions, so it shows nothing of probes.', {
      hint: 'Calibrate with --target stripe, or try it out on the sandbox.',
    });
  }
}

/** @throws KeyauditError `LIVE_NOT_ALLOWED`, or `KEY_WRONG_KIND` for a restricted key */
function unrestrictedTestKey(target: OpenTarget): SecretKey {
  let key: SecretKey;
  try {
    key = target.secretKey();
  } catch (error) {
    if (error instanceof KeyauditError && error.code === 'LIVE_NOT_ALLOWED') throw liveRefused();
    throw error;
  }
  if (key.mode !== 'test') throw liveRefused();
  if (key.kind === 'secret') return key;
  throw new KeyauditError(
    'KEY_WRONG_KIND',
    `STRIPE_SECRET_KEY holds a restricted key (${key}); calibrating needs one that may do everything.`,
    { hint: 'Set it to a secret test key (sk_test_…).' },
  );
}

/** `calibrate --print`: what is kept, as a contribution to the catalog; nothing is asked. */
async function print(session: Session): Promise<ExitCode> {
  const { globals, env, shippedCatalog: catalog } = session;
  const where = calibratedTarget(globals);
  const kept = await readCalibration(env, where);
  const calibration = currentCalibration(kept, catalog, probeMaker(catalog, NO_CALIBRATION));
  const rows = calibrationRows(calibration, catalog);
  if (rows.length === 0) {
    throw new KeyauditError('CALIBRATION_MISSING', `Nothing has been calibrated for ${where.target} yet.`, {
      hint: `Run "keyaudit calibrate --target ${globals.target}" first.`,
      exitCode: EXIT.undetermined,
    });
  }
  await withResultOutput(session, (output) => {
    if (globals.format === 'json') {
      writeJson({ schema: 'keyaudit.calibration/1', ...where, catalog: catalog.source, rows }, output.write);
    } else renderContribution({ ...where, catalog: catalog.source, rows }, output);
  });
  return EXIT.ok;
}
