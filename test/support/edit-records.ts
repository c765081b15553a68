import { type KeyRecord, KeyRecords } from '../../src/store/notes/key-records.ts';

/** Changes the key records of a working folder as the user's own keyaudit would, whose home it is too. */
export async function editRecords(cwd: string, change: (record: KeyRecord) => KeyRecord): Promise<void> {
  await new KeyRecords(cwd, { HOME: cwd }).update((records) => records.map(change));
}
