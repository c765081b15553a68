import { parseDuration } from '../core/duration.ts';
import { KeyauditError } from '../core/error.ts';
import { cleanUp } from '../keys/end/clean-up.ts';
import { lendRunKeys } from '../keys/guard/lend-run-keys.ts';
import { type LendKeyOptions, lendKeys } from '../keys/lend-key.ts';
import { lendStored } from '../keys/lend-stored.ts';
import { recordedSummary } from '../report/record/record.ts';
import { recordChild } from '../session/child/record-child.ts';
import type { CommandContext } from '../session/context.ts';
import { grantsFor, type ProfileGrant } from '../session/profile-grant.ts';
import { openSession, withTarget } from '../session/session.ts';

export interface ExecOptions {
  /** The profiles, and after `--` the command. */
  readonly profiles: readonly string[];
  readonly command: readonly string[];
  /** Sets `expires_at` as a second net. */
  readonly ttl?: string;
  /** How long a command that was told to end may take before it is killed. */
  readonly killAfter: string;
  readonly account?: string;
  /** Notes each call to Stripe that the command makes, under the names of the profiles. */
  readonly record?: boolean;
  /** Lends a run key and the guard's address instead: no Stripe key reaches the command. */
  readonly guard?: boolean;
  /** With `guard`: the most that the run may move. */
  readonly cap?: readonly string[];
  /** Lends the key that is stored instead of making one. */
  readonly stored?: boolean;
}

/**
 * `keyaudit exec PROFILE… -- COMMAND…`: one key for one run. The child alone sees it; it ends with the
 * command, however that ends, and by the next keyaudit command if this machine dies. With `--stored` it is the key that
 * is stored, which stays; with `--guard` a run key, and the guard stands before Stripe.
 * @returns the exit code of the command
 */
export async function exec(options: ExecOptions, context: CommandContext): Promise<number> {
  const [command, ...args] = options.command;
  if (command === undefined) {
    throw new KeyauditError('USAGE', 'No command to run.', {
      hint: 'Write it after "--": keyaudit exec refund-agent -- node agent.js',
    });
  }
  const session = await openSession(context);
  const grants = await grantsFor(options, session);
  const lending = {
    command,
    args,
    ttlMs: options.ttl === undefined ? undefined : parseDuration(options.ttl),
    killAfterMs: parseDuration(options.killAfter),
    account: options.account,
    ...(options.record === true ? { run: recorded(grants) } : {}),
  };
  if (options.stored === true && (options.ttl !== undefined || options.account !== undefined)) {
    throw new KeyauditError('USAGE', '--ttl and --account are for a key that is made; --stored makes none.', {
      hint: 'Leave them out, or leave --stored out.',
    });
  }
  if (options.guard === true) requireGuardable(options);
  return withTarget(session, async (open) => {
    await cleanUp(open, options);
    if (options.guard === true) {
      const { ttlMs: _ttlMs, account: _account, ...run } = lending;
      return lendRunKeys(grants, { ...run, ttl: options.ttl, cap: options.cap ?? [] }, open);
    }
    return options.stored === true ? lendStored(grants, lending, open) : lendKeys(grants, lending, open);
  });
}

/** @throws KeyauditError `USAGE` */
function requireGuardable({ stored, account }: ExecOptions): void {
  if (stored !== true && account === undefined) return;
  throw new KeyauditError('USAGE', '--stored and --account are for a key that is lent; --guard lends none.', {
    hint: 'Leave them out: the guard takes the stored key, or makes one, and accounts stand in the profile.',
  });
}

/** Several profiles make one recording: whose key a call was made with is not noted. */
function recorded(grants: readonly ProfileGrant[]): LendKeyOptions['run'] {
  const name = grants.map(({ profile }) => profile.name).join('.');
  const grant = {
    permissions: [...new Set(grants.flatMap(({ grant: { permissions } }) => permissions))].sort(),
    connectPermissions: [
      ...new Set(grants.flatMap(({ grant: { connectPermissions } }) => connectPermissions)),
    ].sort(),
  };
  return async (child, session) => {
    const { exitCode, run, file } = await recordChild(
      child,
      { name, via: 'auto', baseVariables: [], grant },
      session,
    );
    if (!session.globals.quiet) recordedSummary(run, file, session.stderr);
    return exitCode;
  };
}
