import { lockProfiles } from '../audit/lock-profiles.ts';
import { KeyauditError } from '../core/error.ts';
import type { CommandContext } from '../session/context.ts';
import { grantsFor } from '../session/profile-grant.ts';
import { openSession, withTarget } from '../session/session.ts';
import { provisionKey, storeFor } from './provision-key.ts';

/** Why a new profile has no entry in the lock file yet. */
export interface NotLocked {
  readonly why: string;
  /** Its sandbox key: none, made now, or one that was there before and is not as the profile says. */
  readonly key: 'none' | 'made' | 'old';
  /** Whether the profile itself is in the way, and not the place. */
  readonly isWider: boolean;
}

/** Makes the key of a profile on the sandbox and locks it; the reason where that cannot be yet. */
export async function lockOnSandbox(name: string, context: CommandContext): Promise<NotLocked | undefined> {
  let hasKey = false;
  let hadKey = false;
  try {
    const session = await openSession(silentlyOnSandbox(context));
    const grants = await grantsFor({ profiles: [name] }, session);
    await withTarget(session, async (open) => {
      for (const grant of grants) {
        await provisionKey(grant, 'managed', {}, storeFor({}, open), open).catch((error: unknown) => {
          if (!(error instanceof KeyauditError) || error.code !== 'KEY_STILL_WORKS') throw error;
          hadKey = true;
        });
      }
    });
    hasKey = true;
    await lockProfiles({ profiles: [name] }, session);
    return undefined;
  } catch (error) {
    if (!(error instanceof KeyauditError)) throw error;
    const isNotAsSaid = error.code === 'NOT_LOCKED';
    if (isNotAsSaid && hadKey)
      return { why: 'the key that it has is not as it says now.', key: 'old', isWider: false };
    const why = isNotAsSaid ? 'it can do more than it says' : error.message;
    return { why, key: hasKey ? 'made' : 'none', isWider: isNotAsSaid };
  }
}

/** Neither a key nor a server of this environment, nor of the settings, may have a part in it. */
function silentlyOnSandbox(context: CommandContext): CommandContext {
  const silent = { ...context.stdout, write: () => {} };
  const { output: _, apiBase: __, ...globals } = context.globals;
  return {
    ...context,
    env: { HOME: context.env.HOME, XDG_CONFIG_HOME: context.env.XDG_CONFIG_HOME },
    project: { ...context.project, serverRefused: undefined },
    stdout: silent,
    stderr: silent,
    globals: {
      ...globals,
      target: 'sandbox',
      isPrivate: true,
      format: 'table',
      quiet: true,
      live: false,
      place: [],
    },
  };
}
