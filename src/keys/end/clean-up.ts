import { DAY_MS } from '../../core/duration.ts';
import { KeyauditError } from '../../core/error.ts';
import type { OpenSession, Session } from '../../session/session.ts';
import {
  type JournalEntry,
  type JournalWork,
  type Leftover,
  listLeftovers,
  takeOver,
} from '../../store/notes/journal.ts';
import { fingerprintOf } from '../../store/notes/key-records.ts';
import { storedSecret } from '../../store/secrets/stored-secret.ts';
import type { KeyApi } from '../../stripe/key-apis/key-api.ts';
import { openEndingApi } from '../open-key-api.ts';
import { markRetiring, rememberKey } from '../remember-key.ts';
import {
  askedWhereabouts,
  isSamePlace,
  placeWordsOf,
  type Whereabouts,
  whereaboutsOf,
} from '../whereabouts.ts';
import { describe, nameForeign, sayTo } from './name-leftovers.ts';
import { endKey, endKeysNamed } from './retire-key.ts';

export interface CleanUpOptions {
  /** The connected account that the command names. */
  readonly account?: string | undefined;
}

/**
 * Finishes what dead processes left: keys that nobody knows are ended, published ones remembered, and old
 * ones retired. Says what it did on standard error. Only what this user's keyaudit wrote down is acted on, and only
 * at the server, in the mode and for the account that this command is about; the rest is named and stays.
 * @returns whether nothing is left
 */
export async function cleanUp(session: OpenSession, { account }: CleanUpOptions): Promise<boolean> {
  const say = sayTo(session);
  const { own, foreign } = await listLeftovers(session);
  await nameForeign(foreign, session);
  if (own.length === 0) return true;
  const asked = session.globals.cleanup ? await placeOf(session, account) : undefined;
  const unasked = session.globals.cleanup ? whereaboutsOf(session, account) : undefined;
  let left = 0;
  for (const leftover of own) {
    const { entry } = leftover;
    const why = whyNot(leftover, isByHand(entry) ? unasked : asked, session.now());
    if (why !== undefined) {
      left++;
      say(`Left over: ${describe(entry)}.${why}`);
      continue;
    }
    const work = await takeOver(session, leftover);
    // Another process was quicker, or its own lives after all.
    if (work === undefined) continue;
    try {
      const { done, isOver } = await finish(entry, work, session);
      if (done !== undefined) say(`Left over from ${entry.command} ${entry.profile}: ${done}.`);
      if (isOver) await work.end();
      else left++;
    } catch (error) {
      const cause = error instanceof KeyauditError ? error.message : 'it failed';
      say(`Left over: ${describe(entry)}. It could not be cleaned up now: ${cause}`);
      left++;
    } finally {
      await work.leave();
    }
  }
  return left === 0;
}

/** Why a leftover is only named; undefined where this command finishes it. */
function whyNot({ entry, owner }: Leftover, here: Whereabouts | undefined, now: Date): string | undefined {
  if (owner === 'elsewhere') {
    return ` It was begun on ${entry.owner.host}, so nothing is done with it; "keyaudit keys clean-up --take-over" shows what it would end.`;
  }
  if (here === undefined) return '';
  if (!isSamePlace(entry, here))
    return ` Finish it with "keyaudit keys clean-up ${placeWordsOf(entry).join(' ')}".`;
  if (owner === 'frozen' && entry.step === 'running') {
    return ` Its process ${entry.owner.pid} gives no sign of life, but is there: end it, or let it go on.`;
  }
  if (entry.dueAt !== undefined && Date.parse(entry.dueAt) > now.getTime()) {
    return ` It is due at ${entry.dueAt}.`;
  }
  return undefined;
}

/** Where this command works; undefined without a secret key, by which nothing could be ended. */
function placeOf(session: OpenSession, account: string | undefined): Promise<Whereabouts | undefined> {
  return askedWhereabouts(session, account).catch(() => undefined);
}

/** What finishing came to: in words, if there is anything to say, and whether nothing is left to do. */
interface Finished {
  readonly done: string | undefined;
  readonly isOver: boolean;
}

/**
 * Ends a key that a note of ours names, if it is ours at Stripe too. A key that is not found may live in another
 * account, so it is not taken for dead.
 */
async function endOwnKey(api: KeyApi, id: string, name: string | undefined): Promise<void> {
  const known = await api.retrieve(id);
  if (known === undefined) {
    throw new KeyauditError('KEY_NOT_FOUND', `this secret key sees no key ${id}; is it of another account?`);
  }
  if (name !== undefined && known.name !== name) {
    throw new KeyauditError('KEY_NOT_FOUND', `the key ${id} has another name there, so it is not ended.`);
  }
  await endKey(api, id);
}

