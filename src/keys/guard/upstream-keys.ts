import { KeyauditError } from '../../core/error.ts';
import type { SecretKey } from '../../core/secret-key.ts';
import { describeRetirement } from '../../report/keys/retirement.ts';
import type { ProfileGrant } from '../../session/profile-grant.ts';
import type { OpenSession } from '../../session/session.ts';
import { findKey } from '../../store/find-key.ts';
import { revokeKeys } from '../end/revoke-key.ts';
import { createKey, type PendingKey } from '../make-key.ts';
import { openKeyApi } from '../open-key-api.ts';

/** The restricted key of a profile, as long as a guard holds it. */
export interface UpstreamKey extends ProfileGrant {
  readonly key: SecretKey;
  readonly mode: 'test' | 'live';
  /** Where it is from: a place, or that it was made for this guard and ends with it. */
  readonly from: string;
  /** Ends a key that was made for the guard; undefined for one that was there. */
  readonly end?: () => Promise<void>;
}

/**
 * The key that the guard adds for each profile: the one that was made for it before, else one that is made now, as
 * `exec` does, and ends with the guard.
 * @throws KeyauditError what {@link findKey} or the key API says
 */
export async function openUpstreamKeys(
  grants: readonly ProfileGrant[],
  session: OpenSession,
): Promise<readonly UpstreamKey[]> {
  const keys: UpstreamKey[] = [];
  try {
    for (const grant of grants) {
      if (session.signal.aborted) throw session.signal.reason;
      keys.push((await foundKey(grant, session)) ?? (await madeKey(grant, session)));
    }
    return keys;
  } catch (error) {
    await endUpstreamKeys(keys, session);
    throw error;
  }
}

/** Ends those that were made for the guard. One that cannot be ended now is ended by the next command. */
export async function endUpstreamKeys(keys: readonly UpstreamKey[], { stderr }: OpenSession): Promise<void> {
  for (const { end, profile } of keys) {
    await end?.().catch(() => {
      stderr.write(`warning: the key of ${profile.name} could not be ended now; the next command ends it.\n`);
    });
  }
}

/** Longest watch for a key's death, in ms. */
const WATCH_MS = 600_000;

/** Narrows and expires the keys of profiles, and watches until they are dead. @returns a sentence for each */
export async function revokeUpstreamKeys(
  keys: readonly UpstreamKey[],
  session: OpenSession,
): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const { profile, end } of keys) {
    try {
      if (end === undefined) {
        for (const { retirement } of await revokeKeys(
          profile.name,
          { wait: true, timeoutMs: WATCH_MS },
          session,
        ))
          lines.push(`${profile.name}: ${retirement.id} ${describeRetirement(retirement)}`);
      } else {
        await end();
        lines.push(`${profile.name}: the key that was made for this guard is expired`);
      }
    } catch (error) {
      // The kill holds whatever becomes of the key; whoever asked must know that it may still work elsewhere.
      lines.push(`${profile.name}: its key could not be ended: ${(error as Error).message}`);
    }
  }
  return lines;
}

async function foundKey(grant: ProfileGrant, session: OpenSession): Promise<UpstreamKey | undefined> {
  const { profile } = grant;
  const { env, cwd, globals, records, target } = session;
  try {
    const found = await findKey({
      profile: profile.name,
      variable: profile.env,
      env,
      cwd,
      live: globals.live,
      records,
      here: target.name,
    });
    return { ...grant, key: found.key, mode: found.key.mode ?? 'live', from: found.place };
  } catch (error) {
    if (error instanceof KeyauditError && error.code === 'KEY_MISSING' && mayMake(session)) return undefined;
    throw error;
  }
}

/** Whether there is a secret key to make one with: the sandbox has its own. */
function mayMake({ target, env }: OpenSession): boolean {
  return target.name !== 'stripe' || (env.STRIPE_SECRET_KEY ?? '').trim() !== '';
}

async function madeKey(grant: ProfileGrant, session: OpenSession): Promise<UpstreamKey> {
  const api = openKeyApi('managed', {}, session);
  const pending: PendingKey = await createKey(grant, { command: 'guard' }, api, session);
  await pending.work.update({ step: 'running' });
  const { secret, mode } = pending.key;
  return { ...grant, key: secret, mode, from: 'made for this guard', end: pending.undo };
}
