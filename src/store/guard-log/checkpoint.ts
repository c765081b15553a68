import { CompactSign, compactVerify } from 'jose';
import { z } from 'zod';
import type { CheckpointKey, SigningKey } from './log-key.ts';

const checkpointSchema = z.object({
  /** How many rows it covers: all from the first. */
  size: z.number().int().min(0),
  /** Of the Merkle tree over them, in base64url. */
  root: z.string().max(100),
  /** ISO 8601. */
  time: z.string().max(100),
  /** Which guard wrote it; what it had written before this was said does not say it. */
  instance: z.string().max(100).optional(),
});

/** What a log was at one moment: whoever keeps it can tell later whether the log still begins so. */
export type Checkpoint = z.infer<typeof checkpointSchema>;

const TYPE = 'keyaudit-checkpoint+jws';

/** @returns a compact JWS, one line without blanks */
export function signCheckpoint(checkpoint: Checkpoint, { privateKey, id }: SigningKey): Promise<string> {
  return new CompactSign(Buffer.from(JSON.stringify(checkpoint)))
    .setProtectedHeader({ alg: 'ES256', typ: TYPE, kid: id })
    .sign(privateKey);
}

/** What a checkpoint says; undefined where it is none, or not signed by this key. */
export async function readCheckpoint(jws: string, { key }: CheckpointKey): Promise<Checkpoint | undefined> {
  // The last letter of a signature has bits that say nothing: only one way to write them is right.
  const signature = jws.slice(jws.lastIndexOf('.') + 1);
  if (Buffer.from(signature, 'base64url').toString('base64url') !== signature) return undefined;
  try {
    const { payload, protectedHeader } = await compactVerify(jws, key, { algorithms: ['ES256'] });
    if (protectedHeader.typ !== TYPE) return undefined;
    return checkpointSchema.parse(JSON.parse(Buffer.from(payload).toString('utf8')));
  } catch {
    return undefined;
  }
}
