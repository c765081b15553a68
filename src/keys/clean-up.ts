import { accountOf } from '../commands/provision.ts';
import { KeyauditError } from '../core/error.ts';
import { wrap } from '../report/text.ts';
import type { CommandContext } from '../session/context.ts';
import {
  type JournalEntry,
  type JournalWork,
  listLeftovers,
  takeLeftovers,
  workOn,
} from '../store/journal.ts';
import { fingerprintOf, readKeyRecords, updateKeyRecords } from '../store/key-records.ts';
import { openPlace } from '../store/secrets/secret-store.ts';
import type { KeyApi } from '../stripe/key-apis/key-api.ts';
import { openTarget } from '../targets/open-target.ts';
import { endKeysNamed, rememberKey } from './make-key.ts';
import { openEndingApi } from './open-key-api.ts';
import { endKey } from './retire-key.ts';

/**
 * Finishes what dead processes left: keys that nobody knows are ended, published ones remembered, and old
 * ones retired. Says what it did on standard error. What cannot be done now stays in the journal.
 */
export async function cleanUp(context: CommandContext, { list }: { readonly list: boolean }): Promise<void> {
  const say = (text: string) => context.stderr.write(wrap(text, context.stderr, { indent: '  ' }));
  if (list) {
    for (const entry of await listLeftovers(context.cwd, context.now()))
      say(`Left over: ${describe(entry)}.`);
    return;
  }
  for (const entry of await takeLeftovers(context.cwd, context.now())) {
    const work = workOn(context.cwd, entry.id);
    try {
      say(`Left over from ${entry.command} ${entry.profile}: ${await finish(entry, work, context)}.`);
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

async function finish(entry: JournalEntry, work: JournalWork, context: CommandContext): Promise<string> {
  if (entry.mode === 'live' && !context.globals.live) {
    throw new KeyauditError('LIVE_NOT_ALLOWED', 'it is a live key; say --live to let keyaudit finish it.');
  }
  // The entry says where it happened, whatever this command is about.
  const { apiBase: _apiBase, ...globals } = context.globals;
  const target = await openTarget({
    ...context,
    globals: {
      ...globals,
      target: entry.target,
      live: entry.mode === 'live',
      ...(entry.apiBase === undefined ? {} : { apiBase: entry.apiBase }),
    },
  });
  try {
    const api = openEndingApi(
      target,
      accountOf(entry.account === undefined ? {} : { account: entry.account }),
    );
    const done = await finishStep(entry, work, api, context);
    await work.end();
    return done;
  } finally {
    await target.close();
  }
}

async function finishStep(
  entry: JournalEntry,
  work: JournalWork,
  api: KeyApi,
  context: CommandContext,
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
      const published = await isPublished(record, context);
      if (published === 'no') {
        await endKey(api, record.id);
        return `ended ${record.id}, whose secret had not been stored`;
      }
      const superseded = await rememberKey(record, context);
      const kept = published === 'yes' ? '' : `; whether ${record.place} took its secret is not known`;
      if (entry.command !== 'rotate' || retire === undefined) return `kept ${record.id}${kept}`;
      if (published === 'unknown') return `kept ${record.id} and ${retire}${kept}`;
      await work.update({ step: 'retiring' });
      await end(retire, api, context);
      return `kept ${record.id} and ended ${superseded.map((old) => old.id).join(', ') || retire}`;
    }
    case 'retiring':
      if (retire === undefined) return 'nothing was left';
      await end(retire, api, context);
      return `ended ${retire}`;
  }
}

async function isPublished(
  record: NonNullable<JournalEntry['record']>,
  context: CommandContext,
): Promise<'yes' | 'no' | 'unknown'> {
  const store = openPlace(record.place, { cwd: context.cwd, reveal: undefined, log: () => {} });
  if (store?.get === undefined) return record.place === 'stdout' ? 'no' : 'unknown';
  const stored = await store.get(record.variable);
  return stored !== undefined && fingerprintOf(stored) === record.fingerprint ? 'yes' : 'no';
}

/** Ends a key that has a record, and takes its secret out of the store. */
async function end(id: string, api: KeyApi, context: CommandContext): Promise<void> {
  await endKey(api, id);
  await forgetSecret(id, context);
  await updateKeyRecords(context.cwd, (records) =>
    records.map((record) =>
      record.id === id ? { ...record, status: 'revoked', retiredAt: context.now().toISOString() } : record,
    ),
  );
}

/** Takes the secret of a dead key out of the place that its record names. */
export async function forgetSecret(id: string, context: CommandContext): Promise<void> {
  const record = (await readKeyRecords(context.cwd)).find((one) => one.id === id);
  if (record === undefined || record.place === '') return;
  const store = openPlace(record.place, { cwd: context.cwd, reveal: undefined, log: () => {} });
  const stored = await store?.get?.(record.variable).catch(() => undefined);
  if (stored !== undefined && fingerprintOf(stored) === record.fingerprint) {
    await store?.remove?.(record.variable, stored);
  }
}
