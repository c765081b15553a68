import { KeyauditError } from '../../core/error.ts';
import { askGuard } from '../../session/guard/guard-client.ts';
import type { ProfileGrant } from '../../session/profile-grant.ts';
import type { OpenSession } from '../../session/session.ts';
import { openGuard } from './open-guard.ts';

/** Does something through the guard that runs for this folder, else through one that is started for it and ends with it. */
export async function withRunningGuard<T>(
  grants: readonly ProfileGrant[],
  session: OpenSession,
  work: (url: string) => Promise<T>,
): Promise<T> {
  const running = await runningGuard(session.cwd);
  if (running !== undefined) return work(running);
  const opened = await openGuard(grants, { host: '127.0.0.1', port: 0 }, session);
  try {
    return await work(opened.guard.url);
  } finally {
    await opened.close();
  }
}

/** The address of the guard of a folder; undefined where none runs. */
async function runningGuard(cwd: string): Promise<string | undefined> {
  try {
    return (await askGuard(cwd, 'status', {})).url;
  } catch (error) {
    if (error instanceof KeyauditError && error.code === 'GUARD_NOT_RUNNING') return undefined;
    throw error;
  }
}
