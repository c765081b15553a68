import type { Session } from '../../session/session.ts';
import { fingerprintOf } from '../../store/notes/key-records.ts';
import { storedSecret } from '../../store/secrets/stored-secret.ts';

/** Takes the secret of a dead key out of the place that its record names. */
export async function forgetSecret(
  id: string,
  session: Pick<Session, 'records' | 'cwd' | 'env'>,
): Promise<void> {
  const record = (await session.records.all()).find((known) => known.id === id);
  if (record === undefined) return;
  const { secret, store } = await storedSecret(record, session).catch(() => ({
    secret: undefined,
    store: undefined,
  }));
  if (secret === undefined || secret === 'unreadable' || fingerprintOf(secret) !== record.fingerprint) return;
  await store?.remove?.(record.variable, secret);
}
