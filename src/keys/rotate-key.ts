import { setTimeout as delay } from 'node:timers/promises';
import { depthFor } from '../audit/depth-for.ts';
import { explainedResult } from '../audit/explained-result.ts';
import { probeKey } from '../audit/probe-key.ts';
import { DAY_MS } from '../core/duration.ts';
import { EXIT, KeyauditError } from '../core/error.ts';
import { broaderThanProbed, broaderThanRecord, withBroader } from '../core/result/broader-than.ts';
import { resultIsOk } from '../core/result/verify-report.ts';
import { type Retirement, seconds } from '../report/keys/retirement.ts';
import type { Rotation } from '../report/keys/rotate.ts';
import { verdictLine } from '../report/verify/words/verdict-line.ts';
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
import { forgetSecret } from './end/forget-secret.ts';
import { retireKey } from './end/retire-key.ts';
import { createKey, type PendingKey, publishKey } from './make-key.ts';
import { openKeyApi } from './open-key-api.ts';
import { markRetiring } from './remember-key.ts';
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
  if (old.keyApi === 'dashboard') {
    return {
      old,
      skipped: `${old.id} was made in the Dashboard. Run "keyaudit provision ${profile.name} --again --key-api dashboard" for a new one, then delete the old one there.`,
    };
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
  if (options.dryRun === true) {
    const store = storeOf(old, options, session);
    return {
      ...base,
      outcome: 'planned',
      message: `Would make a new key, verify it, store it in ${store.place}, and end ${old.id}.`,
    };
  }
  const { account } = accountFor(options, old);
  const entry = { ...(await askedWhereabouts(session, account)), profile: profile.name };
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
  const { profile } = one;
  const { account } = accountFor(options, old);
  const store = storeOf(old, options, session);
  const kind = old.keyApi === 'restricted_keys' ? old.keyApi : 'managed';
  const api = openKeyApi(kind, { account }, session);
  await requireKnown(old, api);
  const { env, cwd, globals, records } = session;
  const oldKey = await findKey({
    profile: profile.name,
    variable: old.variable,
    env,
    cwd,
    live: globals.live,
    records,
  }).catch(() => undefined);
  const pending = await createKey(one, { command: 'rotate', account, work }, api, session);
  const judged = await judge(pending, old, oldKey, one, session).catch(async (error: unknown) => {
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
  const retirement = await retireOld(old, oldKey, verified, api, options, session);
  return { ...base, ...judged, outcome: 'rotated', record, retirement, message: '' };
}

/** A secret key that does not see the old key is of another account, whose key must never take its place. */
async function requireKnown(old: KeyRecord, api: KeyApi): Promise<void> {
  if ((await api.retrieve(old.id)) !== undefined) return;
  throw new KeyauditError(
    'KEY_NOT_FOUND',
    `This secret key sees no key ${old.id} of ${old.profile}: it is of another account, or the key was deleted there.`,
    {
      hint: `Nothing was made and nothing was changed. Set STRIPE_SECRET_KEY to that of the key's account; if the key is gone, "keyaudit provision ${old.profile}" makes a new one.`,
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

/** The new key against the profile, and against what the old one could do; `message` says why not. */
async function judge(
  { key, record }: PendingKey,
  old: KeyRecord,
  oldKey: FoundKey | undefined,
  one: ProfileGrant,
  session: OpenSession,
): Promise<Pick<Rotation, 'verification' | 'broader' | 'message'>> {
  const found = { key: key.secret, variable: record.variable, place: 'new' };
  const depth = depthFor(one.profile, {});
  const verification = await explainedResult(await probeKey(one, found, { depth }, session), one, session);
  if (!resultIsOk(verification)) {
    return {
      verification,
      broader: [],
      message: `The new key is not as its profile says: ${verdictLine(verification)}.`,
    };
  }
  const isOld = oldKey !== undefined && fingerprintOf(oldKey.key) === old.fingerprint;
  const before = isOld ? await probeKey(one, oldKey, { depth }, session) : undefined;
  const broader =
    before === undefined || before.stopped !== undefined
      ? broaderThanRecord(verification, old.permissions, session.catalog)
      : broaderThanProbed(verification, before);
  const message =
    broader.length === 0
      ? ''
      : `The new key can do what the old one could not: ${broader.join(', ')}. Widen a key on purpose with "keyaudit provision ${record.profile} --again".`;
  const shown = await explainedResult(withBroader(verification, broader), one, session);
  return { verification: shown, broader, message };
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
    return { id: old.id, alreadyGone: false, unwatched: 'interrupted' };
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
