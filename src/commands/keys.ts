import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import { cleanUp, nameLeftovers, notesToTakeOver } from '../keys/end/clean-up.ts';
import { keysJson, renderKeysTable } from '../report/keys/keys.ts';
import { wrap } from '../report/text.ts';
import type { CommandContext } from '../session/context.ts';
import { printResult } from '../session/result-output.ts';
import { openSession, withTarget } from '../session/session.ts';
import { adoptLeftovers } from '../store/notes/journal.ts';

/** `keyaudit keys list`: the keys that were made here; never a secret. */
export async function listKeys(context: CommandContext): Promise<ExitCode> {
  const session = await openSession(context);
  const records = await session.records.all();
  await nameLeftovers(session);
  await printResult(session, {
    json: keysJson(records),
    table: (output) => renderKeysTable(records, session.now().toISOString(), output),
  });
  return EXIT.ok;
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
  return withTarget(session, async (open) => ((await cleanUp(open, options)) ? EXIT.ok : EXIT.undetermined));
}
