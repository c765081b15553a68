import { EXIT, KeyauditError } from '../core/error.ts';
import type { OpenSession } from '../session/session.ts';
import type { FoundKey } from '../store/find-key.ts';
import { fingerprintOf, type KeyRecord } from '../store/notes/key-records.ts';

/**
 * The refusal to send a key to another server than that which it was made at, as its record says; undefined where it is
 * the right one, or nobody knows. A server that was named for Stripe (a proxy, say) stands for it, and for a sandbox
 * that is started by hand.
 */
export async function madeElsewhere(
  { key, variable, place }: Pick<FoundKey, 'key' | 'variable' | 'place'>,
  { records, target, globals }: OpenSession,
): Promise<KeyauditError | undefined> {
  const fingerprint = fingerprintOf(key);
  const record = (await records.all()).findLast((known) => known.fingerprint === fingerprint);
  if (record === undefined) return undefined;
  const here = { target: target.name, apiBase: globals.apiBase === undefined ? undefined : target.apiBase };
  if (isSameServer(record, here)) return undefined;
  const where = place === 'environment' ? variable : `${variable} in ${place}`;
  return new KeyauditError(
    'KEY_ELSEWHERE',
    `${where} holds the key ${record.id} of ${record.profile}, which was made at ${serverText(record)}; this command asks ${serverText(here)}.`,
    {
      hint: `Nothing was sent. Say ${placeOf(record)} to ask where it was made.`,
      exitCode: EXIT.undetermined,
    },
  );
}

interface Server {
  readonly target: KeyRecord['target'];
  readonly apiBase?: string | undefined;
}

function isSameServer(record: Server, here: Server): boolean {
  // A person named the server: it may be the sandbox of the record, run by hand, or a way to Stripe.
  if (here.apiBase !== undefined) return record.apiBase === here.apiBase || record.apiBase === undefined;
  return record.target === here.target && record.apiBase === undefined;
}

function serverText({ target, apiBase }: Server): string {
  if (apiBase !== undefined) return apiBase;
  return target === 'stripe' ? 'Stripe' : target === 'sandbox' ? 'the embedded sandbox' : target;
}

/** The options that name the server of a record. */
function placeOf({ target, apiBase }: Server): string {
  return apiBase === undefined ? `--target ${target}` : `--target ${target} --api-base ${apiBase}`;
}
