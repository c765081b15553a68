import { randomBytes, randomUUID } from 'node:crypto';
import { EXIT, KeyauditError } from '../core/error.ts';
import type { ErrorCode } from '../core/error-code.ts';
import type { SecretKey } from '../core/secret-key.ts';
import type { ProfileGrant } from '../session/profile-grant.ts';
import type { OpenSession } from '../session/session.ts';
import { profileDigest } from '../store/files/profile-digest.ts';
import type { JournalEntry, JournalWork } from '../store/notes/journal.ts';
import { fingerprintOf, type KeyRecord, mayStillWork } from '../store/notes/key-records.ts';
import type { SecretStore } from '../store/secrets/secret-store.ts';
import { type KeyApi, keyName, type MadeKey } from '../stripe/key-apis/key-api.ts';
import { beginInTurn } from './begin-in-turn.ts';
import { endKey, endKeysNamed } from './end/retire-key.ts';
import { isSameProfile, rememberKey } from './remember-key.ts';
import { askedWhereabouts } from './whereabouts.ts';

/** A key that exists at Stripe and is published nowhere yet. */
export interface PendingKey {
  readonly key: MadeKey;
  readonly record: KeyRecord;
  readonly work: JournalWork;
  /** Ends the key; nothing of it is left. */
  undo(): Promise<void>;
}

export interface CreateKeyOptions {
  readonly command: JournalEntry['command'];
  readonly expiresAt?: Date;
  /** The connected account that a platform acts for. */
  readonly account?: string;
  /** Work that was begun before, of which this is a step. */
  readonly work?: JournalWork;
}

/**
 * Makes the key of a profile. The journal knows its name before Stripe is asked, so that a key whose
 * answer got lost is found and ended.
 * @throws KeyauditError `PROFILE_EMPTY`, or what the key API says
 */
export async function createKey(
  { profile, grant }: ProfileGrant,
  { command, expiresAt, account, work: begun }: CreateKeyOptions,
  api: KeyApi,
  session: OpenSession,
): Promise<PendingKey> {
  if (grant.permissions.length === 0) {
    throw new KeyauditError(
      'PROFILE_EMPTY',
      `${profile.name} asks for nothing, and Stripe makes no key without a permission.`,
      { hint: 'Name at least one resource under "permissions".' },
    );
  }
  const { now } = session;
  const place = await askedWhereabouts(session, account);
  const { mode } = place;
  const name = keyName(profile.name, now(), randomBytes(3).toString('hex'));
  const digest = profileDigest(profile);
  const step = { ...place, step: 'creating', keyName: name } as const;
  const work = begun ?? (await beginInTurn({ ...step, command, profile: profile.name }, session));
  if (begun !== undefined) await begun.update(step);
  await work.requireOwn();
  const key = await api
    .create({
      name,
      note: `keyaudit profile ${profile.name} ${digest}`,
      permissions: grant.permissions,
      connectPermissions: grant.connectPermissions,
      restrictions: grant.restrictions,
      mode,
      expiresAt,
      idempotencyKey: `keyaudit-${randomUUID()}`,
    })
    .catch((error: unknown) => failedCreate(error, name, api, work));
  const undo = async () => {
    await work.requireOwn();
    await endKey(api, key.id);
    await work.end();
  };
  if (key.mode !== mode) {
    await undo();
    throw new KeyauditError(
      'KEY_WRONG_MODE',
      `A ${mode} key was asked for, and a ${key.mode} key was made; it was ended again.`,
      { hint: 'Check STRIPE_SECRET_KEY and the server.', exitCode: EXIT.undetermined },
    );
  }
  const record: KeyRecord = {
    id: key.id,
    name,
    profile: profile.name,
    profileDigest: digest,
    permissions: [...grant.permissions],
    connectPermissions: [...grant.connectPermissions],
    keyApi: api.kind,
    ...place,
    fingerprint: fingerprintOf(key.secret),
    variable: profile.env,
    place: '',
    status: 'active',
    createdAt: key.createdAt.toISOString(),
    expiresAt: key.expiresAt?.toISOString(),
  };
  await work.update({ step: 'created', record }).catch(async (error: unknown) => {
    // What cannot be written down must not stay.
    await undo().catch(() => {});
    throw error;
  });
  return { key, record, work, undo };
}

