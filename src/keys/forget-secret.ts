import type { Session } from '../session/session.ts';
import { fingerprintOf } from '../store/key-records.ts';
import { openPlace } from '../store/secrets/secret-store.ts';

/** Takes the secret of a dead key out of the place that its record names. */
export async function forgetSecret(
  id: string,
  { records, cwd }: Pick<Session, 'records' | 'cwd'>,
): Promise<void> {
  const record = (await records.all()).find((known) => known.id === id);
  if (record === undefined || record.place === '') return;
  const store = openPlace(record.place, { cwd, reveal: undefined, log: () => {} });
  const stored = await store?.get?.(record.variable).catch(() => undefined);
  if (stored !== undefined && fingerprintOf(stored) === record.fingerprint) {
    await store?.remove?.(record.variable, stored);
  }
}
