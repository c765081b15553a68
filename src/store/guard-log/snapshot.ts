import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CompactSign, compactVerify } from 'jose';
import { z } from 'zod';
import type { BookState } from '../../core/spend/spend-book.ts';
import { writePrivateFile } from '../workspace.ts';
import type { CheckpointKey, SigningKey } from './log-key.ts';

const headSchema = z.object({
  version: z.literal(1),
  seq: z.number().int().min(1),
  lastHash: z.string(),
  file: z.string(),
  bytes: z.number().int().min(0),
  line: z.number().int().min(0),
  checkpointSeq: z.number().int().min(0),
  roots: z.array(z.string()).max(64),
  /** SHA-256 of the book's text, in base64url. */
  digest: z.string(),
});

/** Where in the log a book was written down. */
export type SnapshotPlace = Omit<z.infer<typeof headSchema>, 'version' | 'digest'>;

export interface Snapshot {
  readonly place: SnapshotPlace;
  readonly book: BookState;
}

const TYPE = 'keyaudit-snapshot+jws';

function snapshotFile(folder: string): string {
  return join(dirname(folder), 'snapshot.json');
}

/**
 * Writes down what the guard had counted at a place of its log, signed, so that a restart need not read all before it.
 * @param book the book's state as JSON
 * @throws what the disk says
 */
export async function writeSnapshot(
  folder: string,
  place: SnapshotPlace,
  book: string,
  { privateKey, id }: SigningKey,
): Promise<void> {
  const head = JSON.stringify({ version: 1, ...place, digest: digestOf(book) });
  const jws = await new CompactSign(Buffer.from(head))
    .setProtectedHeader({ alg: 'ES256', typ: TYPE, kid: id })
    .sign(privateKey);
  await writePrivateFile(snapshotFile(folder), `${jws}\n${book}`);
}

/** The last that was written down; undefined where there is none, or none that this key has signed. */
export async function readSnapshot(folder: string, { key }: CheckpointKey): Promise<Snapshot | undefined> {
  try {
    const text = await readFile(snapshotFile(folder), 'utf8');
    const end = text.indexOf('\n');
    const { payload, protectedHeader } = await compactVerify(text.slice(0, end), key, {
      algorithms: ['ES256'],
    });
    if (protectedHeader.typ !== TYPE) return undefined;
    const {
      version: _,
      digest,
      ...place
    } = headSchema.parse(JSON.parse(Buffer.from(payload).toString('utf8')));
    const book = text.slice(end + 1);
    return digest === digestOf(book) ? { place, book: JSON.parse(book) as BookState } : undefined;
  } catch {
    return undefined;
  }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
