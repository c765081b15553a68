import { basename } from 'node:path';
import { KeyauditError } from '../core/error.ts';
import type { SecretKey } from '../core/secret-key.ts';
import { inWords, wrap } from '../report/text.ts';
import { type ChildOptions, runChild } from '../session/child/run-child.ts';
import type { ProfileGrant } from '../session/profile-grant.ts';
import type { OpenSession } from '../session/session.ts';
import { SECRET_KEY_VARIABLE, withoutSecretKey } from '../store/secrets/without-secret-key.ts';
import { createKey, type PendingKey } from './make-key.ts';
import { openKeyApi } from './open-key-api.ts';

/** A command that is lent keys. */
export interface LendKeyOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** How long each key lives at most, in ms, as a second net. */
  readonly ttlMs?: number;
  /** How long the command may take to end after it was told to, before it is killed, in ms. */
  readonly killAfterMs: number;
  readonly account?: string;
  /** How the command is run (default: as it is). */
  readonly run?: (child: ChildOptions, session: OpenSession) => Promise<number>;
}

/**
 * Makes a key for each profile, runs a command that alone sees them, and ends them when it ends, however it does.
 * The secret key that makes keys is not its business.
 * @returns the exit code of the command
 */
export async function lendKeys(
  grants: readonly ProfileGrant[],
  { command, args, ttlMs, killAfterMs, account, run }: LendKeyOptions,
  session: OpenSession,
): Promise<number> {
  refuseSharedVariables(grants.map(({ profile }) => profile));
  const { signal } = session;
  const pending: PendingKey[] = [];
  const startedAt = performance.now();
  let exitCode: number | undefined;
  try {
    const api = openKeyApi('managed', { account }, session);
    for (const grant of grants) {
      if (signal.aborted) throw signal.reason;
      const expiresAt = ttlMs === undefined ? undefined : new Date(session.now().getTime() + ttlMs);
      pending.push(await createKey(grant, { command: 'exec', expiresAt, account }, api, session));
    }
    for (const { work } of pending) await work.update({ step: 'running' });
    if (signal.aborted) throw signal.reason;
    const keys = pending.map(({ record, key }) => ({ variable: record.variable, key: key.secret }));
    exitCode = await runWithKeys(keys, { command, args, killAfterMs, run }, session);
    return exitCode;
  } finally {
    const ended = await endAll(pending, session);
    if (exitCode !== undefined && ended.length > 0) {
      sayLent(ended, { command, exitCode, startedAt, after: 'ended' }, session);
    }
  }
}

function hideSecretKey({ hideVariable, stderr }: OpenSession): void {
  if (hideVariable(SECRET_KEY_VARIABLE)) return;
  const text = `warning: this system lets the command read ${SECRET_KEY_VARIABLE} where keyaudit was started with it. Run one that is not trusted so far as another user.`;
  stderr.write(wrap(text, stderr));
}

/** How a command is run that is lent keys. */
export type RunWithKeysOptions = Pick<LendKeyOptions, 'command' | 'args' | 'killAfterMs' | 'run'>;

/** Runs a command with keys in their variables, and without the secret key. */
export function runWithKeys(
  keys: readonly { readonly variable: string; readonly key: SecretKey }[],
  { command, args, killAfterMs, run = runChild }: RunWithKeysOptions,
  session: OpenSession,
): Promise<number> {
  const { target } = session;
  const env: Record<string, string | undefined> = { ...withoutSecretKey(session.env) };
  // So that an agent finds the server, and a keyaudit that it starts takes it for what it is.
  env.KEYAUDIT_TARGET = target.name;
  if (target.name !== 'stripe' || session.globals.apiBase !== undefined) {
    env.KEYAUDIT_API_BASE = target.apiBase;
  }
  for (const { variable, key } of keys) env[variable] = key.reveal();
  hideSecretKey(session);
  return run({ command, args, env, killAfterMs }, session);
}

/** What a command did with the keys that it was lent, in one line. */
export function sayLent(
  keys: readonly string[],
  {
    command,
    exitCode,
    startedAt,
    after,
  }: {
    readonly command: string;
    readonly exitCode: number;
    /** By `performance.now()`. */
    readonly startedAt: number;
    /** What became of the keys: `ended`, or that they stay. */
    readonly after: string;
  },
  { stderr, globals }: OpenSession,
): void {
  if (globals.quiet) return;
  const time = inWords(performance.now() - startedAt);
  const text = `keyaudit: ${keys.join(', ')} lent to ${basename(command)} for ${time} (exit code ${exitCode}); ${after}.`;
  stderr.write(wrap(text, stderr));
}

/** @returns those that were ended, each with its profile */
async function endAll(pending: readonly PendingKey[], { stderr }: OpenSession): Promise<readonly string[]> {
  const ended: string[] = [];
  for (const { undo, record, work } of pending) {
    try {
      await undo();
      ended.push(`${record.id} of ${record.profile}`);
    } catch {
      const text = `warning: ${record.id} could not be ended now; the next keyaudit command ends it.`;
      stderr.write(wrap(text, stderr));
    }
    await work.leave();
  }
  return ended;
}

/** @throws KeyauditError `USAGE` where two profiles name one variable */
export function refuseSharedVariables(
  profiles: readonly { readonly name: string; readonly env: string }[],
): void {
  const byVariable = new Map<string, string>();
  for (const { name, env } of profiles) {
    const other = byVariable.get(env);
    if (other !== undefined) {
      throw new KeyauditError(
        'USAGE',
        `${other} and ${name} share the variable ${env}, so one key would hide the other.`,
        {
          hint: 'Give each profile an "env" of its own.',
        },
      );
    }
    byVariable.set(env, name);
  }
}
