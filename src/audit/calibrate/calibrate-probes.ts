import type { CalibrateReport } from '../../core/calibrate/calibrate-report.ts';
import {
  type Calibration,
  type CalibrationEntry,
  calibrationAnswer,
  currentCalibration,
  isUnfinished,
  NO_CALIBRATION,
  probeForm,
} from '../../core/calibrate/calibration.ts';
import { isBeyondSdk } from '../../core/catalog/beyond-sdk.ts';
import type { Operation, OperationName } from '../../core/catalog/catalog.ts';
import type { Probe } from '../../core/probe/probe.ts';
import type { SecretKey } from '../../core/secret-key.ts';
import { calibratedTarget } from '../../session/calibrated-target.ts';
import { probeMaker } from '../../session/probe-maker.ts';
import { startProgress } from '../../session/progress.ts';
import type { OpenSession } from '../../session/session.ts';
import {
  forgetConfirmedRows,
  readCalibration,
  writeCalibration,
} from '../../store/calibration/calibration-file.ts';
import { forgetNamedRefusals } from '../../store/calibration/named-refusals-file.ts';
import { defaultRate, type SentProbe, sendProbes } from '../../stripe/send-probes.ts';
import { keepRefusals } from '../note-refusals.ts';
import { stoppedText } from '../stopped-text.ts';

/** The two keys that are asked: one that holds nothing useful, and one that may do everything. */
export interface CalibrationKeys {
  readonly bare: () => Promise<{
    readonly key: SecretKey;
    readonly holds: readonly string[];
    end(): Promise<void>;
  }>;
  /** Undefined: the bare key alone is asked. */
  readonly full: SecretKey | undefined;
}

export interface CalibrateProbesOptions {
  /** Forgets what earlier runs found. */
  readonly restart?: boolean;
  /** Probes a second. */
  readonly rate?: number;
}

/** How often results are written down while a run goes on, in ms. */
const KEEP_EVERY_MS = 1_000;

/** At Stripe the OAuth calls answer in a form of their own, which no calibration can use. */
export function operationsToCalibrate({ target, shippedCatalog }: OpenSession): readonly Operation[] {
  return target.name === 'stripe'
    ? shippedCatalog.operations.filter(({ host }) => host !== 'connect')
    : shippedCatalog.operations;
}

/** Sends every probe with both keys, and keeps what they show as it comes; an interrupted run is gone on with. */
export class ProbeCalibration {
  readonly #session: OpenSession;
  readonly #where: ReturnType<typeof calibratedTarget>;
  readonly #options: CalibrateProbesOptions;
  /** Plain ones: what was found before must not decide what is found now. */
  readonly #probeFor: (operation: Operation) => Probe;
  #bareHolds: readonly string[] = [];
  #entries = new Map<OperationName, CalibrationEntry>();
  #refusals: SentProbe[] = [];
  #keptAt = 0;
  #keeping: Promise<unknown> = Promise.resolve();
  /** Of this run, retries included. */
  requests = 0;
  stopped: CalibrateReport['stopped'];

  constructor(options: CalibrateProbesOptions, session: OpenSession) {
    this.#options = options;
    this.#session = session;
    this.#where = calibratedTarget(session.globals);
    this.#probeFor = probeMaker(session.shippedCatalog, NO_CALIBRATION);
  }

  get calibration(): Calibration {
    return { bareHolds: this.#bareHolds, entries: this.#entries };
  }

  /** Takes what earlier runs found. @throws KeyauditError `CALIBRATION_BROKEN` */
  async read(): Promise<void> {
    const { env, shippedCatalog } = this.#session;
    if (this.#options.restart === true) {
      await forgetNamedRefusals(env, this.#where);
      await forgetConfirmedRows(env, this.#where);
      return;
    }
    const kept = currentCalibration(await readCalibration(env, this.#where), shippedCatalog, this.#probeFor);
    this.#bareHolds = kept.bareHolds;
    this.#entries = new Map(kept.entries);
  }

  async run({ bare: openBare, full }: CalibrationKeys): Promise<void> {
    const isOpen = (operation: Operation) =>
      full === undefined
        ? this.#isUnanswered(operation, 'bare')
        : isUnfinished(operation, this.calibration, this.#session.shippedCatalog);
    const open = operationsToCalibrate(this.#session).filter(isOpen);
    if (open.length === 0) return;
    const bare = await openBare();
    try {
      this.#bareHolds = bare.holds;
      const unanswered = (which: 'bare' | 'full') =>
        open.filter((operation) => this.#isUnanswered(operation, which)).map(this.#probeFor);
      await this.#send('bare', bare.key, [
        ...unanswered('bare'),
        ...(full === undefined ? this.#beyondSdk() : []),
      ]);
      if (this.stopped === undefined && full !== undefined)
        await this.#send('full', full, unanswered('full'));
    } finally {
      await this.#keep();
      await this.#keeping;
      await bare.end();
    }
  }

  #isUnanswered({ name }: Operation, which: 'bare' | 'full'): boolean {
    const answer = this.#entries.get(name)?.[which];
    return answer === undefined || answer.verdict === 'inconclusive';
  }

  /** Of these a refusal names the permission as well; what else they answer says nothing of the probe. */
  #beyondSdk(): readonly Probe[] {
    return this.#session.beyondSdk.operations
      .filter(({ access }) => access !== 'unsafe' && access !== 'expansion')
      .map(this.#probeFor);
  }

  async #send(which: 'bare' | 'full', key: SecretKey, probes: readonly Probe[]): Promise<void> {
    const { target, shippedCatalog, signal } = this.#session;
    const title = which === 'bare' ? 'key without permissions' : 'unrestricted key';
    const progress = await startProgress(this.#session, `calibrate, ${title}: ${probes.length} probes`);
    const outcome = await sendProbes(probes, {
      key,
      target: target.name,
      apiBase: target.apiBase,
      apiVersion: shippedCatalog.apiVersion,
      ratePerSecond: this.#options.rate ?? defaultRate(target.name, 'test'),
      signal,
      onProgress: progress.update,
      onResult: (sent) => this.#take(which, sent),
    }).finally(progress.stop);
    this.requests += outcome.requests;
    const stopped = stoppedText(outcome);
    if (stopped === undefined) return;
    const why = which === 'bare' ? 'The key without permissions: ' : 'The unrestricted key: ';
    const hint = stopped.code === 'INTERRUPTED' ? { hint: 'Run it again to go on from here.' } : {};
    const isKeys = stopped.code === 'KEY_DEAD';
    this.stopped = { ...stopped, message: `${isKeys ? why : ''}${stopped.message}`, ...hint };
  }

  #take(which: 'bare' | 'full', sent: SentProbe): void {
    const { probe, verdict, observation } = sent;
    if (observation.failure === 'given-up' || verdict.reason === 'dead-key') return;
    if (which === 'bare') this.#refusals.push(sent);
    if (isBeyondSdk(probe.operation)) return;
    const { name } = probe.operation;
    const answer = calibrationAnswer(verdict, observation);
    this.#entries.set(name, { ...this.#entries.get(name), probe: probeForm(probe), [which]: answer });
    const now = this.#session.now().getTime();
    if (now - this.#keptAt < KEEP_EVERY_MS && verdict.unsafe !== true) return;
    this.#keptAt = now;
    this.#keeping = this.#keeping.then(() => this.#keep()).catch(() => {});
  }

  async #keep(): Promise<void> {
    const { env, now } = this.#session;
    await keepRefusals(this.#refusals.splice(0), this.#session);
    await writeCalibration(env, this.#where, this.calibration, now());
  }
}
