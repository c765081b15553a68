import { Expansions } from '../core/catalog/expansion.ts';
import { permissionsAt } from '../core/catalog/levels.ts';
import { smallerLines } from '../core/draft/runs/smaller-profile.ts';
import { permissionUse, runsWithin, type UseContext } from '../core/draft/runs/unused-permissions.ts';
import { parseDuration } from '../core/duration.ts';
import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import type { PermissionEntry } from '../core/profile/profile.ts';
import {
  type UnusedReport,
  type UnusedSide,
  unusedJson,
  unusedTable,
} from '../report/record/record-unused.ts';
import type { CommandContext } from '../session/context.ts';
import { resolveGrants } from '../session/profile-grant.ts';
import { printResult } from '../session/result-output.ts';
import { openSession } from '../session/session.ts';
import { requireRuns } from '../store/run-files.ts';

export interface RecordUnusedOptions {
  readonly profile: string;
  /** Which recording; by default that of the profile's name. */
  readonly name?: string;
  /** How far back runs count. */
  readonly within?: string;
  /** Only so many runs, the last ones. */
  readonly runs?: number;
  /** The gate: exit 1 for what was granted all the time and not used for so long. */
  readonly failOnUnused?: string;
  /** Today's grant is taken for runs of which it is not known. */
  readonly unchanged?: boolean;
}

/**
 * `keyaudit record unused PROFILE`: what is granted and was never used, and the smaller profile. With the gate, exit 1
 * where something is unused, 3 where it cannot be told.
 */
export async function recordUnused(options: RecordUnusedOptions, context: CommandContext): Promise<ExitCode> {
  const { failOnUnused, within = failOnUnused } = options;
  const session = await openSession(context);
  const { catalog, beyondSdk } = session;
  const [found] = await resolveGrants({ profiles: [options.profile] }, session);
  if (found === undefined) throw new RangeError('a named profile is one');
  const { profile, grant } = found;
  const all = await requireRuns(context.cwd, options.name ?? profile.name);
  const use: Omit<UseContext, 'connect'> = {
    catalog,
    expansions: new Expansions(catalog, beyondSdk),
    now: session.now(),
    windowMs: within === undefined ? undefined : parseDuration(within),
    lastRuns: options.runs,
    isUnchanged: options.unchanged === true,
  };
  const runs = runsWithin(all, use);
  const side = (connect: boolean): UnusedSide => {
    const entries = connect ? profile.connectPermissions : profile.permissions;
    const granted = connect ? grant.connectPermissions : grant.permissions;
    const judged = permissionUse(granted, all, { ...use, connect });
    // A line can ask for what another one's permission implies, which the grant does not spell out.
    const byLine = permissionUse(entries.flatMap(permissionsOf), all, { ...use, connect });
    return { permissions: judged, smaller: smallerLines(entries, byLine, catalog) };
  };
  const permissionsOf = ({ name, level, raw }: PermissionEntry) =>
    level === 'none' ? [] : raw ? [name] : permissionsAt(name, level, catalog);
  const report: UnusedReport = {
    profile: profile.name,
    runs: runs.length,
    from: runs[0]?.startedAt,
    within,
    own: side(false),
    connect: side(true),
    unseen: [...new Set(runs.flatMap(({ unseen }) => unseen))],
  };
  await printResult(session, {
    json: unusedJson(report),
    table: (output) => unusedTable(report, output),
  });
  return failOnUnused === undefined ? EXIT.ok : gate(report, failOnUnused);
}

/** @throws KeyauditError `RECORDING_EMPTY` */
function gate({ own, connect, runs, profile }: UnusedReport, within: string): ExitCode {
  const states = [...own.permissions, ...connect.permissions].map(({ state }) => state);
  if (states.includes('unused')) return EXIT.findings;
  if (runs > 0 && !states.includes('unknown')) return EXIT.ok;
  throw new KeyauditError(
    'RECORDING_EMPTY',
    runs === 0
      ? `No run of ${profile} was recorded within ${within}.`
      : `What ${profile} granted in some of these runs is not known, so nothing that they did not use can be called unused.`,
    {
      hint:
        runs === 0
          ? 'Record runs, or look further back.'
          : 'Record with "exec --record", or say --unchanged if the profile was then as it is today.',
      exitCode: EXIT.undetermined,
    },
  );
}
