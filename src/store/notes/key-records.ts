import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { KEY_APIS } from '../../core/key-api.ts';
import type { SecretKey } from '../../core/secret-key.ts';
import { TARGETS } from '../../core/target.ts';
import { JsonFile } from '../json-file.ts';
import { openWorkspace, WORKSPACE } from '../workspace.ts';
import { type Notes, SealedNotes } from './sealed-notes.ts';

export const keyRecordSchema = z.strictObject({
  /** `mk_…`; `dashboard:` and the fingerprint for a key that was made by hand. */
  id: z.string(),
  name: z.string(),
  profile: z.string(),
  profileDigest: z.string(),
  permissions: z.array(z.string()),
  connectPermissions: z.array(z.string()),
  mode: z.enum(['test', 'live']),
  keyApi: z.enum(KEY_APIS),
  target: z.enum(TARGETS),
  /** Of a server other than the target's own. */
  apiBase: z.string().optional(),
  /** The account of the secret key that made it, asked once; absent where it was not said. */
  ownAccount: z.string().optional(),
  /** The connected account that a platform made it for. */
  account: z.string().optional(),
  fingerprint: z.string(),
  variable: z.string(),
  /** Where the secret was put, such as `.keyaudit/keys.env`. */
  place: z.string(),
  /** `superseded`: a newer key took its place, and this one still works. `retiring`: it is being ended. */
  status: z.enum(['active', 'superseded', 'retiring', 'revoked']),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().optional(),
  verifiedAt: z.iso.datetime().optional(),
  retiredAt: z.iso.datetime().optional(),
  /** When a probe showed that it can do nothing any more, alive though it may be. */
  powerlessAt: z.iso.datetime().optional(),
});

const fileSchema = z.strictObject({
  version: z.literal(1),
  keys: z.array(keyRecordSchema.extend({ seal: z.string().optional() })),
});

/** What is remembered of a key that was made here; never its secret. */
export type KeyRecord = z.infer<typeof keyRecordSchema>;

/** Whether nobody has seen yet that a key can do nothing any more. */
export function mayStillWork({ status, powerlessAt }: KeyRecord): boolean {
  return status !== 'revoked' && powerlessAt === undefined;
}

/** `sha256:` and 24 hex digits of the secret's digest: enough to tell keys apart, of no use to a thief. */
export function fingerprintOf(secret: SecretKey): string {
  return `sha256:${createHash('sha256').update(secret.reveal()).digest('hex').slice(0, 24)}`;
}

/** The key records of a working folder, read once, and again after each change. */
export class KeyRecords {
  readonly #notes: SealedNotes<z.infer<typeof fileSchema>, KeyRecord>;
  #known: Promise<Notes<KeyRecord>> | undefined;

  /** @param env names the user's folder, whose key seals the records */
  constructor(cwd: string, env: Readonly<Record<string, string | undefined>>) {
    const file = new JsonFile({
      file: join(cwd, WORKSPACE, 'keys.json'),
      schema: fileSchema,
      empty: { version: 1 as const, keys: [] },
      prepare: () => openWorkspace(cwd),
      broken: {
        code: 'KEY_RECORDS_BROKEN',
        hint: 'Restore it, or move it away: keys stay valid, only what is remembered of them is lost.',
      },
    });
    this.#notes = new SealedNotes(file, {
      kind: 'key-record',
      env,
      notesOf: ({ keys }) => keys,
      contentOf: (keys) => ({ version: 1 as const, keys: [...keys] }),
    });
  }

  /** Those that this user's keyaudit wrote, oldest first. @throws KeyauditError `KEY_RECORDS_BROKEN`, `STORE_UNREADABLE` */
  async all(): Promise<readonly KeyRecord[]> {
    return (await this.#read()).own;
  }

  /** Those that it did not write: another user's or machine's, or planted. To be shown, never to be acted on. */
  async foreign(): Promise<readonly KeyRecord[]> {
    return (await this.#read()).foreign;
  }

  /** Reads them anew when they are asked for next, since another process may have changed them. */
  forget(): void {
    this.#known = undefined;
  }

  /** Changes one's own under a lock, so that two processes lose nothing of each other's. */
  async update(change: (records: readonly KeyRecord[]) => readonly KeyRecord[]): Promise<void> {
    await this.#changing(() => this.#notes.update(change));
  }

  /** Takes the foreign ones for one's own. */
  async adopt(): Promise<readonly KeyRecord[]> {
    return this.#changing(() => this.#notes.adopt((record) => record));
  }

  #read(): Promise<Notes<KeyRecord>> {
    this.#known ??= this.#notes.read();
    return this.#known;
  }

  async #changing<T>(work: () => Promise<T>): Promise<T> {
    this.#known = undefined;
    try {
      return await work();
    } finally {
      this.#known = undefined;
    }
  }
}
