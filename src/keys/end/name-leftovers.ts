import { wrap } from '../../report/text.ts';
import type { Session } from '../../session/session.ts';
import { type JournalEntry, listLeftovers } from '../../store/notes/journal.ts';
import { describePlace } from '../whereabouts.ts';

/** Names what dead processes left, and what keyaudit did not write here itself; reads no secret, asks nobody. */
export async function nameLeftovers(session: Session): Promise<void> {
  const { own, foreign } = await listLeftovers(session);
  await nameForeign(foreign, session);
  for (const { entry } of own) sayTo(session)(`Left over: ${describe(entry)}.`);
}

/** What may be taken over: what this user's keyaudit did not write on this machine, each in one line. */
export async function notesToTakeOver(session: Session): Promise<readonly string[]> {
  const { own, foreign } = await listLeftovers(session);
  const elsewhere = own.filter(({ owner }) => owner === 'elsewhere').map(({ entry }) => entry);
  return [...elsewhere.map(describe), ...(await foreignNotes(foreign, session))];
}

async function foreignNotes(foreign: readonly JournalEntry[], session: Session): Promise<readonly string[]> {
  const records = await session.records.foreign();
  return [
    ...foreign.map(describe),
    ...records.map(
      ({ id, profile, status, target, mode, variable, place }) =>
        `a record of the key ${id} of ${profile} (${status}, ${target}, ${mode}, ${variable} in ${place})`,
    ),
  ];
}

/** Names notes that keyaudit did not write here itself. */
export async function nameForeign(foreign: readonly JournalEntry[], session: Session): Promise<void> {
  const notes = await foreignNotes(foreign, session);
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

/** Says a sentence on standard error. */
export function sayTo({ stderr }: Session): (text: string) => void {
  return (text) => stderr.write(wrap(text, stderr, { indent: '  ' }));
}

/** What a note is about, for a person. */
export function describe(entry: JournalEntry): string {
  const { step, retire, record, keyName, command, profile, startedAt } = entry;
  const what =
    step === 'retiring' ? `the key ${retire} is to end` : `the key ${record?.id ?? keyName} is not finished`;
  return `${what} (${command} ${profile}, ${describePlace(entry)}, since ${startedAt})`;
}
