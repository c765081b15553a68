import { KeyauditError } from '../core/error.ts';
import { wrap } from '../report/text.ts';
import type { OpenSession, Session } from '../session/session.ts';
import {
  type JournalEntry,
  type JournalWork,
  listLeftovers,
  takeLeftovers,
  workOn,
} from '../store/notes/journal.ts';
import { fingerprintOf } from '../store/notes/key-records.ts';
import { storedSecret } from '../store/secrets/stored-secret.ts';
import type { KeyApi } from '../stripe/key-apis/key-api.ts';
import { endKeysNamed, rememberKey } from './make-key.ts';
import { openEndingApi } from './open-key-api.ts';
import { endKey } from './retire-key.ts';
import { askedWhereabouts, describePlace, isSamePlace, type Whereabouts } from './whereabouts.ts';

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
  await nameForeign(session);
  const { own } = await listLeftovers(session, session.now());
  if (own.length === 0) return true;
  const here = session.globals.cleanup ? await placeOf(session, account) : undefined;
  const isMeant = (entry: JournalEntry) => here !== undefined && isSamePlace(entry, here);
  const others = own.filter((left) => !isMeant(left));
  for (const entry of others) {
    const how = here === undefined ? '' : ` Finish it with "${commandFor(entry)}".`;
    say(`Left over: ${describe(entry)}.${how}`);
  }
  let failed = 0;
  for (const entry of await takeLeftovers(session, session.now(), isMeant)) {
    try {
      say(`Left over from ${entry.command} ${entry.profile}: ${await finish(entry, session)}.`);
    } catch (error) {
      const why = error instanceof KeyauditError ? error.message : 'it failed';
      say(`Left over: ${describe(entry)}. It could not be cleaned up now: ${why}`);
      failed++;
    }
  }
  return others.length + failed === 0;
}

/** Names what dead processes left, and what keyaudit did not write here itself; reads no secret, asks nobody. */
export async function nameLeftovers(session: Session): Promise<void> {
  await nameForeign(session);
  const { own } = await listLeftovers(session, session.now());
  for (const entry of own) sayTo(session)(`Left over: ${describe(entry)}.`);
}

/** What stands in `.keyaudit/` and was not written by this user's keyaudit, each in one line. */
export async function foreignNotes(session: Session): Promise<readonly string[]> {
  const { foreign } = await listLeftovers(session, session.now());
  const records = await session.records.foreign();
  return [
    ...foreign.map((entry) => describe(entry)),
    ...records.map(
      ({ id, profile, status, target, mode, variable, place }) =>
        `a record of the key ${id} of ${profile} (${status}, ${target}, ${mode}, ${variable} in ${place})`,
    ),
  ];
}

async function nameForeign(session: Session): Promise<void> {
  const notes = await foreignNotes(session);
  if (notes.length === 0) return;
  const say = sayTo(session);
  say(
    `warning: ${notes.length === 1 ? 'one note' : `${notes.length} notes`} in .keyaudit/ came from another user or machine, or with the checkout, and nothing is done with them; "keyaudit keys clean-up --take-over" shows what it would end.`,
  );
  for (const note of notes.slice(0, SHOWN)) say(`  ${note}`);
  if (notes.length > SHOWN) say(`  and ${notes.length - SHOWN} more`);
}

/** Longest list of foreign notes. */
const SHOWN = 10;

function sayTo({ stderr }: Session): (text: string) => void {
  return (text) => stderr.write(wrap(text, stderr, { indent: '  ' }));
}

/** Where this command works; undefined without a secret key, by which nothing could be ended. */
function placeOf(session: OpenSession, account: string | undefined): Promise<Whereabouts | undefined> {
  return askedWhereabouts(session, account).catch(() => undefined);
}

function commandFor({ target, apiBase, mode, account }: Whereabouts): string {
  const words = ['keyaudit keys clean-up', `--target ${target}`];
  if (apiBase !== undefined) words.push(`--api-base ${apiBase}`);
  if (mode === 'live') words.push('--live');
  if (account !== undefined) words.push(`--account ${account}`);
  return words.join(' ');
}

function describe(entry: JournalEntry): string {
  const { step, retire, record, keyName, command, profile, startedAt } = entry;
  const what =
    step === 'retiring' ? `the key ${retire} is to end` : `the key ${record?.id ?? keyName} is not finished`;
  return `${what} (${command} ${profile}, ${describePlace(entry)}, since ${startedAt})`;
}

async function finish(entry: JournalEntry, session: OpenSession): Promise<string> {
  const work = workOn(session, entry.id);
  const api = openEndingApi({ account: entry.account }, session);
  const done = await finishStep(entry, work, api, session);
  await work.end();
  return done;
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

async function finishStep(
  entry: JournalEntry,
  work: JournalWork,
  api: KeyApi,
  session: OpenSession,
): Promise<string> {
  const { record, retire, keyName } = entry;
  switch (entry.step) {
    case 'creating': {
      const ids = keyName === undefined ? [] : await endKeysNamed(api, keyName);
      return ids.length === 0 ? 'no key had been made' : `ended ${ids.join(', ')}, which nobody knew of`;
    }
    case 'created':
    case 'running':
      if (record === undefined) return 'nothing was left';
      await endOwnKey(api, record.id, record.name);
      return `ended ${record.id}, which was published nowhere`;
    case 'publishing': {
      if (record === undefined) return 'nothing was left';
      const published = await isPublished(record, session);
      if (published === 'no') {
        await endOwnKey(api, record.id, record.name);
        return `ended ${record.id}, whose secret had not been stored`;
      }
      const superseded = await rememberKey(record, session);
      const kept = published === 'yes' ? '' : `; whether ${record.place} took its secret is not known`;
      if (entry.command !== 'rotate' || retire === undefined) return `kept ${record.id}${kept}`;
      if (published === 'unknown') return `kept ${record.id} and ${retire}${kept}`;
      await work.update({ step: 'retiring' });
      await end(retire, api, session);
      return `kept ${record.id} and ended ${superseded.map((old) => old.id).join(', ') || retire}`;
    }
    case 'retiring':
      if (retire === undefined) return 'nothing was left';
      await end(retire, api, session);
      return `ended ${retire}`;
  }
}

async function isPublished(
  record: NonNullable<JournalEntry['record']>,
  { cwd }: Pick<Session, 'cwd'>,
): Promise<'yes' | 'no' | 'unknown'> {
  const { secret } = await storedSecret(record, cwd);
  if (secret === 'unreadable') return 'unknown';
  return secret !== undefined && fingerprintOf(secret) === record.fingerprint ? 'yes' : 'no';
}

/** Ends a key. Nobody has seen it dead, so its record says `retiring`; `revoke` proves the rest. */
async function end(id: string, api: KeyApi, session: Session): Promise<void> {
  // Without a record it is a key that a person named by its id.
  const record = (await session.records.all()).find((known) => known.id === id);
  await endOwnKey(api, id, record?.name);
  const retiredAt = session.now().toISOString();
  await session.records.update((records) =>
    records.map((known) => (known.id === id ? { ...known, status: 'retiring', retiredAt } : known)),
  );
}
