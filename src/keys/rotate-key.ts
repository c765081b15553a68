import { setTimeout as delay } from 'node:timers/promises';
import { depthFor } from '../audit/depth-for.ts';
import { probeKey } from '../audit/probe-key.ts';
import { DAY_MS } from '../core/duration.ts';
import { EXIT, KeyauditError } from '../core/error.ts';
import type { VerifyResult } from '../core/result/verify-report.ts';
import { type Retirement, seconds } from '../report/keys/retirement.ts';
import type { Rotation } from '../report/keys/rotate.ts';
import type { ProfileGrant } from '../session/profile-grant.ts';
import { startSpinner } from '../session/progress.ts';
import type { OpenSession } from '../session/session.ts';
import { type FoundKey, findKey } from '../store/find-key.ts';
import type { JournalWork } from '../store/notes/journal.ts';
import { fingerprintOf, type KeyRecord } from '../store/notes/key-records.ts';
import { openStore } from '../store/secrets/open-store.ts';
import type { SecretStore } from '../store/secrets/secret-store.ts';
import type { KeyApi } from '../stripe/key-apis/key-api.ts';
import { beginInTurn } from './begin-in-turn.ts';
import { leftToPerson, rotateByHand } from './by-hand/rotate-by-hand.ts';
import { forgetSecret } from './end/forget-secret.ts';
import { retireKey } from './end/retire-key.ts';
import { judgeNewKey } from './judge-new-key.ts';
import { createKey, type PendingKey, publishKey } from './make-key.ts';
import { openKeyApi } from './open-key-api.ts';
import { markRetiring } from './remember-key.ts';
import { requireNoLoss } from './require-free.ts';
import { accountFor, askedWhereabouts, keysHere, requireHere, whereaboutsOf } from './whereabouts.ts';

export interface RotateKeyOptions {
  /** Whether a profile without a key is passed over. */
  readonly all?: boolean;
  /** As given, such as `90d`, and in ms. */
  readonly olderThan?: string;
  readonly olderThanMs?: number;
  /** How long the old key goes on working after the new one is published, in ms. */
  readonly graceMs: number;
  readonly dryRun?: boolean;
  readonly store?: string;
  readonly readBack?: string;
  readonly reveal?: boolean;
  readonly account?: string;
  /** Watch until the old key is dead, not only narrowed. */
  readonly wait: boolean;
}

/** A profile's key that may be rotated, or why there is nothing to do. */
async function keyToRotate(
  { profile }: ProfileGrant,
  options: RotateKeyOptions,
  session: OpenSession,
): Promise<{ readonly old?: KeyRecord; readonly skipped?: string }> {
  const active = (await session.records.all()).filter(
    (record) => record.profile === profile.name && record.status === 'active',
  );
  const old = (await keysHere(active, options.account, session)).at(-1);
  if (old === undefined) {
    const other = active.at(-1);
    if (other !== undefined && options.all !== true) await requireHere(other, options.account, session);
    if (options.all === true) return { skipped: 'No key was made here yet, so there is none to rotate.' };
    throw new KeyauditError(
      'KEY_UNKNOWN',
      `No ${whereaboutsOf(session, options.account).mode} key of ${profile.name} was made here for the target ${session.target.name}.`,
      { hint: `Make one with "keyaudit provision ${profile.name}".`, exitCode: EXIT.undetermined },
    );
  }
  const ageMs = session.now().getTime() - Date.parse(old.createdAt);
  if (options.olderThanMs !== undefined && ageMs < options.olderThanMs) {
    const days = Math.floor(ageMs / DAY_MS);
    return { old, skipped: `${old.id} is ${days} days old, younger than ${options.olderThan}.` };
  }
  return { old };
}

/**
 * Makes a new key, verifies it against the profile and against the old key, only then publishes it, then
 * retires the old one. A broader key is undone; the old one stays untouched.
 */
