import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import type { Reconciled } from '../core/spend/guard-status.ts';
import { openGuard, reconcileWith } from '../keys/guard/open-guard.ts';
import { reconciledJson, reconciledTable } from '../report/guard/reconciled.ts';
import type { CommandContext } from '../session/context.ts';
import { askGuard } from '../session/guard/guard-client.ts';
import { grantsFor } from '../session/profile-grant.ts';
import { printResult } from '../session/result-output.ts';
import { openSession, withTarget } from '../session/session.ts';
import { guardLogFolder } from '../store/guard-log/guard-folder.ts';
import { GuardLog } from '../store/guard-log/guard-log.ts';

export interface ReconcileOptions {
  /** Of this run alone. */
  readonly run?: string;
}

/**
 * `keyaudit guard reconcile [RUN]`: asks Stripe what became of what is held or on its way, by the guard that runs, else
 * by one that is started for it and ends with it.
 * @returns 3 where something stays held
 */
export async function reconcileRuns({ run }: ReconcileOptions, context: CommandContext): Promise<ExitCode> {
  const reconciled = await byRunningGuard(run, context).catch((error: unknown) => {
    if (error instanceof KeyauditError && error.code === 'GUARD_NOT_RUNNING') return byOwnGuard(run, context);
    throw error;
  });
  await printResult(context, {
    json: reconciledJson(reconciled),
    table: (output) => reconciledTable(reconciled, output),
  });
  return reconciled.some(({ outcome }) => outcome === 'unknown') ? EXIT.undetermined : EXIT.ok;
}

async function byRunningGuard(
  run: string | undefined,
  { cwd }: CommandContext,
): Promise<readonly Reconciled[]> {
  const { reconciled } = await askGuard(cwd, 'reconcile', { run });
  return reconciled;
}

async function byOwnGuard(run: string | undefined, context: CommandContext): Promise<readonly Reconciled[]> {
  const profiles = await profilesToAsk(run, context);
  if (profiles.length === 0) return [];
  const session = await openSession(context);
  const grants = await grantsFor({ profiles }, session);
  return withTarget(session, async (open) => {
    const opened = await openGuard(grants, { host: '127.0.0.1', port: 0, hasSocket: false }, open);
    try {
      return await reconcileWith(opened.guard, () => open.now().getTime(), run, open);
    } finally {
      await opened.close();
    }
  });
}

/** The profiles whose keys know what became of it. */
async function profilesToAsk(
  run: string | undefined,
  { cwd, now }: CommandContext,
): Promise<readonly string[]> {
  const { log, book } = await GuardLog.open({ folder: guardLogFolder(cwd), now: () => now().getTime() });
  await log.close();
  const events = [...book.open.values(), ...book.pending.values()].map(({ event }) => event);
  return [
    ...new Set(
      events.filter((event) => run === undefined || event.run === run).map(({ profile }) => profile),
    ),
  ];
}
