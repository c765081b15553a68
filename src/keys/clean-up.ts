import { KeyauditError } from '../core/error.ts';
import { wrap } from '../report/text.ts';
import { type OpenSession, type Session, withTarget } from '../session/session.ts';
import {
  type JournalEntry,
  type JournalWork,
  listLeftovers,
  takeLeftovers,
  workOn,
} from '../store/journal.ts';
import { fingerprintOf } from '../store/key-records.ts';
import { storedSecret } from '../store/secrets/stored-secret.ts';
import type { KeyApi } from '../stripe/key-apis/key-api.ts';
import { forgetSecret } from './forget-secret.ts';
import { endKeysNamed, rememberKey } from './make-key.ts';
import { openEndingApi } from './open-key-api.ts';
import { endKey } from './retire-key.ts';

/**
 * Finishes what dead processes left: keys that nobody knows are ended, published ones remembered, and old
 * ones retired. Says what it did on standard error. What cannot be done now stays in the journal.
 */
export async function cleanUp(session: Session, { list }: { readonly list: boolean }): Promise<void> {
  const { cwd, stderr, now } = session;
  const say = (text: string) => stderr.write(wrap(text, stderr, { indent: '  ' }));
  if (list) {
    for (const entry of await listLeftovers(cwd, now())) say(`Left over: ${describe(entry)}.`);
    return;
  }
  for (const entry of await takeLeftovers(cwd, now())) {
    const work = workOn(cwd, entry.id);
    try {
      say(`Left over from ${entry.command} ${entry.profile}: ${await finish(entry, work, session)}.`);
    } catch (error) {
      const why = error instanceof KeyauditError ? error.message : 'it failed';
      say(`Left over: ${describe(entry)}. It could not be cleaned up now: ${why}`);
    }
  }
}

function describe(entry: JournalEntry): string {
  const what =
    entry.step === 'retiring'
      ? `the key ${entry.retire} is to end`
      : `the key ${entry.record?.id ?? entry.keyName} is not finished`;
  return `${what} (${entry.command} ${entry.profile}, ${entry.target}, ${entry.mode}, since ${entry.startedAt})`;
}

async function finish(entry: JournalEntry, work: JournalWork, session: Session): Promise<string> {
  if (entry.mode === 'live' && !session.globals.live) {
    throw new KeyauditError('LIVE_NOT_ALLOWED', 'it is a live key; say --live to let keyaudit finish it.');
  }
  // The entry says where it happened, whatever this command is about.
  const { target, apiBase, mode, account } = entry;
  const globals = { ...session.globals, target, apiBase, live: mode === 'live' };
  return withTarget({ ...session, globals }, async (open) => {
    const done = await finishStep(entry, work, openEndingApi({ account }, open), open);
    await work.end();
    return done;
  });
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
      await endKey(api, record.id);
      return `ended ${record.id}, which was published nowhere`;
    case 'publishing': {
      if (record === undefined) return 'nothing was left';
      const published = await isPublished(record, session);
      if (published === 'no') {
        await endKey(api, record.id);
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
  if (secret === 'unreadable') return record.place === 'stdout' ? 'no' : 'unknown';
  return secret !== undefined && fingerprintOf(secret) === record.fingerprint ? 'yes' : 'no';
}

/** Ends a key that has a record, and takes its secret out of the store. */
async function end(id: string, api: KeyApi, session: Session): Promise<void> {
  await endKey(api, id);
  await forgetSecret(id, session);
  await session.records.update((records) =>
    records.map((record) =>
      record.id === id ? { ...record, status: 'revoked', retiredAt: session.now().toISOString() } : record,
    ),
  );
}