export async function rotateKey(
  one: ProfileGrant,
  options: RotateKeyOptions,
  session: OpenSession,
): Promise<Rotation<KeyRecord>> {
  const { profile } = one;
  const { old, skipped } = await keyToRotate(one, options, session);
  const base: Rotation<KeyRecord> = {
    profile: profile.name,
    outcome: 'skipped',
    old: shown(old),
    record: null,
    verification: null,
    broader: [],
    retirement: null,
    message: skipped ?? '',
  };
  if (old === undefined || skipped !== undefined) return base;
  if (options.dryRun === true) return { ...base, ...planned(old, storeOf(old, options, session)) };
  const isByHand = old.keyApi === 'dashboard';
  if (isByHand && !session.stdin.isTerminal) {
    return { ...base, ...(await leftToPerson(one, old, session)) };
  }
  const { account } = accountFor(options, old);
  // A person makes and ends such a key, so that no secret key is needed.
  const place = isByHand ? whereaboutsOf(session, account) : await askedWhereabouts(session, account);
  const entry = { ...place, profile: profile.name };
  const work = await beginInTurn({ ...entry, command: 'rotate', step: 'begun' }, session);
  try {
    // Another rotation may have come first; what it made is the old key now.
    session.records.forget();
    const now = await keyToRotate(one, options, session);
    if (now.old !== undefined && now.skipped === undefined) {
      return await replaceKey({ ...base, old: shown(now.old) }, now.old, work, one, options, session);
    }
    return { ...base, old: shown(now.old), message: now.skipped ?? '' };
  } finally {
    await work.leave();
  }
}

function planned(old: KeyRecord, store: SecretStore): Pick<Rotation, 'outcome' | 'message'> {
  const isByHand = old.keyApi === 'dashboard';
  const how = isByHand ? 'ask for a new key by hand' : 'make a new key';
  const end = isByHand ? `say where ${old.id} is deleted, and watch it end` : `end ${old.id}`;
  return { outcome: 'planned', message: `Would ${how}, verify it, store it in ${store.place}, and ${end}.` };
}

function shown(old: KeyRecord | undefined): Rotation['old'] {
  return old === undefined ? null : { id: old.id, createdAt: old.createdAt };
}

/** The rotation itself, once it is this process's turn. */
async function replaceKey(
  base: Rotation<KeyRecord>,
  old: KeyRecord,
  work: JournalWork,
  one: ProfileGrant,
  options: RotateKeyOptions,
  session: OpenSession,
): Promise<Rotation<KeyRecord>> {
  const { account } = accountFor(options, old);
  const store = storeOf(old, options, session);
  await requireNoLoss(one.profile.env, old, store, session);
  const found = await secretOfOld(old, store, session);
  if (old.keyApi === 'dashboard') {
    const grace = () => waitForGrace(old, options.graceMs, session);
    const byHand = { store, work, grace, watchMs: WATCH_MS };
    return { ...base, ...(await rotateByHand(one, { record: old, found }, byHand, session)) };
  }
  const kind = old.keyApi === 'restricted_keys' ? old.keyApi : 'managed';
  const api = openKeyApi(kind, { account }, session);
  await requireKnown(old, api);
  const pending = await createKey(one, { command: 'rotate', account, work }, api, session);
  const judged = await probePending(pending, one, session)
    .then((probed) => judgeNewKey(probed, { record: old, found }, one, session))
    .catch(async (error: unknown) => {
      await pending.undo();
      throw error;
    });
  if (judged.message !== '') {
    await pending.undo();
    return { ...base, ...judged, outcome: 'refused' };
  }
  const verified = { ...pending, record: { ...pending.record, verifiedAt: session.now().toISOString() } };
  await work.update({ retire: old.id, graceMs: options.graceMs });
  const { record } = await publishKey(verified, store, session);
  const retirement = await retireOld(old, found, verified, api, options, session);
  return { ...base, ...judged, outcome: 'rotated', record, retirement, message: '' };
}

/** The secret of the old key, from its variable or its place, if it is there. */
async function secretOfOld(
  old: KeyRecord,
  store: SecretStore,
  { env, cwd, globals, records }: OpenSession,
): Promise<FoundKey | undefined> {
  const { profile, variable } = old;
  const found = await findKey({ profile, variable, env, cwd, live: globals.live, records }).catch(
    () => undefined,
  );
  if (found !== undefined && fingerprintOf(found.key) === old.fingerprint) return found;
  const stored = await store.get?.(variable, profile).catch(() => undefined);
  return stored !== undefined && fingerprintOf(stored) === old.fingerprint
    ? { key: stored, variable, place: 'command' }
    : found;
}

