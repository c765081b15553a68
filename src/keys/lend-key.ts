import { KeyauditError } from '../core/error.ts';
import { wrap } from '../report/text.ts';
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
  { command, args, ttlMs, killAfterMs, account, run = runChild }: LendKeyOptions,
  session: OpenSession,
): Promise<number> {
  refuseSharedVariables(grants.map(({ profile }) => profile));
  const { target, signal } = session;
  const pending: PendingKey[] = [];
  try {
    const api = openKeyApi('managed', { account }, session);
    for (const grant of grants) {
      if (signal.aborted) throw signal.reason;
      const expiresAt = ttlMs === undefined ? undefined : new Date(session.now().getTime() + ttlMs);
      pending.push(await createKey(grant, { command: 'exec', expiresAt, account }, api, session));
    }
    for (const { work } of pending) await work.update({ step: 'running' });
    if (signal.aborted) throw signal.reason;
    const env: Record<string, string | undefined> = { ...withoutSecretKey(session.env) };
    // So that an agent finds the server, and a keyaudit that it starts takes it for what it is.
    env.KEYAUDIT_TARGET = target.name;
    if (target.name !== 'stripe' || session.globals.apiBase !== undefined) {
      env.KEYAUDIT_API_BASE = target.apiBase;
    }
    for (const { record, key } of pending) env[record.variable] = key.secret.reveal();
    hideSecretKey(session);
    return await run({ command, args, env, killAfterMs }, session);
  } finally {
    await endAll(pending, session);
  }
}

function hideSecretKey({ hideVariable, stderr }: OpenSession): void {
  if (hideVariable(SECRET_KEY_VARIABLE)) return;
  const text = `warning: this system lets the command read ${SECRET_KEY_VARIABLE} where keyaudit was started with it. Run one that is not trusted so far as another user.`;
  stderr.write(wrap(text, stderr));
}

async function endAll(pending: readonly PendingKey[], { stderr }: OpenSession): Promise<void> {
  for (const { undo, record, work } of pending) {
    await undo().catch(() => {
      const text = `warning: ${record.id} could not be ended now; the next keyaudit command ends it.`;
      stderr.write(wrap(text, stderr));
    });
    await work.leave();
  }
}

function refuseSharedVariables(profiles: readonly { readonly name: string; readonly env: string }[]): void {
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