/** Whether no secret key is needed for what is left: a person makes and ends a Dashboard key, or nothing came to be. */
function isByHand({ record, step }: JournalEntry): boolean {
  return step === 'begun' || record?.keyApi === 'dashboard';
}

/** Remembers a key that a person made if its secret was stored. */
async function finishByHand({ record, step }: JournalEntry, session: OpenSession): Promise<Finished> {
  if (record === undefined) return { done: 'nothing had been asked for', isOver: true };
  const published = step === 'publishing' ? await isPublished(record, session) : 'no';
  if (published === 'no') {
    return { done: `"${record.name}" was not stored; delete it in the Dashboard`, isOver: true };
  }
  await rememberKey(record, session);
  const kept = published === 'yes' ? '' : `; whether ${record.place} took its secret is not known`;
  return { done: `kept ${record.id}${kept}`, isOver: true };
}

async function finish(entry: JournalEntry, work: JournalWork, session: OpenSession): Promise<Finished> {
  if (isByHand(entry)) return finishByHand(entry, session);
  const api = openEndingApi({ account: entry.account }, session);
  const { record, retire } = entry;
  const over = (done: string): Finished => ({ done, isOver: true });
  switch (entry.step) {
    case 'begun':
      return over('nothing was left');
    case 'creating':
      return lookForCreated(entry, api, session);
    case 'created':
    case 'running':
      if (record === undefined) return over('nothing was left');
      await endOwnKey(api, record.id, record.name);
      return over(`ended ${record.id}, which was published nowhere`);
    case 'publishing':
      return finishPublication(entry, work, api, session);
    case 'retiring':
      if (retire === undefined) return over('nothing was left');
      await end(retire, api, session);
      return over(`ended ${retire}`);
  }
}

/** How long a key that was asked for is looked for, in ms: no server holds a request back for a day. */
const LOOKED_FOR_MS = DAY_MS;

/** Looks for a key whose creation nobody saw the end of. One that is not there may still come to be. */
async function lookForCreated(
  { keyName, startedAt }: JournalEntry,
  api: KeyApi,
  { now }: OpenSession,
): Promise<Finished> {
  const ids = keyName === undefined ? [] : await endKeysNamed(api, keyName);
  if (ids.length > 0) return { done: `ended ${ids.join(', ')}, which nobody knew of`, isOver: true };
  const until = Date.parse(startedAt) + LOOKED_FOR_MS;
  if (now().getTime() >= until) return { done: 'no key had been made', isOver: true };
  const done = `no key of its name is there; it is looked for again until ${new Date(until).toISOString()}`;
  return { done, isOver: false };
}

async function finishPublication(
  { record, retire, command, graceMs = 0 }: JournalEntry,
  work: JournalWork,
  api: KeyApi,
  session: OpenSession,
): Promise<Finished> {
  const over = (done: string): Finished => ({ done, isOver: true });
  if (record === undefined) return over('nothing was left');
  const published = await isPublished(record, session);
  if (published === 'no') {
    await endOwnKey(api, record.id, record.name);
    return over(`ended ${record.id}, whose secret had not been stored`);
  }
  const superseded = await rememberKey(record, session);
  const kept = published === 'yes' ? '' : `; whether ${record.place} took its secret is not known`;
  if (command !== 'rotate' || retire === undefined) return over(`kept ${record.id}${kept}`);
  if (published === 'unknown') return over(`kept ${record.id} and ${retire}${kept}`);
  if (graceMs > 0) {
    const dueAt = new Date(session.now().getTime() + graceMs).toISOString();
    await work.update({ step: 'retiring', dueAt });
    await markRetiring(retire, session);
    return { done: `kept ${record.id}; ${retire} goes on working until ${dueAt}`, isOver: false };
  }
  await work.update({ step: 'retiring' });
  await end(retire, api, session);
  return over(`kept ${record.id} and ended ${superseded.map((old) => old.id).join(', ') || retire}`);
}

async function isPublished(
  record: NonNullable<JournalEntry['record']>,
  session: Pick<Session, 'cwd' | 'env'>,
): Promise<'yes' | 'no' | 'unknown'> {
  const { secret } = await storedSecret(record, session);
  if (secret === 'unreadable') return 'unknown';
  return secret !== undefined && fingerprintOf(secret) === record.fingerprint ? 'yes' : 'no';
}

/** Ends a key. Nobody has seen it dead, so its record says `retiring`; `revoke` proves the rest. */
async function end(id: string, api: KeyApi, session: Session): Promise<void> {
  // Without a record it is a key that a person named by its id.
  const record = (await session.records.all()).find((known) => known.id === id);
  await endOwnKey(api, id, record?.name);
  await markRetiring(id, session, session.now());
}
