import { Expansions } from '../core/catalog/expansion.ts';
import { type NearestProfile, nearestProfile } from '../core/draft/nearest-profile.ts';
import { type FoldedRuns, foldRuns } from '../core/draft/runs/fold-runs.ts';
import { profileOfRuns } from '../core/draft/runs/profile-of-runs.ts';
import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import { requireProfileName } from '../core/profile/profile-name.ts';
import { type RecordProfileReport, recordProfileJson, recordProfileNotes } from '../report/record/record.ts';
import { writeJson } from '../report/verify/json.ts';
import { type CommandContext, today } from '../session/context.ts';
import { resolveGrants } from '../session/profile-grant.ts';
import { requireFormat, withResultOutput } from '../session/result-output.ts';
import { openSession, type Session } from '../session/session.ts';
import { requireRuns } from '../store/run-files.ts';

export interface RecordProfileOptions {
  /** Which recording. */
  readonly name: string;
  /** What the profile is called; by default as the recording. */
  readonly as?: string;
  readonly description?: string;
  /** Counts refused calls as needed. */
  readonly withRefused?: boolean;
  readonly minRuns?: number;
  /** The most new operations that may be expected of the next run. */
  readonly maxNew?: number;
}

/**
 * `keyaudit record profile [NAME]`: the smallest profile for what the runs called; how sure it is goes to standard
 * error. Exit 1 where it is not as sure as was asked for, 3 where nothing was recorded that it could be made from.
 */
export async function recordProfile(
  options: RecordProfileOptions,
  context: CommandContext,
): Promise<ExitCode> {
  const { format, quiet } = context.globals;
  requireFormat(format, ['table', 'profile', 'json']);
  const name = options.as ?? options.name;
  requireProfileName(name);
  const session = await openSession(context);
  const { catalog, beyondSdk } = session;
  const folded = foldRuns(await requireRuns(context.cwd, options.name), catalog);
  const { withRefused = false, description } = options;
  requireSomething(folded, options.name, withRefused);
  const draft = profileOfRuns(folded, catalog, new Expansions(catalog, beyondSdk), {
    name,
    description,
    withRefused,
    today: today(session),
  });
  const { grant, connectGrant, witnesses, caps, text } = draft;
  const report: RecordProfileReport = {
    name,
    withRefused,
    folded,
    permissions: grant.permissions,
    connectPermissions: connectGrant.permissions,
    witnesses,
    nearest: await nearestOf(grant.permissions, name, session),
    unresolved: [...grant.unresolved, ...connectGrant.unresolved],
    doubts: doubtsOf(folded, options),
    caps,
    text,
  };
  await withResultOutput(
    session,
    (output) => {
      if (format === 'json') writeJson(recordProfileJson(report), output.write);
      else output.write(text);
    },
    format === 'json' ? 'report' : 'input',
  );
  if (!quiet && format !== 'json') recordProfileNotes(report, context.stderr);
  return report.doubts.length === 0 ? EXIT.ok : EXIT.findings;
}

function requireSomething(
  { used, refused, unauthorized, unknown, runs }: FoldedRuns,
  name: string,
  withRefused: boolean,
): void {
  if (used.length > 0 || (withRefused && refused.length > 0)) return;
  const what =
    refused.length > 0
      ? 'Every call was refused with 403'
      : unknown.length > 0
        ? 'No call is one that the catalog knows'
        : unauthorized > 0
          ? 'Every call was answered 401, which says nothing of permissions'
          : 'No call to Stripe was recorded';
  throw new KeyauditError(
    'RECORDING_EMPTY',
    `${what} in ${runs === 1 ? 'the one run' : `${runs} runs`}, so no profile can be made.`,
    {
      hint:
        refused.length > 0
          ? 'Record it with a key that may do its work, or take the refused calls in: --with-refused.'
          : unauthorized > 0
            ? 'Record it with a key that works.'
            : `"keyaudit record show ${name}" has what was seen, and what could not be seen.`,
      exitCode: EXIT.undetermined,
    },
  );
}

function doubtsOf({ runs, expectedNew }: FoldedRuns, { minRuns, maxNew }: RecordProfileOptions): string[] {
  return [
    ...(minRuns !== undefined && runs < minRuns
      ? [`${runs === 1 ? '1 run' : `${runs} runs`} recorded, and ${minRuns} are asked for.`]
      : []),
    ...(maxNew !== undefined && expectedNew > maxNew
      ? [`${expectedNew.toFixed(2)} new operations are expected of the next run, and ${maxNew} are taken.`]
      : []),
  ];
}

/** Among all profiles that can be named here and are right; one that is wrong is left to "profiles lint". */
async function nearestOf(
  permissions: readonly string[],
  own: string,
  session: Session,
): Promise<NearestProfile | undefined> {
  const candidates = [];
  for (const { path, stem } of await session.library.entries()) {
    const found = await resolveGrants({ profiles: [path] }, session).catch((error: unknown) => {
      if (error instanceof KeyauditError) return [];
      throw error;
    });
    for (const { profile, grant } of found) {
      if (profile.name !== own && stem !== own) {
        candidates.push({ name: profile.name, permissions: grant.permissions });
      }
    }
  }
  return nearestProfile(permissions, candidates, session.catalog);
}
