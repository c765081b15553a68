import type { RecordWay } from '../core/draft/runs/record-way.ts';
import { parseDuration } from '../core/duration.ts';
import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import type { Grant } from '../core/grant/grant.ts';
import { requireProfileName } from '../core/profile/profile-name.ts';
import { recordedRunsJson, recordedRunsTable, recordedSummary } from '../report/record/record.ts';
import { recordChild } from '../session/child/record-child.ts';
import type { CommandContext } from '../session/context.ts';
import { resolveGrants } from '../session/profile-grant.ts';
import { printResult } from '../session/result-output.ts';
import { openSession, type Session } from '../session/session.ts';
import { requireRuns } from '../store/run-files.ts';

export interface RecordOptions {
  /** After `--`. */
  readonly command: readonly string[];
  /** Runs of one name are folded together. */
  readonly name: string;
  readonly via: RecordWay;
  /** Variables in which the command looks for Stripe's address. */
  readonly baseEnv: readonly string[];
  /** How long a command that was told to end may take before it is killed. */
  readonly killAfter: string;
}

/**
 * `keyaudit record -- COMMAND…`: runs a command as it is, and notes each call to Stripe that it makes.
 * @returns the exit code of the command
 */
export async function record(options: RecordOptions, context: CommandContext): Promise<number> {
  const [command, ...args] = options.command;
  if (command === undefined) {
    throw new KeyauditError('USAGE', 'No command to record.', {
      hint: 'Write it after "--": keyaudit record -- node agent.js',
    });
  }
  const { name, via, baseEnv, killAfter } = options;
  requireProfileName(name);
  const session = await openSession(context);
  const child = { command, args, env: context.env, killAfterMs: parseDuration(killAfter) };
  const grant = await grantOf(name, session);
  const { exitCode, run, file } = await recordChild(
    child,
    { name, via, baseVariables: baseEnv, grant },
    session,
  );
  if (!context.globals.quiet) recordedSummary(run, file, context.stderr);
  return exitCode;
}

/** What the profile of that name grants today, if there is one and it is right. */
async function grantOf(name: string, session: Session): Promise<Grant | undefined> {
  try {
    const [found] = await resolveGrants({ profiles: [name] }, session);
    return found?.grant;
  } catch (error) {
    if (error instanceof KeyauditError) return undefined;
    throw error;
  }
}

/** `keyaudit record show [NAME]`: the recorded runs, and what each called. */
export async function showRecorded(
  { name }: { readonly name: string },
  context: CommandContext,
): Promise<ExitCode> {
  const runs = await requireRuns(context.cwd, name);
  await printResult(context, {
    json: recordedRunsJson(name, runs),
    table: (output) => recordedRunsTable(runs, output),
  });
  return EXIT.ok;
}
