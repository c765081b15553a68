import { operationsToCalibrate, ProbeCalibration } from '../audit/calibrate/calibrate-probes.ts';
import { calibrateRows, isPath, type RowsCalibrated } from '../audit/calibrate/calibrate-rows.ts';
import { confirmNames, type NamesConfirmed } from '../audit/calibrate/confirm-names.ts';
import { liveRefused } from '../core/calibrate/calibrate-error.ts';
import { type CalibrateReport, exitCodeOfCalibration } from '../core/calibrate/calibrate-report.ts';
import { calibrationRows, currentCalibration, NO_CALIBRATION } from '../core/calibrate/calibration.ts';
import { type LearnedRow, learnedText } from '../core/calibrate/learned-rows.ts';
import { sourceRows } from '../core/calibrate/source-rows.ts';
import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import type { SecretKey } from '../core/secret-key.ts';
import { openBareKey, openKeyWith } from '../keys/bare-key.ts';
import { cleanUp } from '../keys/end/clean-up.ts';
import { calibrateJson, renderCalibrateTable } from '../report/calibrate/calibrate.ts';
import { renderContribution, renderSourceRows } from '../report/calibrate/contribution.ts';
import { writeJson } from '../report/verify/json.ts';
import { calibratedTarget } from '../session/calibrated-target.ts';
import type { CommandContext } from '../session/context.ts';
import { probeMaker } from '../session/probe-maker.ts';
import { readCalibrated } from '../session/read-calibrated.ts';
import { printResult, requireFormat, withResultOutput } from '../session/result-output.ts';
import { type OpenSession, openSession, type Session, withTarget } from '../session/session.ts';
import {
  calibrationFile,
  readCalibratedRows,
  readCalibration,
} from '../store/calibration/calibration-file.ts';
import { requireWritable } from '../store/result-file.ts';
import type { OpenTarget } from '../targets/target.ts';

export interface CalibrateOptions {
  /** The variable of a test key that holds nothing useful; without it one is made and ended. */
  readonly bareKeyEnv?: string;
  readonly only?: 'probes' | 'catalog';
  /** Keeps the resolver's answers as calibrated rows under this name. */
  readonly write?: string;
  /** Asks the key without permissions alone: its refusals name what would do. */
  readonly bareOnly?: boolean;
  /** Asks again what refusals and the catalog do not agree on, with a key for each permission. */
  readonly confirm?: boolean;
  /** Prints what is kept, asks nothing: rows for the catalog's tables, or the answers themselves. */
  readonly print?: true | 'rows' | 'answers';
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
  if (options.print !== undefined) return print(options.print, session);
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
  const { bareOnly = false, confirm = false, only } = options;
  // Alone, --confirm asks about what is kept.
  const asks = bareOnly || !confirm || only !== undefined;
  const full = bareOnly && !confirm ? undefined : unrestrictedTestKey(target);
  const probes = new ProbeCalibration(options, session);
  await probes.read();
  if (asks && only !== 'catalog') {
    const bare = () => openBareKey(options.bareKeyEnv, session);
    await probes.run({ full: bareOnly ? undefined : full, bare });
  }
  const asksRows = asks && !bareOnly && only !== 'probes' && probes.stopped === undefined;
  const rows: RowsCalibrated | undefined =
    asksRows && full !== undefined ? await calibrateRows(options, full, session) : undefined;
  const { learned } = await readCalibrated(session, catalog);
  const isStopped = (probes.stopped ?? rows?.stopped) !== undefined;
  const confirmed = confirm && !isStopped ? await confirmLearned(learned, options, session) : undefined;
  return {
    target: target.name,
    apiBase: target.apiBase,
    targetNote: target.note,
    catalog: catalog.source,
    apiVersion: catalog.apiVersion,
    file: calibrationFile(env, calibratedTarget(globals)),
    rows: calibrationRows(probes.calibration, catalog),
    operations: operationsToCalibrate(session).length,
    requests: probes.requests + (confirmed?.requests ?? 0),
    resolver: rows?.resolver,
    bareOnly: bareOnly || !asks,
    learned: confirmed === undefined ? learned : (await readCalibrated(session, catalog)).learned,
    confirmations: confirmed?.confirmations,
    stopped: probes.stopped ?? rows?.stopped ?? confirmed?.stopped,
  };
}

/** @throws KeyauditError `CALIBRATION_MISSING` while no refusal has named anything */
async function confirmLearned(
  learned: readonly LearnedRow[],
  options: CalibrateOptions,
  session: OpenSession,
): Promise<NamesConfirmed> {
  if (learned.length === 0) {
    throw new KeyauditError(
      'CALIBRATION_MISSING',
      'No refusal has named a permission yet, so there is nothing to confirm.',
      {
        hint: 'Ask a key without permissions first: "keyaudit calibrate --bare-only --confirm".',
        exitCode: EXIT.undetermined,
      },
    );
  }
  return confirmNames(learned, options, (permission) => openKeyWith(permission, session), session);
}

function requireSensible({ write, only, bareOnly }: CalibrateOptions, { globals }: Session): void {
  if (bareOnly === true && (only !== undefined || write !== undefined)) {
    throw new KeyauditError('USAGE', '--bare-only asks one key without permissions and nothing else.', {
      hint: `Leave out ${only === undefined ? '--write' : '--only'}.`,
    });
  }
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
  if (key.isOfOrganisation) {
    throw new KeyauditError(
      'ORGANISATION_KEY',
      `STRIPE_SECRET_KEY holds the key of an organisation (${key}).`,
      {
        hint: 'Calibrating asks one account: use the secret test key of that account.',
      },
    );
  }
  if (key.kind === 'secret') return key;
  throw new KeyauditError(
    'KEY_WRONG_KIND',
    `STRIPE_SECRET_KEY holds a restricted key (${key}); calibrating needs one that may do everything.`,
    { hint: 'Set it to a secret test key (sk_test_…).' },
  );
}

/** `calibrate --print`: what is kept, as a contribution to the catalog; nothing is asked. */
async function print(what: true | 'rows' | 'answers', session: Session): Promise<ExitCode> {
  const { globals, env, shippedCatalog, learned } = session;
  const where = calibratedTarget(globals);
  const catalog = shippedCatalog.source;
  const kept = await readCalibration(env, where);
  const calibration = currentCalibration(kept, shippedCatalog, probeMaker(shippedCatalog, NO_CALIBRATION));
  const rows = calibrationRows(calibration, shippedCatalog);
  const settled = await readCalibratedRows(env, where);
  if (rows.length + learned.length + settled.length === 0) {
    throw new KeyauditError('CALIBRATION_MISSING', `Nothing has been calibrated for ${where.target} yet.`, {
      hint: 'Run "keyaudit calibrate" first.',
      exitCode: EXIT.undetermined,
    });
  }
  const source = sourceRows(shippedCatalog, learned, settled);
  const contradictions = learned.filter(({ kind }) => kind === 'contradicted');
  await withResultOutput(session, (output) => {
    if (globals.format === 'json') {
      const json = { schema: 'keyaudit.calibration/1', ...where, catalog, rows, learned, sourceRows: source };
      writeJson(json, output.write);
    } else if (what === 'answers') renderContribution({ ...where, catalog, rows }, output);
    else {
      const texts = contradictions.map((row) => `${row.endpoint}: ${learnedText(row)}`);
      renderSourceRows({ ...where, catalog, rows: source, contradictions: texts }, output);
    }
  });
  return EXIT.ok;
}
