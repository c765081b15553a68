import type { CalibrateReport } from '../../core/calibrate/calibrate-report.ts';
import {
  type Asked,
  type Confirmation,
  confirmationOf,
  confirmedRows,
  keysToAskWith,
  unsettled,
} from '../../core/calibrate/confirmation.ts';
import type { LearnedRow } from '../../core/calibrate/learned-rows.ts';
import type { OperationName, PermissionName } from '../../core/catalog/catalog.ts';
import { KeyauditError } from '../../core/error.ts';
import type { SecretKey } from '../../core/secret-key.ts';
import { calibratedTarget } from '../../session/calibrated-target.ts';
import { startProgress } from '../../session/progress.ts';
import type { OpenSession } from '../../session/session.ts';
import { keepConfirmedRows } from '../../store/calibration/calibration-file.ts';
import { defaultRate, sendProbes } from '../../stripe/send-probes.ts';
import { stoppedText } from '../stopped-text.ts';

export interface ConfirmNamesOptions {
  /** Probes a second. */
  readonly rate?: number;
}

/** Makes a test key with just one permission; the run ends it again. */
export type MakeKeyWith = (
  permission: PermissionName,
) => Promise<{ readonly key: SecretKey; end(): Promise<void> }>;

/** What keys with just one permission settled, and why the run ended early, if it did. */
export interface NamesConfirmed {
  readonly confirmations: readonly Confirmation[];
  readonly requests: number;
  readonly stopped?: CalibrateReport['stopped'];
}

/**
 * Asks the calls on which refusals and the catalog differ once more, with a key that holds just the one permission, then
 * with one that holds just the other; what lets a call through is kept as calibrated.
 */
export async function confirmNames(
  learned: readonly LearnedRow[],
  { rate }: ConfirmNamesOptions,
  makeKeyWith: MakeKeyWith,
  session: OpenSession,
): Promise<NamesConfirmed> {
  const rows = unsettled(learned);
  const keys = keysToAskWith(rows);
  const asked = new Map<OperationName, Asked[]>();
  const note = (operation: OperationName, answer: Asked) =>
    asked.set(operation, [...(asked.get(operation) ?? []), answer]);
  const progress = await startProgress(session, `calibrate, ${keys.size} keys with one permission each`);
  let requests = 0;
  let stopped: CalibrateReport['stopped'];
  try {
    for (const [permission, operations] of keys) {
      if (stopped !== undefined) break;
      const answer = await askWith(permission, operations, { rate, makeKeyWith }, session);
      requests += answer.requests;
      stopped = answer.stopped;
      for (const [operation, one] of answer.asked) note(operation, one);
    }
  } finally {
    progress.stop();
  }
  const confirmations = rows.map((row) =>
    confirmationOf(row, catalogFirst(row, asked.get(row.operation) ?? [])),
  );
  const { env, globals, now } = session;
  await keepConfirmedRows(env, calibratedTarget(globals), confirmedRows(confirmations), now());
  return { confirmations, requests, stopped };
}

interface AskedWith {
  readonly asked: readonly (readonly [OperationName, Asked])[];
  readonly requests: number;
  readonly stopped?: CalibrateReport['stopped'];
}

async function askWith(
  permission: PermissionName,
  operations: readonly OperationName[],
  { rate, makeKeyWith }: { readonly rate: number | undefined; readonly makeKeyWith: MakeKeyWith },
  session: OpenSession,
): Promise<AskedWith> {
  const { shippedCatalog, beyondSdk, probeFor, target, signal } = session;
  const made = await makeKeyWith(permission).catch((error: unknown) => {
    // Stripe takes not every name that it gives; the others can still be settled.
    if (error instanceof KeyauditError && error.code === 'KEY_API_REFUSED') return error;
    throw error;
  });
  if (made instanceof KeyauditError) {
    const answer: Asked = { permission, verdict: 'not-made', reason: made.message };
    return { asked: operations.map((name) => [name, answer] as const), requests: 0 };
  }
  const probes = operations.flatMap((name) => {
    const operation =
      shippedCatalog.operation(name) ?? beyondSdk.operations.find((beyond) => beyond.name === name);
    const probe = operation === undefined ? undefined : probeFor(operation);
    return probe === undefined || probe.unsafe === true ? [] : [probe];
  });
  try {
    const outcome = await sendProbes(probes, {
      key: made.key,
      target: target.name,
      apiBase: target.apiBase,
      apiVersion: shippedCatalog.apiVersion,
      ratePerSecond: rate ?? defaultRate(target.name, 'test'),
      signal,
    });
    return {
      asked: outcome.results.map(({ probe, verdict: { kind: verdict, reason } }) => [
        probe.operation.name,
        { permission, verdict, reason },
      ]),
      requests: outcome.requests,
      stopped: stoppedText(outcome),
    };
  } finally {
    await made.end();
  }
}

/** The catalog's own permissions first, in their order. */
function catalogFirst({ catalog: { permissions } }: LearnedRow, asked: readonly Asked[]): readonly Asked[] {
  const rank = ({ permission }: Asked) =>
    permissions.includes(permission) ? permissions.indexOf(permission) : permissions.length;
  return [...asked].sort((a, b) => rank(a) - rank(b));
}
