import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { KeyauditError } from '../core/error.ts';
import { KEY_APIS } from '../core/key-api.ts';
import type { SecretKey } from '../core/secret-key.ts';
import { TARGETS } from '../core/target.ts';
import { openWorkspace, WORKSPACE, withFileLock, writePrivateFile } from './workspace.ts';

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
});

const fileSchema = z.strictObject({ version: z.literal(1), keys: z.array(keyRecordSchema) });

/** What is remembered of a key that was made here; never its secret. */
export type KeyRecord = z.infer<typeof keyRecordSchema>;

/** `sha256:` and 24 hex digits of the secret's digest: enough to tell keys apart, of no use to a thief. */
export function fingerprintOf(secret: SecretKey): string {
  return `sha256:${createHash('sha256').update(secret.reveal()).digest('hex').slice(0, 24)}`;
}

/** All records, oldest first. @throws KeyauditError `KEY_RECORDS_BROKEN` */
async function readKeyRecords(cwd: string): Promise<readonly KeyRecord[]> {
  const file = recordsFile(cwd);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw new KeyauditError('STORE_UNREADABLE', `${file} cannot be read (${error.code}).`, { cause: error });
  });
  if (text === undefined) return [];
  try {
    return fileSchema.parse(JSON.parse(text)).keys;
  } catch (cause) {
    throw new KeyauditError('KEY_RECORDS_BROKEN', `${file} is broken or of another version of keyaudit.`, {
      hint: 'Restore it, or move it away: keys stay valid, only what is remembered of them is lost.',
      cause,
    });
  }
}

/** Changes the records under a lock, so that two processes lose nothing of each other's. */
async function updateKeyRecords(
  cwd: string,
  change: (records: readonly KeyRecord[]) => readonly KeyRecord[],
): Promise<void> {
  await openWorkspace(cwd);
  const file = recordsFile(cwd);
  await withFileLock(file, async () => {
    const keys = change(await readKeyRecords(cwd));
    await writePrivateFile(file, `${JSON.stringify({ version: 1, keys }, null, 2)}\n`);
  });
}

function recordsFile(cwd: string): string {
  return join(cwd, WORKSPACE, 'keys.json');
}

/** The key records of a working folder, read once, and again after each change. */
export class KeyRecords {
  readonly #cwd: string;
  #known: Promise<readonly KeyRecord[]> | undefined;

  constructor(cwd: string) {
    this.#cwd = cwd;
  }

  /** Oldest first. @throws KeyauditError `KEY_RECORDS_BROKEN`, `STORE_UNREADABLE` */
  all(): Promise<readonly KeyRecord[]> {
    this.#known ??= readKeyRecords(this.#cwd);
    return this.#known;
  }

  /** Changes them under a lock, so that two processes lose nothing of each other's. */
  async update(change: (records: readonly KeyRecord[]) => readonly KeyRecord[]): Promise<void> {
    try {
      await updateKeyRecords(this.#cwd, change);
    } finally {
      this.#known = undefined;
    }
  }
}
