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
import type { Operation, OperationName } from '../../core/catalog/catalog.ts';
import type { Probe } from '../../core/probe/probe.ts';
import type { SecretKey } from '../../core/secret-key.ts';
import { calibratedTarget } from '../../session/calibrated-target.ts';
import { probeMaker } from '../../session/probe-maker.ts';
import { startProgress } from '../../session/progress.ts';
import type { OpenSession } from '../../session/session.ts';
import { readCalibration, writeCalibration } from '../../store/calibration/calibration-file.ts';
import { defaultRate, type SentProbe, sendProbes } from '../../stripe/send-probes.ts';
import { stoppedText } from '../stopped-text.ts';

/** The two keys that are asked: one that holds nothing useful, and one that may do everything. */
export interface CalibrationKeys {
  readonly bare: () => Promise<{
    readonly key: SecretKey;
    readonly holds: readonly string[];
    end(): Promise<void>;
  }>;
  readonly full: SecretKey;
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
    if (this.#options.restart === true) return;
    const { env, shippedCatalog } = this.#session;
    const kept = currentCalibration(await readCalibration(env, this.#where), shippedCatalog, this.#probeFor);
    this.#bareHolds = kept.bareHolds;
    this.#entries = new Map(kept.entries);
  }

  async run(keys: CalibrationKeys): Promise<void> {
    const { shippedCatalog } = this.#session;
    const open = operationsToCalibrate(this.#session).filter((operation) =>
      isUnfinished(operation, this.calibration, shippedCatalog),
    );
    if (open.length === 0) return;
    const bare = await keys.bare();
    try {
      this.#bareHolds = bare.holds;
      const unanswered = (which: 'bare' | 'full') =>
        open.filter(({ name }) => {
          const answer = this.#entries.get(name)?.[which];
          return answer === undefined || answer.verdict === 'inconclusive';
        });
      await this.#send('bare', bare.key, unanswered('bare').map(this.#probeFor));
      if (this.stopped === undefined)
        await this.#send('full', keys.full, unanswered('full').map(this.#probeFor));
    } finally {
      await this.#keep();
      await this.#keeping;
      await bare.end();
    }
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

  #take(which: 'bare' | 'full', { probe, verdict, observation }: SentProbe): void {
    if (observation.failure === 'given-up' || verdict.reason === 'dead-key') return;
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
    await writeCalibration(env, this.#where, this.calibration, now());
  }
}
