import { dashboardKeysUrl } from '../../core/grant/dashboard-link.ts';
import type { SecretKey } from '../../core/secret-key.ts';
import type { Retirement } from '../../report/keys/retirement.ts';
import { wrap } from '../../report/text.ts';
import { startSpinner } from '../../session/progress.ts';
import type { OpenSession } from '../../session/session.ts';
import type { KeyRecord } from '../../store/notes/key-records.ts';
import { markRetired, watchDeath } from '../end/retire-key.ts';

export interface RetireByHandOptions {
  /** Without it no probe can tell when the key is dead. */
  readonly secret: SecretKey | undefined;
  /** Whether to watch until it is dead. */
  readonly wait: boolean;
  /** Longest watch, in ms. */
  readonly timeoutMs: number;
}

/** The end of a key that no program can end: says where a person deletes it, and watches until it is dead. */
export async function retireByHand(
  record: KeyRecord,
  { secret, wait, timeoutMs }: RetireByHandOptions,
  session: OpenSession,
): Promise<Retirement> {
  const { id, name, mode } = record;
  const byHand = { name, url: dashboardKeysUrl(mode) };
  const base = { id, alreadyGone: false, byHand };
  if (record.status === 'revoked') return { ...base, alreadyGone: true };
  const { stderr } = session;
  const watching = wait && secret !== undefined;
  const made = `"${name}", made ${record.createdAt.slice(0, 10)}`;
  const then = watching ? ' It is watched until it is dead; Ctrl-C ends the watch.' : '';
  stderr.write(
    wrap(`Delete the key ${made}, in the Dashboard: ${byHand.url}${then}`, stderr, { indent: '  ' }),
  );
  if (!wait) return { ...base, unwatched: 'not-asked' };
  if (secret === undefined) return { ...base, unwatched: 'no-secret' };
  const spinner = await startSpinner(session, `Waiting for the end of ${id}`);
  const seen = await watchDeath(
    { permissions: record.permissions, secret, timeoutMs, onProgress: spinner.update },
    session,
  ).finally(spinner.stop);
  if (seen.deadMs !== undefined) await markRetired(id, 'revoked', session);
  return { ...base, ...seen };
}