function probePending(
  { key, record }: PendingKey,
  one: ProfileGrant,
  session: OpenSession,
): Promise<VerifyResult> {
  const found = { key: key.secret, variable: record.variable, place: 'new' };
  return probeKey(one, found, { depth: depthFor(one.profile, {}) }, session);
}

/** A secret key that does not see the old key is of another account, whose key must never take its place. */
async function requireKnown(old: KeyRecord, api: KeyApi): Promise<void> {
  if ((await api.retrieve(old.id)) !== undefined) return;
  throw new KeyauditError(
    'KEY_NOT_FOUND',
    `This secret key sees no key ${old.id} of ${old.profile}: it is of another account, or the key was deleted there.`,
    {
      hint: `Nothing was made and nothing was changed. Set STRIPE_SECRET_KEY to that of the key's account; if the key is gone, "keyaudit provision ${old.profile} --again" makes a new one.`,
      exitCode: EXIT.undetermined,
    },
  );
}

/** Where the new secret goes: `--store`, else where the old one was. */
function storeOf(
  old: KeyRecord,
  { store, reveal, readBack }: RotateKeyOptions,
  session: OpenSession,
): SecretStore {
  if (store === undefined && old.place.startsWith('exec:')) {
    throw new KeyauditError(
      'USAGE',
      `The key of ${old.profile} was handed to a command, and keyaudit runs no command that a file names.`,
      { hint: 'Say again with --store exec:COMMAND (or KEYAUDIT_STORE) where the new one is to go.' },
    );
  }
  return openStore(store ?? (old.place === 'stdout' ? old.place : `env-file:${old.place}`), {
    cwd: session.cwd,
    env: session.env,
    readBack,
    reveal: reveal === true ? session.writeUnredacted : undefined,
    log: session.stderr.write,
  });
}

/** Longest watch for the narrowing of an old key, in ms. */
const WATCH_MS = 600_000;

async function retireOld(
  old: KeyRecord,
  oldKey: FoundKey | undefined,
  { work }: PendingKey,
  api: KeyApi,
  { graceMs, wait }: RotateKeyOptions,
  session: OpenSession,
): Promise<Retirement> {
  const dueAt = new Date(session.now().getTime() + graceMs);
  await work.update({
    step: 'retiring',
    retire: old.id,
    dueAt: graceMs > 0 ? dueAt.toISOString() : undefined,
    graceMs: undefined,
  });
  if (graceMs > 0 && !(await graceIsOver(old, dueAt, session))) {
    await markRetiring(old.id, session);
    return { id: old.id, alreadyGone: false, unwatched: 'interrupted', worksUntil: dueAt.toISOString() };
  }
  await work.requireOwn();
  const isOld = oldKey !== undefined && fingerprintOf(oldKey.key) === old.fingerprint;
  const spinner = await startSpinner(session, `Retiring ${old.id}`);
  const retirement = await retireKey(
    {
      id: old.id,
      permissions: old.permissions,
      connectPermissions: old.connectPermissions,
      secret: isOld ? oldKey.key : undefined,
      watchUntil: wait ? 'dead' : 'narrowed',
      timeoutMs: WATCH_MS,
      onProgress: spinner.update,
    },
    api,
    session,
  ).finally(spinner.stop);
  if (retirement.deadMs !== undefined || retirement.alreadyGone) await forgetSecret(old.id, session);
  await work.end();
  return retirement;
}

async function waitForGrace(old: KeyRecord, graceMs: number, session: OpenSession): Promise<boolean> {
  return graceMs === 0 || graceIsOver(old, new Date(session.now().getTime() + graceMs), session);
}

/** Waits; false when interrupted, and then the next keyaudit command after that time retires the key. */
async function graceIsOver(old: KeyRecord, dueAt: Date, session: OpenSession): Promise<boolean> {
  const spinner = await startSpinner(session, `The new key is published; ${old.id} goes on working`);
  try {
    for (;;) {
      const left = dueAt.getTime() - session.now().getTime();
      if (left <= 0) return true;
      if (session.signal.aborted) return false;
      spinner.update(`${seconds(left)} of grace left; Ctrl-C leaves the rest to the next keyaudit command`);
      await delay(Math.min(left, 1_000), undefined, { signal: session.signal }).catch(() => {});
    }
  } finally {
    spinner.stop();
  }
}
