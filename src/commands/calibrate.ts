import { basename, resolve } from 'node:path';
import { stoppedText } from '../audit/probe-key.ts';
import {
  type CalibrateReport,
  disagreements,
  exitCodeOfCalibration,
  rowsOf,
} from '../core/calibrate/calibrate-report.ts';
import {
  type CalibratedRow,
  type Calibration,
  type CalibrationEntry,
  calibrationAnswer,
  calibrationRows,
  currentCalibration,
  isUnfinished,
  NO_CALIBRATION,
  PROBE_QUALITIES,
  probeForm,
} from '../core/calibrate/calibration.ts';
import { checkRows, type RowCheck } from '../core/calibrate/check-rows.ts';
import { endpointOf, type Operation, type OperationName } from '../core/catalog/catalog.ts';
import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import { impossiblePath } from '../core/probe/build-probe.ts';
import type { Probe } from '../core/probe/probe.ts';
import { readProfile } from '../core/profile/read-profile.ts';
import { resolveProfile } from '../core/profile/resolve-profile.ts';
import { SecretKey } from '../core/secret-key.ts';
import { createKey } from '../keys/make-key.ts';
import { openKeyApi } from '../keys/open-key-api.ts';
import { HARMLESS_PERMISSION } from '../keys/retire-key.ts';
import { renderCalibrateTable, renderContribution } from '../report/calibrate-table.ts';
import { writeJson } from '../report/verify/json.ts';
import { type CommandContext, today } from '../session/context.ts';
import { calibratedTarget, shippedCatalog } from '../session/load-catalog.ts';
import { makeProbes } from '../session/probe-maker.ts';
import { satisfiableGrant } from '../session/profile-grant.ts';
import { startProgress, startSpinner } from '../session/progress.ts';
import { printResult, requireFormat, withResultOutput } from '../session/result-output.ts';
import {
  calibrationFile,
  readCalibration,
  writeCalibratedRows,
  writeCalibration,
} from '../store/calibration-file.ts';
import { requireRestricted } from '../store/find-key.ts';
import { requireWritable, writeResultFile } from '../store/result-file.ts';
import { createResolver } from '../stripe/resolve-endpoints.ts';
import { defaultRate, type SentProbe, sendProbes } from '../stripe/send-probes.ts';
import { type OpenTarget, openTarget } from '../targets/open-target.ts';

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

/** How often results are written down while a run goes on, in ms. */
const KEEP_EVERY_MS = 1_000;

/**
 * `keyaudit calibrate`: sends every probe with a key that holds nothing useful and with an unrestricted
 * test key, and compares the catalog with Stripe's own resolver. What is found is kept for later runs;
 * an interrupted run is gone on with.
 */
export async function calibrate(options: CalibrateOptions, context: CommandContext): Promise<ExitCode> {
  requireFormat(context.globals.format, ['table', 'json']);
  if (options.print === true) return print(context);
  if (options.write !== undefined && options.only === 'probes') {
    throw new KeyauditError(
      'USAGE',
      "--write keeps the resolver's answers, and --only probes asks it nothing.",
    );
  }
  if (context.globals.live) throw liveRefused();
  if (context.globals.target === 'stripe-mock') {
    throw new KeyauditError('USAGE', 'stripe-mock enforces no permissions, so it shows nothing of probes.', {
      hint: 'Calibrate with --target stripe, or try it out on the sandbox.',
    });
  }
  // Before hundreds of requests, not after.
  for (const file of [context.globals.output, options.write]) {
    if (file !== undefined && (file === context.globals.output || isPath(file)))
      await requireWritable(context.cwd, file);
  }
  const target = await openTarget(context);
  try {
    const report = await new Calibrating(options, target, context).run();
    await printResult(context, {
      json: calibrateJson(report),
      table: (output) => renderCalibrateTable(report, output, context.globals),
    });
    return exitCodeOfCalibration(report);
  } finally {
    await target.close();
  }
}

/** The catalog as it ships: what calibrating has found must not be compared with itself. */
const catalog = shippedCatalog();