/** Refusals after which no key can have come to be. */
const DEFINITE: ReadonlySet<ErrorCode> = new Set([
  'SECRET_KEY_REFUSED',
  'KEY_API_UNAVAILABLE',
  'KEY_API_REFUSED',
  'KEY_API_OFFLINE',
  'KEY_NOT_FOUND',
]);

async function failedCreate(error: unknown, name: string, api: KeyApi, work: JournalWork): Promise<never> {
  if (error instanceof KeyauditError && DEFINITE.has(error.code)) {
    await work.end();
    throw error;
  }
  // The key may exist although its answer never came, or come to be only later: it is looked for by name, now and by
  // the commands to come.
  const found = await endKeysNamed(api, name).catch(() => []);
  if (found.length > 0) await work.end();
  else await work.leave();
  const { code, message } =
    error instanceof KeyauditError
      ? error
      : { code: 'KEY_API_FAILED' as const, message: 'The key could not be made.' };
  throw new KeyauditError(code, message, {
    hint:
      found.length > 0
        ? 'No key is left behind. Run this again.'
        : 'A key may come to be all the same; the next keyaudit commands look for it by name and end it.',
    exitCode: EXIT.undetermined,
    cause: error,
  });
}

/** Puts the secret into the store and remembers the key; older keys of the profile become `superseded`. */
export async function publishKey(
  { key, record, work, undo }: PendingKey,
  store: SecretStore,
  session: Pick<OpenSession, 'records'>,
): Promise<{ readonly record: KeyRecord; readonly superseded: readonly KeyRecord[] }> {
  const placed = { ...record, place: store.place };
  await work.update({ step: 'publishing', record: placed });
  await work.requireOwn();
  const failure = await store.put(record.variable, key.secret, record.profile, work.isSure).then(
    () => undefined,
    (error: unknown) => error ?? new Error('the store failed'),
  );
  await work.requireOwn();
  const taken = await tookSecret(key.secret, record, store);
  if (taken === 'no' || (taken === 'unknown' && (failure !== undefined || store.get !== undefined))) {
    const others = (await session.records.all()).filter(
      (old) => old.id !== record.id && isSameProfile(old, record) && mayStillWork(old),
    );
    // Agents may read either key: both live, and the journal knows the new one.
    const isKnown = taken === 'no' && failure !== undefined;
    if (!isKnown && others.length > 0) throw uncertainPublication(failure, placed);
    // A key whose secret is lost is of use to nobody, and must not stay.
    await undo();
    throw failure ?? notGivenBack(placed);
  }
  return { record: placed, superseded: await rememberKey(placed, session) };
}

/** Whether a store holds the new secret, whatever it said when it was handed it. */
async function tookSecret(
  secret: SecretKey,
  { variable, profile }: KeyRecord,
  { get }: SecretStore,
): Promise<'yes' | 'no' | 'unknown'> {
  if (get === undefined) return 'unknown';
  try {
    const stored = await get(variable, profile);
    return stored !== undefined && fingerprintOf(stored) === fingerprintOf(secret) ? 'yes' : 'no';
  } catch {
    return 'unknown';
  }
}

function notGivenBack({ profile, place, keyApi }: KeyRecord): KeyauditError {
  const end = keyApi === 'dashboard' ? 'delete the new key in the Dashboard' : 'the new key was ended';
  return new KeyauditError(
    'PUBLICATION_UNCERTAIN',
    `${place} took the secret of ${profile} and does not give it back; ${end}.`,
    { hint: 'Check the commands of --store and --read-back.', exitCode: EXIT.undetermined },
  );
}

function uncertainPublication(error: unknown, { id, profile, place }: KeyRecord): KeyauditError {
  const silent =
    error === undefined ? `${place} took the secret and does not give it back.` : `${place} failed.`;
  const why = error instanceof KeyauditError ? error.message : silent;
  return new KeyauditError(
    'PUBLICATION_UNCERTAIN',
    `${why} Whether it holds the new key ${id} of ${profile} is not known, so that key and the old one both live.`,
    {
      hint: 'See which one your agents read, then end the other with "keyaudit revoke KEY_ID".',
      exitCode: EXIT.undetermined,
      cause: error,
    },
  );
}
