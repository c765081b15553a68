import { didYouMean } from '../../core/document/nearest.ts';
import { KeyauditError } from '../../core/error.ts';
import { SecretKey } from '../../core/secret-key.ts';
import type { Retirement } from '../../report/keys/retirement.ts';
import { startSpinner } from '../../session/progress.ts';
import type { OpenSession, Session } from '../../session/session.ts';
import type { JournalWork } from '../../store/notes/journal.ts';
import { fingerprintOf, type KeyRecord, mayStillWork } from '../../store/notes/key-records.ts';
import { storedSecret } from '../../store/secrets/stored-secret.ts';
import { beginInTurn } from '../begin-in-turn.ts';
import { retireByHand } from '../by-hand/retire-by-hand.ts';
import { openEndingApi } from '../open-key-api.ts';
import { accountFor, askedWhereabouts, keysHere, requireHere, whereaboutsOf } from '../whereabouts.ts';
import { forgetSecret } from './forget-secret.ts';
import { retireKey } from './retire-key.ts';

/** A key that is to end, with its record where it was made here. */
export interface KeyToRevoke {
  readonly id: string;
  readonly record: KeyRecord | undefined;
}

export interface RevokeKeyOptions {
  /** Whether to watch until it is dead. */
  readonly wait: boolean;
  /** Longest watch, in ms. */
  readonly timeoutMs: number;
  readonly account?: string;
}

/** A key that was to end, and how it did. */
export interface RevokedKey {
  readonly profile: string | undefined;
  readonly retirement: Retirement;
}

/** Ends the keys that a profile's name or a key's id means, when no other process works on that profile's key. */
export async function revokeKeys(
  what: string,
  options: RevokeKeyOptions,
  session: OpenSession,
): Promise<readonly RevokedKey[]> {
  const { account } = options;
  const [first, ...further] = await keysToRevoke(what, account, session);
  const isByHand = [first, ...further].every((key) => key?.record?.keyApi === 'dashboard');
  const { account: named } = accountFor(options, first?.record);
  const work = await beginInTurn(
    {
      command: 'revoke',
      // A person ends such keys, so that no secret key is needed.
      ...(isByHand ? whereaboutsOf(session, named) : await askedWhereabouts(session, named)),
      profile: first?.record?.profile ?? what,
      step: 'begun',
    },
    session,
  );
  const keys: RevokedKey[] = [];
  try {
    // While another process was at work there may have come another key.
    session.records.forget();
    for (const key of await keysToRevoke(what, account, session)) {
      keys.push({ profile: key.record?.profile, retirement: await revokeKey(key, work, options, session) });
    }
    await work.end();
  } finally {
    await work.leave();
  }
  return keys;
}

/**
 * Narrows a key and expires it, or has a person delete it where no program can; watches until it is dead, and takes its
 * secret out of its store.
 */
async function revokeKey(
  { id, record }: KeyToRevoke,
  work: JournalWork,
  { wait, timeoutMs, account: named }: RevokeKeyOptions,
  session: OpenSession,
): Promise<Retirement> {
  const { account } = accountFor({ account: named }, record);
  const secret = record === undefined ? undefined : await secretOf(record, session);
  if (record?.keyApi === 'dashboard') {
    const ended = await retireByHand(record, { secret, wait, timeoutMs }, session);
    if (ended.deadMs !== undefined) await forgetSecret(id, session);
    return ended;
  }
  const api = openEndingApi({ account }, session);
  // A key without a record is known by its id alone; one that is not there was mistyped, or is of another account.
  const known = record ?? (await api.retrieve(id));
  if (known === undefined) throw unknownId(id);
  await work.update({ step: 'retiring', retire: id, account });
  const spinner = await startSpinner(session, `Revoking ${id}`);
  const retirement = await retireKey(
    {
      id,
      permissions: known.permissions,
      connectPermissions: known.connectPermissions,
      secret,
      wasProved: record?.status === 'revoked',
      watchUntil: wait ? 'dead' : 'not-at-all',
      timeoutMs,
      onProgress: spinner.update,
    },
    api,
    session,
  ).finally(spinner.stop);
  if (retirement.deadMs !== undefined || retirement.alreadyGone) await forgetSecret(id, session);
  return retirement;
}

function unknownId(id: string): KeyauditError {
  return new KeyauditError('KEY_UNKNOWN', `This secret key sees no key ${id}, and none was made here.`, {
    hint: 'Check the id, and that STRIPE_SECRET_KEY is of its account and mode. Not found is not dead.',
  });
}

/**
 * The keys that a profile's name or a key's id means, all of the place that this command is about.
 * @throws KeyauditError `KEY_UNKNOWN`, `KEY_ELSEWHERE`, `USAGE`
 */
export async function keysToRevoke(
  what: string,
  account: string | undefined,
  session: OpenSession,
): Promise<readonly KeyToRevoke[]> {
  if (/^(?:sk|rk|pk|whsec)_/.test(what)) {
    throw new KeyauditError('USAGE', 'Never give a key itself as an argument.', {
      hint: 'Name the profile, or the id of the key (mk_…); "keyaudit keys list" shows them. Arguments are seen by everybody on this machine, so change that key.',
    });
  }
  const here = whereaboutsOf(session, account);
  const all = await session.records.all();
  const byId = all.find((record) => record.id === what);
  if (byId !== undefined) await requireHere(byId, account, session);
  if (byId !== undefined) return [{ id: what, record: byId }];
  if (/^mk_/.test(what)) return [{ id: what, record: undefined }];
  const named = all.filter((record) => record.profile === what);
  const own = await keysHere(named, account, session);
  const other = named.findLast((record) => record.status !== 'revoked') ?? named.at(-1);
  if (own.length === 0 && other !== undefined) await requireHere(other, account, session);
  const alive = own.filter(mayStillWork);
  if (alive.length > 0) return alive.map((record) => ({ id: record.id, record }));
  // Gone already counts as revoked.
  if (own.length > 0) return own.slice(-1).map((record) => ({ id: record.id, record }));
  const names = [...new Set(all.map((record) => record.profile))];
  throw new KeyauditError('KEY_UNKNOWN', `No key of "${what}" was made here for the target ${here.target}.`, {
    hint: didYouMean(what, names) ?? '"keyaudit keys list" shows the keys that were made here.',
  });
}

/** The secret of a key made here, if its variable or the place of its record still holds it. */
async function secretOf(record: KeyRecord, { env, cwd }: Session): Promise<SecretKey | undefined> {
  const given = env[record.variable]?.trim() ?? '';
  const { secret } = await storedSecret(record, { cwd, env });
  const candidates = [
    given === '' ? undefined : SecretKey.of(given),
    secret === 'unreadable' ? undefined : secret,
  ];
  return candidates.find((key) => key !== undefined && fingerprintOf(key) === record.fingerprint);
}
