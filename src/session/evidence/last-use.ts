import { Expansions } from '../../core/catalog/expansion.ts';
import { lastUseOf, type UseWitness, withoutTwins } from '../../core/draft/runs/last-use.ts';
import type { RecordedRun } from '../../core/draft/runs/recorded-run.ts';
import { KeyauditError } from '../../core/error.ts';
import type { VerifyResult } from '../../core/result/verify-report.ts';
import { GUARD_UNSEEN, GuardCalls } from '../../record/import/guard-log.ts';
import { lastLogDays } from '../../store/guard-log/guard-folder.ts';
import { readGuardLog } from '../../store/guard-log/read-guard-log.ts';
import { recordedRuns } from '../../store/run-files.ts';
import type { Session } from '../session.ts';

/** More runs than these say nothing that the last ones do not. */
const MOST_RUNS = 1_000;
/** Of the guard's log, about a quarter of a second's reading. */
const MOST_LOG_BYTES = 32 * 1024 * 1024;

/** What of a run is needed to find notes of others. */
type Place = Pick<Session, 'catalog' | 'beyondSdk' | 'cwd' | 'now' | 'stderr'>;

/** Results, each with when what its profile grants was last used, where runs of it are at hand. Nothing fails by it. */
export async function withLastUse(
  results: readonly VerifyResult[],
  session: Place,
): Promise<readonly VerifyResult[]> {
  const { catalog, beyondSdk, cwd, now, stderr } = session;
  const orNone = <T>(reading: Promise<T>, none: T): Promise<T> =>
    reading.catch((error: unknown) => {
      const isSystems = error instanceof Error && 'code' in error;
      if (!(error instanceof KeyauditError || isSystems)) throw error;
      stderr.write(`warning: when permissions were last used is not shown in full: ${error.message}\n`);
      return none;
    });
  const names = [...new Set(results.map(({ profile }) => profile))];
  const guarded = await orNone(guardedRuns(names, session), new Map<string, readonly RecordedRun[]>());
  const expansions = new Expansions(catalog, beyondSdk);
  return Promise.all(
    results.map(async (result) => {
      const all = await orNone(recordedRuns(cwd, result.profile, MOST_RUNS), []);
      const own = guarded.get(result.profile) ?? [];
      const since = own.map(({ startedAt }) => startedAt).sort()[0];
      // What was imported from that same log is in it.
      const recorded = all.filter(
        ({ seenBy, startedAt }) => since === undefined || startedAt < since || !seenBy.includes('guard'),
      );
      const witnesses: UseWitness[] = [
        ...(recorded.length > 0 ? (['recordings'] as const) : []),
        ...(own.length > 0 ? (['guard-log'] as const) : []),
      ];
      const runs = withoutTwins(recorded, own);
      const lastUse = lastUseOf(result, runs, { catalog, expansions, now: now(), witnesses });
      return lastUse === undefined ? result : { ...result, lastUse };
    }),
  );
}

/** The runs of each of these profiles, from the last days of the guard's log of this folder. */
async function guardedRuns(
  profiles: readonly string[],
  { cwd, catalog, now }: Place,
): Promise<ReadonlyMap<string, readonly RecordedRun[]>> {
  const { files, areMore } = await lastLogDays(cwd, MOST_LOG_BYTES);
  if (files.length === 0) return new Map();
  const { importedRuns } = await import('../../record/import/imported-runs.ts');
  const byProfile = new Map(profiles.map((name) => [name, new GuardCalls()]));
  const unseen = [...GUARD_UNSEEN];
  if (areMore) unseen.push("Earlier days of the guard's log were not read.");
  for (const file of files) {
    const { broken } = await readGuardLog(file, (row) => {
      // The second row of a call names no profile, and means nothing to who has not seen the first.
      if ('profile' in row) byProfile.get(String(row.profile))?.row({ ...row });
      else for (const calls of byProfile.values()) calls.row({ ...row });
    });
    if (broken !== undefined)
      unseen.push(`${broken.file} of the guard's log is read to line ${broken.line - 1} alone.`);
  }
  return new Map(
    [...byProfile].map(([name, calls]) => {
      const imported = { calls: calls.all(), unread: [], unseen };
      return [name, importedRuns(imported, { name, from: 'guard', catalog, now: now() })] as const;
    }),
  );
}