class Calibrating {
  readonly #options: CalibrateOptions;
  readonly #target: OpenTarget;
  readonly #context: CommandContext;
  readonly #where: ReturnType<typeof calibratedTarget>;
  readonly #secretKey: SecretKey;
  #bareHolds: readonly string[] = [];
  #entries = new Map<OperationName, CalibrationEntry>();
  #stopped: CalibrateReport['stopped'];
  #requests = 0;
  /** Plain ones: what was found before must not decide what is found now. */
  readonly #probeFor = makeProbes(NO_CALIBRATION);
  #keptAt = 0;
  #keeping: Promise<unknown> = Promise.resolve();

  constructor(options: CalibrateOptions, target: OpenTarget, context: CommandContext) {
    this.#options = options;
    this.#target = target;
    this.#context = context;
    this.#where = calibratedTarget(context);
    this.#secretKey = unrestrictedTestKey(target);
  }

  async run(): Promise<CalibrateReport> {
    const { only, restart } = this.#options;
    const { env, globals } = this.#context;
    const kept =
      restart === true
        ? NO_CALIBRATION
        : currentCalibration(await readCalibration(env, this.#where), catalog, this.#probeFor);
    this.#bareHolds = kept.bareHolds;
    this.#entries = new Map(kept.entries);
    if (only !== 'catalog') await this.#probes();
    const resolver = only === 'probes' || this.#stopped !== undefined ? undefined : await this.#rows();
    return {
      target: globals.target,
      apiBase: this.#target.apiBase,
      targetNote: this.#target.note,
      catalog: catalog.source,
      apiVersion: catalog.apiVersion,
      file: calibrationFile(env, this.#where),
      rows: calibrationRows(this.#calibration(), catalog),
      operations: this.#operations().length,
      requests: this.#requests,
      ...(resolver === undefined ? {} : { resolver }),
      ...(this.#stopped === undefined ? {} : { stopped: this.#stopped }),
    };
  }

  #calibration(): Calibration {
    return { bareHolds: this.#bareHolds, entries: this.#entries };
  }

  /** At Stripe the OAuth calls answer in a form of their own, which no calibration can use. */
  #operations(): readonly Operation[] {
    return this.#context.globals.target === 'stripe'
      ? catalog.operations.filter(({ host }) => host !== 'connect')
      : catalog.operations;
  }

  async #probes(): Promise<void> {
    const open = this.#operations().filter((one) => isUnfinished(one, this.#calibration(), catalog));
    if (open.length === 0) return;
    const bare = await this.#bareKey();
    try {
      this.#bareHolds = bare.holds;
      const unanswered = (which: 'bare' | 'full') =>
        open.filter(({ name }) => {
          const answer = this.#entries.get(name)?.[which];
          return answer === undefined || answer.verdict === 'inconclusive';
        });
      await this.#send('bare', bare.key, unanswered('bare').map(this.#probeFor));
      if (this.#stopped === undefined) {
        await this.#send('full', this.#secretKey, unanswered('full').map(this.#probeFor));
      }
    } finally {
      await this.#keep();
      await bare.end();
    }
  }

  async #send(which: 'bare' | 'full', key: SecretKey, probes: readonly Probe[]): Promise<void> {
    const { target } = this.#context.globals;
    const rate = this.#options.rate ?? defaultRate(target, 'test');
    const title = which === 'bare' ? 'key without permissions' : 'unrestricted key';
    const progress = await startProgress(this.#context, `calibrate, ${title}: ${probes.length} probes`);
    const outcome = await sendProbes(probes, {
      key,
      target,
      apiBase: this.#target.apiBase,
      apiVersion: catalog.apiVersion,
      ...(rate === undefined ? {} : { ratePerSecond: rate }),
      signal: this.#context.signal,
      onProgress: progress.update,
      onResult: (sent) => this.#take(which, sent),
    }).finally(progress.stop);
    this.#requests += outcome.requests;
    const stopped = stoppedText(outcome);
    if (stopped === undefined) return;
    const why = which === 'bare' ? 'The key without permissions: ' : 'The unrestricted key: ';
    const hint = stopped.code === 'INTERRUPTED' ? { hint: 'Run it again to go on from here.' } : {};
    const isKeys = stopped.code === 'KEY_DEAD';
    this.#stopped = { ...stopped, message: `${isKeys ? why : ''}${stopped.message}`, ...hint };
  }

  #take(which: 'bare' | 'full', { probe, verdict, observation }: SentProbe): void {
    if (observation.failure === 'given-up' || verdict.reason === 'dead-key') return;
    const { name } = probe.operation;
    const answer = calibrationAnswer(verdict, observation);
    this.#entries.set(name, {
      ...this.#entries.get(name),
      probe: probeForm(probe),
      [which]: answer,
    });
    const now = this.#context.now().getTime();
    if (now - this.#keptAt < KEEP_EVERY_MS && verdict.unsafe !== true) return;
    this.#keptAt = now;
    this.#keeping = this.#keeping.then(() => this.#keep()).catch(() => {});
  }

  async #keep(): Promise<void> {
    await writeCalibration(this.#context.env, this.#where, this.#calibration(), this.#context.now());
  }

  /** The key that holds nothing useful: given, or made for this run and ended with it. */
  async #bareKey(): Promise<{ key: SecretKey; holds: readonly string[]; end: () => Promise<void> }> {
    const { bareKeyEnv } = this.#options;
    const { env } = this.#context;
    if (bareKeyEnv !== undefined) {
      const text = env[bareKeyEnv]?.trim() ?? '';
      if (text === '') {
        throw new KeyauditError('KEY_MISSING', `The variable ${bareKeyEnv} is not set.`, {
          hint: 'Set it to a restricted test key that holds nothing useful.',
          exitCode: EXIT.undetermined,
        });
      }
      const key = SecretKey.of(text);
      if (key.kind === 'restricted' && key.mode !== 'test') throw liveRefused();
      requireRestricted(key, `The variable ${bareKeyEnv}`, false);
      return { key, holds: [], end: async () => {} };
    }
    const api = openKeyApi('managed', this.#target, {});
    const made = await createKey(bareProfile(this.#context), api, this.#target, this.#context, {
      command: 'calibrate',
    }).catch((error: unknown) => {
      if (!(error instanceof KeyauditError) || error.code !== 'KEY_API_UNAVAILABLE') throw error;
      throw new KeyauditError(error.code, error.message, {
        hint: 'Make a restricted test key without permissions in the Dashboard, and name its variable with --bare-key-env.',
        cause: error,
      });
    });
    await made.work.update({ step: 'running' });
    const end = async () => {
      await this.#keeping;
      await made.undo();
    };
    return { key: made.key.secret, holds: [HARMLESS_PERMISSION], end };
  }

  /** The catalog's part: every row beside Stripe's own resolver. */
  async #rows(): Promise<NonNullable<CalibrateReport['resolver']>> {
    const rate = this.#options.rate ?? defaultRate(this.#context.globals.target, 'test');
    const resolver = createResolver({
      key: this.#secretKey,
      apiBase: this.#target.apiBase,
      apiVersion: catalog.apiVersion,
      ...(rate === undefined ? {} : { ratePerSecond: rate }),
      signal: this.#context.signal,
    });
    const spinner = await startSpinner(this.#context, "calibrate, the catalog beside Stripe's resolver");
    const ask = (endpoints: readonly string[]) => {
      spinner.update(`${resolver.requests} requests`);
      return resolver.ask(endpoints);
    };
    let checks: readonly RowCheck[];
    try {
      const spell = await spellingOf(ask);
      checks = await checkRows(this.#operations(), ask, spell);
    } catch (error) {
      if (this.#context.signal.aborted) {
        this.#stopped = {
          code: 'INTERRUPTED',
          message: "Interrupted while Stripe's resolver was asked; this report is partial.",
          hint: 'Run it again; what the probes showed is kept.',
        };
        return { checks: [], requests: resolver.requests };
      }
      if (!(error instanceof KeyauditError)) throw error;
      // Of no account is it known whether it has the resolver; the probes count without it.
      if (error.code !== 'RESOLVER_UNAVAILABLE' || this.#options.only === 'catalog') {
        this.#stopped = { code: error.code, message: error.message };
      }
      return { checks: [], requests: resolver.requests, unavailable: error.message };
    } finally {
      spinner.stop();
    }
    const written = await this.#writeRows(checks);
    return { checks, requests: resolver.requests, ...(written === undefined ? {} : { written }) };
  }

  async #writeRows(checks: readonly RowCheck[]): Promise<{ file: string; rows: number } | undefined> {
    const { write } = this.#options;
    if (write === undefined) return undefined;
    const rows = checks.flatMap(({ operation, catalog: known, resolver, agrees }): CalibratedRow[] => {
      if (resolver === null || resolver.length === 0) return [];
      if (agrees) return [{ operation, permissions: known }];
      // Several at once may mean "all of these", which no row can say.
      return resolver.length === 1 ? [{ operation, permissions: resolver }] : [];
    });
    const { env, cwd, now } = this.#context;
    const file = await writeCalibratedRows(env, basename(write), this.#where, rows, now());
    if (isPath(write) && resolve(cwd, write) !== file) {
      await writeResultFile(cwd, write, `${JSON.stringify({ ...this.#where, rows }, null, 1)}\n`);
    }
    return { file, rows: rows.length };
  }
}

/** Whether `--write` names a place of its own besides the user's folder. */
function isPath(write: string): boolean {
  return basename(write) !== write;
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

function liveRefused(): KeyauditError {
  return new KeyauditError('LIVE_NOT_ALLOWED', 'Calibrating takes test keys only, whatever --live says.', {
    hint: 'It sends probes whose harmlessness is only about to be shown; use an account in test mode.',
  });
}

function bareProfile(context: CommandContext) {
  const text = `name: calibrate\npermissions: { ${HARMLESS_PERMISSION}: read }\n`;
  const reading = readProfile(text, 'calibrate', catalog);
  if (!reading.ok) throw new Error('the bare profile is wrong');
  const profile = resolveProfile(reading.profile, () => undefined);
  return { profile, grant: satisfiableGrant(profile, catalog, today(context)) };
}

/** Templates as in the catalog, unless the resolver wants ids in their places. */
async function spellingOf(
  ask: (endpoints: readonly string[]) => Promise<{ readonly unresolved: readonly unknown[] }>,
): Promise<(operation: Operation) => string> {
  const concrete = (operation: Operation) =>
    `${operation.method} ${impossiblePath(operation.path, 'calibrate')}`;
  const example = catalog.operation('charges.retrieve');
  if (example === undefined) return endpointOf;
  const { unresolved } = await ask([endpointOf(example)]);
  return unresolved.length === 0 ? endpointOf : concrete;
}

/** `calibrate --print`: what is kept, as a contribution to the catalog; nothing is asked. */
async function print(context: CommandContext): Promise<ExitCode> {
  const where = calibratedTarget(context);
  const kept = await readCalibration(context.env, where);
  const calibration = currentCalibration(kept, catalog, makeProbes(NO_CALIBRATION));
  const rows = calibrationRows(calibration, catalog);
  if (rows.length === 0) {
    throw new KeyauditError('CALIBRATION_MISSING', `Nothing has been calibrated for ${where.target} yet.`, {
      hint: `Run "keyaudit calibrate --target ${context.globals.target}" first.`,
      exitCode: EXIT.undetermined,
    });
  }
  await withResultOutput(context, (output) => {
    if (context.globals.format === 'json') {
      writeJson({ schema: 'keyaudit.calibration/1', ...where, catalog: catalog.source, rows }, output.write);
    } else renderContribution({ ...where, catalog: catalog.source, rows }, output);
  });
  return EXIT.ok;
}

/** `calibrate --format json`, schema `keyaudit.calibrate/1`. */
function calibrateJson(report: CalibrateReport): unknown {
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
