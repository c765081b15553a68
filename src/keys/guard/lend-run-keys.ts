import type { AskGuard } from '../../session/guard/guard-client.ts';
import { type BegunRun, beginRun } from '../../session/guard/issue-run-key.ts';
import type { ProfileGrant } from '../../session/profile-grant.ts';
import type { OpenSession } from '../../session/session.ts';
import { type LendKeyOptions, runWithKeys, sayLent } from '../lend-key.ts';
import { withRunningGuard } from './with-running-guard.ts';

/** What of a run a command may be told to be narrower. */
export interface LendRunOptions extends Omit<LendKeyOptions, 'ttlMs' | 'account'> {
  readonly ttl?: string | undefined;
  readonly cap: readonly string[];
}

/** A key of Stripe's in a text, of whatever kind that opens anything. */
const STRIPE_KEY = /(?:^|[^A-Za-z0-9])(?:sk|rk)_(?:org_)?(?:test|live)_/;

/**
 * Runs a command with a run key for each profile and the guard's address, and no Stripe key at all: through the guard
 * that runs for this folder, else through one that ends with the command.
 * @returns the exit code of the command
 */
export async function lendRunKeys(
  grants: readonly ProfileGrant[],
  options: LendRunOptions,
  session: OpenSession,
): Promise<number> {
  return withRunningGuard(grants, session, (url, ask) => lend(grants, options, { url, ask }, session));
}

async function lend(
  grants: readonly ProfileGrant[],
  { ttl, cap, ...lending }: LendRunOptions,
  { url, ask }: { readonly url: string; readonly ask: AskGuard },
  session: OpenSession,
): Promise<number> {
  const startedAt = performance.now();
  const runs: BegunRun[] = [];
  try {
    for (const { profile } of grants) {
      if (session.signal.aborted) throw session.signal.reason;
      const own = {
        profile: profile.name,
        cap,
        label: [],
        mayRepeat: [],
        ttl,
      };
      runs.push(await beginRun(own, ask));
    }
    const guarded: OpenSession = {
      ...session,
      env: withoutStripeKeys(session),
      target: { ...session.target, apiBase: url },
      globals: { ...session.globals, apiBase: url },
    };
    const exitCode = await runWithKeys(runs, lending, guarded);
    const { command } = lending;
    sayLent(
      runs.map(({ run }) => run),
      { command, exitCode, startedAt, after: 'the runs have ended' },
      session,
    );
    return exitCode;
  } finally {
    for (const { run } of runs) {
      await ask('end', { run }).catch(() => {
        session.stderr.write(`warning: the run ${run} could not be ended; its key ends by itself.\n`);
      });
    }
  }
}

/** What a guarded command sees of the environment: nothing that opens Stripe, wherever it stands. */
function withoutStripeKeys({ env, hideVariable }: OpenSession): OpenSession['env'] {
  const isKept = ([name, value]: [string, string | undefined]) => {
    if (!STRIPE_KEY.test(value ?? '')) return true;
    hideVariable(name);
    return false;
  };
  return Object.fromEntries(Object.entries(env).filter(isKept));
}
