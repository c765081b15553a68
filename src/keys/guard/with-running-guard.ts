import { KeyauditError } from '../../core/error.ts';
import { type AskGuard, guardOf } from '../../session/guard/guard-client.ts';
import type { ProfileGrant } from '../../session/profile-grant.ts';
import type { OpenSession } from '../../session/session.ts';
import { openGuard } from './open-guard.ts';

/**
 * Does something through the guard that runs for this folder, else through one that is started for it and ends with it.
 * That one has no socket: what is run through it, as the same user, finds nothing to command it by.
 */
export async function withRunningGuard<T>(
  grants: readonly ProfileGrant[],
  session: OpenSession,
  work: (url: string, ask: AskGuard) => Promise<T>,
): Promise<T> {
  const ask = guardOf(session.cwd);
  const running = await addressOf(ask);
  if (running !== undefined) return work(running, ask);
  const opened = await openGuard(grants, { host: '127.0.0.1', port: 0, hasSocket: false }, session);
  try {
    return await work(opened.guard.url, opened.ask);
  } finally {
    await opened.close();
  }
}

/** The address of the guard of a folder; undefined where none runs. */
async function addressOf(ask: AskGuard): Promise<string | undefined> {
  try {
    return (await ask('status', {})).url;
  } catch (error) {
    if (error instanceof KeyauditError && error.code === 'GUARD_NOT_RUNNING') return undefined;
    throw error;
  }
}
