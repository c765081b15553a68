import { versionOf } from '../core/calibrate/learned-rows.ts';
import { isBeyondSdk } from '../core/catalog/beyond-sdk.ts';
import { KeyauditError } from '../core/error.ts';
import { calibratedTarget } from '../session/calibrated-target.ts';
import { today } from '../session/context.ts';
import type { OpenSession } from '../session/session.ts';
import { keepNamedRefusals } from '../store/calibration/named-refusals-file.ts';
import type { SentProbe } from '../stripe/send-probes.ts';

/** Keeps what refusals named, where somebody else than keyaudit's own catalog answered; a note on which no verdict depends. */
export async function noteRefusals(answers: readonly SentProbe[], session: OpenSession): Promise<void> {
  const { target, globals } = session;
  const isElsewhere =
    target.name === 'stripe' || (target.name === 'sandbox' && globals.apiBase !== undefined);
  if (isElsewhere) await keepRefusals(answers, session);
}

/** The same of any server: calibrating asks for it. */
export async function keepRefusals(answers: readonly SentProbe[], session: OpenSession): Promise<void> {
  const { shippedCatalog, globals, env, stderr } = session;
  const named = answers
    .filter(({ probe, verdict }) => verdict.kind === 'forbidden' && probe.account === undefined)
    // What is refused there may be the call beside which the field stands.
    .filter(({ probe: { operation } }) => !isBeyondSdk(operation) || operation.access !== 'expansion')
    .flatMap(({ probe: { operation }, verdict }) => {
      const apiVersion = versionOf(operation, shippedCatalog.apiVersion);
      return verdict.named.map((name) => ({ operation: operation.name, name, apiVersion }));
    });
  await keepNamedRefusals(env, calibratedTarget(globals), named, today(session)).catch((error: unknown) => {
    if (!(error instanceof KeyauditError)) throw error;
    stderr.write(`warning: what refusals named could not be kept: ${error.message}\n`);
  });
}
