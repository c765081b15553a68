import { KeyauditError } from '../core/error.ts';
import { nextCommand } from '../core/next-command.ts';
import type { ProfileGrant } from '../session/profile-grant.ts';
import type { OpenSession } from '../session/session.ts';
import { fingerprintOf, type KeyRecord } from '../store/notes/key-records.ts';
import type { SecretStore } from '../store/secrets/secret-store.ts';
import { whereaboutsOf } from './whereabouts.ts';

export interface RequireFreeOptions {
  /** Said by the user: make a new key although one works, and put it in the place of another. */
  readonly again?: boolean;
  readonly account?: string;
}

/**
 * Refuses to make a second key for a profile, or to put one where a key stands that would be lost: one of Stripe's by
 * one of the sandbox, or one that nobody here made. Nothing was made yet.
 * @throws KeyauditError `KEY_STILL_WORKS` or `KEY_IN_THE_WAY`
 */
export async function requireFree(
  grants: readonly ProfileGrant[],
  { again, account }: RequireFreeOptions,
  store: SecretStore,
  session: OpenSession,
): Promise<void> {
  if (again === true) return;
  const records = await session.records.all();
  const here = whereaboutsOf(session, account);
  const isOwn = (record: KeyRecord) =>
    record.target === here.target &&
    record.apiBase === here.apiBase &&
    record.mode === here.mode &&
    record.account === here.account;
  const working = grants.map(({ profile }) =>
    records.findLast(
      (record) => record.profile === profile.name && isOwn(record) && mayWork(record, session.now()),
    ),
  );
  const found = working.filter((record) => record !== undefined);
  if (found.length > 0) throw stillWorks(found, grants, account, session);
  for (const { profile } of grants) {
    const secret = await stored(profile.env, profile.name, store);
    if (secret === undefined) continue;
    const known = records.findLast((record) => record.fingerprint === secret);
    if (known !== undefined && !isLost(known, here)) continue;
    throw inTheWay(profile.env, store.place, known, 'or say --again to replace it');
  }
}

/** One of Stripe's in whose place one of another server would come. */
function isLost(known: KeyRecord, here: Pick<KeyRecord, 'target'>): boolean {
  return known.target === 'stripe' && here.target !== 'stripe';
}

/**
 * Refuses to rotate a key into a place where another's secret would be lost: one of Stripe's by one of the sandbox,
 * wherever that is, and in a place that is not the old key's one that nobody here made. Nothing was made yet.
 * @param variable the one that the new key is to be put into
 * @throws KeyauditError `KEY_IN_THE_WAY`
 */
export async function requireNoLoss(
  variable: string,
  old: Pick<KeyRecord, 'profile' | 'variable' | 'place' | 'target'>,
  store: SecretStore,
  session: OpenSession,
): Promise<void> {
  const secret = await stored(variable, old.profile, store);
  if (secret === undefined) return;
  const known = (await session.records.all()).findLast((record) => record.fingerprint === secret);
  const isInPlace = store.place === old.place && variable === old.variable;
  const isOther = known === undefined ? !isInPlace : isLost(known, old);
  if (isOther) throw inTheWay(variable, store.place, known, 'or take what is there away');
}

function mayWork({ status, expiresAt }: KeyRecord, now: Date): boolean {
  return status === 'active' && (expiresAt === undefined || Date.parse(expiresAt) > now.getTime());
}

/** The fingerprint of what a store holds, where it can be read without running anything. */
async function stored(
  variable: string,
  profile: string,
  { place, get }: SecretStore,
): Promise<string | undefined> {
  if (get === undefined || place.startsWith('exec:')) return undefined;
  const secret = await get(variable, profile);
  // What is no key of Stripe's, a placeholder say, is no loss.
  return secret === undefined || secret.kind === 'unknown' ? undefined : fingerprintOf(secret);
}

function stillWorks(
  records: readonly KeyRecord[],
  grants: readonly ProfileGrant[],
  account: string | undefined,
  { globals: { place } }: OpenSession,
): KeyauditError {
  const has = new Set(records.map(({ profile }) => profile));
  const missing = grants.map(({ profile }) => profile.name).filter((name) => !has.has(name));
  const keys = records.map(
    (record) =>
      `${record.profile} has the ${record.mode} key ${record.id}, made ${record.createdAt.slice(0, 10)}, in ${record.place}`,
  );
  const rest =
    missing.length === 0
      ? ''
      : ` For the others alone: "${nextCommand(['keyaudit provision', ...missing, ...(account === undefined ? [] : ['--account', account])].join(' '), place)}".`;
  return new KeyauditError('KEY_STILL_WORKS', `Nothing was made: ${keys.join('; ')}.`, {
    hint: `"${nextCommand(`keyaudit rotate ${[...has].join(' ')}`, place)}" replaces ${has.size === 1 ? 'it' : 'them'} and ends the old; --again makes a further key beside.${rest}`,
  });
}

function inTheWay(variable: string, place: string, known: KeyRecord | undefined, or: string): KeyauditError {
  const what =
    known === undefined
      ? 'a key that was not made here'
      : `the ${known.mode} key ${known.id} of ${known.profile} at Stripe`;
  return new KeyauditError(
    'KEY_IN_THE_WAY',
    `Nothing was made: ${variable} in ${place} holds ${what}, and its secret would be lost.`,
    {
      hint: `Put the new one elsewhere (--store env-file:PATH, or another "env:" in the profile), ${or}.`,
    },
  );
}
