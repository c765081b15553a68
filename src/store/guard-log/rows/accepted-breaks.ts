import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CompactSign, compactVerify } from 'jose';
import { z } from 'zod';
import { writePrivateFile } from '../../workspace.ts';
import type { CheckpointKey, SigningKey } from '../log-key.ts';

const schema = z.strictObject({
  file: z.string(),
  line: z.number().int().min(1),
  /** Of the line as it stands: accepted is this, and nothing that is put there later. */
  hash: z.string(),
  why: z.string(),
  reason: z.string(),
  /** ISO 8601. */
  acceptedAt: z.string(),
});

/** A place where the log is not as it was written, and a person has taken it as it stands. */
export type AcceptedBreak = z.infer<typeof schema>;

const TYPE = 'keyaudit-accepted-break+jws';

function acceptedFile(folder: string): string {
  return join(dirname(folder), 'accepted-breaks');
}

/** The breaks that a person has accepted, each signed by the log's key; what is not signed by it is not there. */
export async function readAcceptedBreaks(
  folder: string,
  { key }: CheckpointKey,
): Promise<readonly AcceptedBreak[]> {
  const lines = (await readFile(acceptedFile(folder), 'utf8').catch(() => '')).split('\n');
  const read = async (line: string): Promise<readonly AcceptedBreak[]> => {
    try {
      const { payload, protectedHeader } = await compactVerify(line, key, { algorithms: ['ES256'] });
      if (protectedHeader.typ !== TYPE) return [];
      return [schema.parse(JSON.parse(Buffer.from(payload).toString('utf8')))];
    } catch {
      return [];
    }
  };
  return (await Promise.all(lines.filter((line) => line !== '').map(read))).flat();
}

/** Adds one. @throws KeyauditError `STORE_UNWRITABLE` */
export async function addAcceptedBreak(
  folder: string,
  accepted: AcceptedBreak,
  { privateKey, id }: SigningKey,
): Promise<void> {
  const before = await readFile(acceptedFile(folder), 'utf8').catch(() => '');
  const jws = await new CompactSign(Buffer.from(JSON.stringify(accepted)))
    .setProtectedHeader({ alg: 'ES256', typ: TYPE, kid: id })
    .sign(privateKey);
  await writePrivateFile(acceptedFile(folder), `${before}${jws}\n`);
}
