import { byText } from '../../by-text.ts';
import type { Catalog, PermissionName } from '../../catalog/catalog.ts';
import type { Expansions } from '../../catalog/expansion.ts';
import type { RecordedRun } from './recorded-run.ts';
import { type PermissionUse, permissionUse, tellsOfUse } from './unused-permissions.ts';

/** Who saw the calls: runs that were recorded, or the guard's log. */
export const USE_WITNESSES = ['recordings', 'guard-log'] as const;
export type UseWitness = (typeof USE_WITNESSES)[number];

/** One permission of a grant, and when it was last used. */
export interface PermissionLastUse
  extends Pick<PermissionUse, 'permission' | 'state' | 'runs' | 'had' | 'enough'> {
  /** Whether it is one for calls with `Stripe-Account`. */
  readonly connect: boolean;
  /** When the last run that used it began, ISO 8601; null where none did. */
  readonly lastUsed: string | null;
}

/** When what a profile grants was last used, as far as runs are at hand. No verdict depends on it. */
export interface LastUse {
  readonly witnesses: readonly UseWitness[];
  /** How many runs were looked at. */
  readonly runs: number;
  /** When the first of them began, and the last one ended, ISO 8601. */
  readonly from: string;
  readonly to: string;
  /** What was never used first, then what was not used for longest. */
  readonly permissions: readonly PermissionLastUse[];
  /** What these runs could not see, one sentence each. */
  readonly unseen: readonly string[];
}

/** What may have been used. */
export interface GrantedOnBothSides {
  readonly permissions: readonly PermissionName[];
  readonly connectPermissions: readonly PermissionName[];
}

/** Undefined where there is no run. */
export function lastUseOf(
  { permissions, connectPermissions }: GrantedOnBothSides,
  recorded: readonly RecordedRun[],
  {
    witnesses,
    ...context
  }: { readonly catalog: Catalog; readonly expansions: Expansions; readonly now: Date } & Pick<
    LastUse,
    'witnesses'
  >,
): LastUse | undefined {
  const runs = recorded.filter(tellsOfUse);
  const times = runs.map(({ startedAt }) => startedAt).sort();
  const [from] = times;
  if (from === undefined) return undefined;
  const side = (granted: readonly PermissionName[], connect: boolean) =>
    permissionUse(granted, runs, { ...context, connect, isUnchanged: false }).map(
      ({ permission, state, runs: used, had, enough, lastUsed = null }): PermissionLastUse => ({
        permission,
        connect,
        state,
        runs: used,
        had,
        lastUsed,
        ...(enough === undefined ? {} : { enough }),
      }),
    );
  return {
    witnesses,
    runs: runs.length,
    from,
    to:
      runs
        .map(({ endedAt }) => endedAt)
        .sort()
        .at(-1) ?? from,
    permissions: [...side(permissions, false), ...side(connectPermissions, true)].sort(
      (a, b) => byText(a.lastUsed ?? '', b.lastUsed ?? '') || byText(a.permission, b.permission),
    ),
    unseen: [...new Set(runs.flatMap(({ unseen }) => unseen))],
  };
}

/**
 * Runs of both witnesses, each once: a run of the guard within a recorded one, as `exec --guard --record` makes both,
 * is taken for the same, with the calls of both.
 */
export function withoutTwins(
  recorded: readonly RecordedRun[],
  guarded: readonly RecordedRun[],
): readonly RecordedRun[] {
  const rest = new Set(guarded);
  const merged = recorded.map((run): RecordedRun => {
    for (const other of rest) {
      if (other.startedAt < run.startedAt || other.endedAt > run.endedAt) continue;
      rest.delete(other);
      return { ...run, calls: [...run.calls, ...other.calls] };
    }
    return run;
  });
  return [...merged, ...rest];
}
