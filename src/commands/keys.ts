import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import { nextCommand } from '../core/next-command.ts';
import { nameLeftovers, notesToTakeOver } from '../keys/end/name-leftovers.ts';
import { placeWordsOf } from '../keys/whereabouts.ts';
import { keysJson, pruneJson, renderKeysTable, renderPrune } from '../report/keys/keys.ts';
import { wrap } from '../report/text.ts';
import type { CommandContext } from '../session/context.ts';
import { printResult } from '../session/result-output.ts';
import { openSession, withTarget } from '../session/session.ts';
import { adoptLeftovers } from '../store/notes/journal.ts';
import type { KeyRecord } from '../store/notes/key-records.ts';

export interface ListKeysOptions {
  /** Only those that are in use. */
  readonly active?: boolean;
}

/** `keyaudit keys list`: the keys that were made here; never a secret. */
export async function listKeys({ active }: ListKeysOptions, context: CommandContext): Promise<ExitCode> {
  const session = await openSession(context);
  const all = await session.records.all();
  const records = active === true ? all.filter((record) => isInUse(record, session.now())) : all;
  await nameLeftovers(session);
  const make = nextCommand('keyaudit provision PROFILE', session.globals.place);
  const none =
    all.length === 0
      ? `No key was made here yet. "${make}" makes one.`
      : 'No key that was made here is active. "keyaudit keys list" shows all.';
  await printResult(session, {
    json: keysJson(records),
    table: (output) => renderKeysTable(records, session.now().toISOString(), output, none),
  });
  return EXIT.ok;
}

export interface PruneKeysOptions {
  /** Of keys that are forgotten although nobody saw them dead. */
  readonly ids: readonly string[];
}

/**
 * `keyaudit keys prune [KEY_ID…]`: drops the records of keys that are over, seen dead or past their end, and of those
 * that are named unless they are in use. Nothing is asked or ended.
 */
export async function pruneKeys({ ids }: PruneKeysOptions, context: CommandContext): Promise<ExitCode> {
  const session = await openSession(context);
  const all = await session.records.all();
  const unknown = ids.find((id) => !all.some((record) => record.id === id));
  if (unknown !== undefined) {
    throw new KeyauditError('KEY_UNKNOWN', `No key ${unknown} was made here.`, {
      hint: '"keyaudit keys list" shows the keys that were made here.',
    });
  }
  const now = session.now();
  const named = (record: KeyRecord) => ids.includes(record.id);
  const isDropped = (record: KeyRecord) => isOver(record, now) || (named(record) && !isInUse(record, now));
  const dropped = all.filter(isDropped);
  const kept = all
    .filter((record) => named(record) && !isDropped(record))
    .map(({ id, profile, ...place }) => ({
      id,
      why: `it is the active key of ${profile}; "${nextCommand(`keyaudit revoke ${id}`, placeWordsOf(place))}" ends it.`,
    }));
  if (dropped.length > 0) {
    const gone = new Set(dropped.map(({ id }) => id));
    await session.records.update((records) => records.filter(({ id }) => !gone.has(id)));
  }
  await printResult(session, {
    json: pruneJson({ dropped, kept }),
    table: (output) => renderPrune({ dropped, kept }, output),
  });
  return kept.length === 0 ? EXIT.ok : EXIT.usage;
}

function isInUse(record: KeyRecord, now: Date): boolean {
  return record.status === 'active' && !isOver(record, now);
}

/** Seen dead, or past the end that Stripe was told. */
function isOver(record: KeyRecord, now: Date): boolean {
  const { status, expiresAt } = record;
  return status === 'revoked' || (expiresAt !== undefined && Date.parse(expiresAt) < now.getTime());
}

export interface CleanUpKeysOptions {
  /** Also what this user's keyaudit did not write itself; without `yes` it is only shown. */
  readonly takeOver?: boolean;
  readonly yes?: boolean;
  readonly account?: string;
}

/** `keyaudit keys clean-up`: finish what dead processes left, at the server that this command names. */
export async function cleanUpKeys(options: CleanUpKeysOptions, context: CommandContext): Promise<ExitCode> {
  const session = await openSession(context);
  if (options.yes === true && options.takeOver !== true) {
    throw new KeyauditError('USAGE', '--yes goes with --take-over.', {
      hint: 'Without --take-over nothing is asked.',
    });
  }
  if (options.takeOver === true) {
    const { stdout } = session;
    const notes = await notesToTakeOver(session);
    if (notes.length === 0) stdout.write('There is nothing to take over.\n');
    for (const note of notes) stdout.write(wrap(note, stdout, { indent: '  ' }));
    if (notes.length > 0 && options.yes !== true) {
      stdout.write(
        wrap(
          'With --yes these count as written here, and the keys among them that are not finished are ended.',
          stdout,
        ),
      );
      return EXIT.ok;
    }
    await session.records.adopt();
    await adoptLeftovers(session);
  }
  // The SDK comes with it, which a list of keys does without.
  const { cleanUp } = await import('../keys/end/clean-up.ts');
  return withTarget(session, async (open) => ((await cleanUp(open, options)) ? EXIT.ok : EXIT.undetermined));
}
