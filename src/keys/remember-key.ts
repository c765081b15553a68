import type { OpenSession } from '../session/session.ts';
import { type KeyRecord, mayStillWork } from '../store/notes/key-records.ts';
import { isSamePlace } from './whereabouts.ts';

/** Writes a key's record; returns the older ones of the same profile, target and mode that still work. */
export async function rememberKey(
  record: KeyRecord,
  { records: book }: Pick<OpenSession, 'records'>,
): Promise<readonly KeyRecord[]> {
  let superseded: readonly KeyRecord[] = [];
  await book.update((records) => {
    const others = records.filter((old) => old.id !== record.id);
    const isOlder = (old: KeyRecord) => isSameProfile(old, record) && mayStillWork(old);
    superseded = others.filter(isOlder);
    return [
      ...others.map((old) =>
        isSameProfile(old, record) && old.status === 'active'
          ? { ...old, status: 'superseded' as const }
          : old,
      ),
      record,
    ];
  });
  return superseded;
}

/** Writes that a key is being ended. @param at when Stripe was told to; undefined while it goes on working for a time */
export async function markRetiring(
  id: string,
  { records }: Pick<OpenSession, 'records'>,
  at?: Date,
): Promise<void> {
  await records.update((all) =>
    all.map((record) =>
      record.id === id ? { ...record, status: 'retiring', retiredAt: at?.toISOString() } : record,
    ),
  );
}

/** Whether both are keys of one profile at one place. */
export function isSameProfile(one: KeyRecord, other: KeyRecord): boolean {
  return one.profile === other.profile && isSamePlace(one, other);
}
