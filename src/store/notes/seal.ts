import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a seal stands for: one kind of note cannot be passed off as another. */
export type SealedKind = 'journal' | 'key-record' | 'unfinished-init';

/** Proof that content was written by whoever has the key: HMAC-SHA256 over the kind and the content's JSON. */
export function sealOf(key: Buffer, kind: SealedKind, content: object): string {
  return createHmac('sha256', key)
    .update(`keyaudit ${kind}\n${canonical(content)}`)
    .digest('base64url');
}

/** Whether a seal is that of this content. @param key undefined where there is none: then nothing is sealed */
export function isSealed(
  key: Buffer | undefined,
  kind: SealedKind,
  content: object,
  seal: string | undefined,
): boolean {
  if (key === undefined || seal === undefined) return false;
  const [right, given] = [Buffer.from(sealOf(key, kind, content)), Buffer.from(seal)];
  return right.length === given.length && timingSafeEqual(right, given);
}

/** JSON whose text depends on the content alone: names in order, what is undefined left out. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
