import { type LockProfilesOptions, lockProfiles } from '../audit/lock-profiles.ts';
import { EXIT, type ExitCode } from '../core/error.ts';
import { lockedProfile } from '../core/lock/lock.ts';
import { lockJson, renderLockTable } from '../report/lock.ts';
import type { CommandContext } from '../session/context.ts';
import { printResult, requireFormat } from '../session/result-output.ts';
import { openSession } from '../session/session.ts';

export type LockOptions = LockProfilesOptions;

/**
 * `keyaudit lock`: verifies each key and writes how far it reaches to `keyaudit.lock.yaml`; with
 * `--check` it writes nothing, and is 1 where the file would change in more than its keys.
 */
export async function lock(options: LockOptions, context: CommandContext): Promise<ExitCode> {
  requireFormat(context.globals.format, ['table', 'json']);
  const session = await openSession(context);
  const { previous, ...locked } = await lockProfiles(options, session);
  const report = {
    ...locked,
    written: options.check !== true,
    next: session.globals.place,
    before: (profile: string) => {
      const known = lockedProfile(previous?.lock, profile);
      if (previous === undefined || known === undefined) return undefined;
      return {
        locked: known,
        locate: (path: readonly PropertyKey[]) => previous.keyAt(['profiles', profile, ...path]),
      };
    },
  };
  await printResult(session, {
    json: lockJson(report),
    table: (output) => renderLockTable(report, session.catalog, output),
  });
  return options.check === true && locked.changed ? EXIT.findings : EXIT.ok;
}
