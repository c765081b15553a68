import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { EXIT, KeyauditError } from '../core/error.ts';
import { wrap } from '../report/text.ts';
import type { OpenSession } from '../session/session.ts';
import {
  beginWork,
  type JournalEntry,
  type JournalWork,
  type Leftover,
  listWork,
  lookAfter,
  type NewEntry,
  silence,
} from '../store/notes/journal.ts';
import { cleanUp } from './end/clean-up.ts';

/** Longest wait for another process's work on the same profile, in ms. */
const LONGEST_WAIT_MS = 120_000;
const LOOK_EVERY_MS = 300;

/**
 * Begins work on a profile's key when no other process of this folder works on one of the same profile and place: of
 * two rotations at once the second waits, and then sees what the first has done.
 * @throws KeyauditError `PROFILE_BUSY` after two minutes
 */
export async function beginInTurn(entry: NewEntry, session: OpenSession): Promise<JournalWork> {
  const begun = { ...entry, id: randomUUID() };
  const until = performance.now() + LONGEST_WAIT_MS;
  const cleaned = new Set<string>();
  let isSaid = false;
  for (;;) {
    const rivals = (await listWork(session)).filter((other) => excludes(other, begun));
    const { busy, gone } = await lookAtAll(rivals, session);
    if (busy === undefined) {
      // What one that waits for a rival sees die is cleaned up first, as at the beginning of a command. What is left
      // then, such as a key that may still come to be, is nobody's work now.
      const dying = isSaid ? gone.filter(({ entry: { id } }) => !cleaned.has(id)) : [];
      for (const {
        entry: { id },
      } of dying)
        cleaned.add(id);
      if (dying.length > 0) {
        await cleanUp(session, entry);
        continue;
      }
      const work = await beginUnless(gone, begun, session);
      if (work !== undefined) return work;
    } else {
      if (!isSaid) session.stderr.write(wrap(`Waiting: ${describe(busy)}.`, session.stderr));
      isSaid = true;
    }
    if (session.signal.aborted) throw session.signal.reason;
    if (busy !== undefined && performance.now() > until) throw profileBusy(busy);
    await delay(LOOK_EVERY_MS, undefined, { signal: session.signal }).catch(() => {});
  }
}

/** One that is at work, if any; else all that are not, each of which knows it should it wake. */
async function lookAtAll(
  rivals: readonly JournalEntry[],
  session: OpenSession,
): Promise<{ readonly busy?: JournalEntry; readonly gone: readonly Leftover[] }> {
  const looked = await Promise.all(rivals.map((rival) => lookAfter(session, rival)));
  const busy = rivals.find((_rival, index) => looked[index] === undefined);
  if (busy !== undefined) return { busy, gone: [] };
  const gone = looked.filter((left) => left !== undefined);
  for (const left of gone) if (!(await silence(session, left))) return { busy: left.entry, gone: [] };
  return { gone };
}

/** Begins, unless meanwhile another has begun; then undefined. */
async function beginUnless(
  gone: readonly Leftover[],
  begun: NewEntry & { readonly id: string },
  session: OpenSession,
): Promise<JournalWork | undefined> {
  const isGone = ({ owner }: JournalEntry) => gone.some(({ entry }) => entry.owner.token === owner.token);
  const refused = new Error('another process was quicker');
  try {
    return await beginWork(session, begun, session.now(), (others) => {
      if (others.some((other) => excludes(other, begun) && !isGone(other))) throw refused;
    });
  } catch (error) {
    if (error !== refused) throw error;
    return undefined;
  }
}

/** Whether two pieces of work must not go on at once. Once a new key is published, ending the old one may. */
function excludes(other: JournalEntry, entry: NewEntry): boolean {
  return (
    isOfProfiles(other.command) &&
    isOfProfiles(entry.command) &&
    other.profile === entry.profile &&
    other.target === entry.target &&
    other.apiBase === entry.apiBase &&
    other.mode === entry.mode &&
    (other.step !== 'retiring' || other.command === 'revoke')
  );
}

/** Commands after which a profile has another key than before, or none. */
function isOfProfiles(command: JournalEntry['command']): boolean {
  return command === 'provision' || command === 'rotate' || command === 'revoke';
}

function describe({ command, profile, owner, startedAt }: JournalEntry): string {
  return `another keyaudit process (${owner.pid} on ${owner.host}) works on the key of ${profile}: ${command}, since ${startedAt}`;
}

function profileBusy(busy: JournalEntry): KeyauditError {
  return new KeyauditError('PROFILE_BUSY', `There is no end to it: ${describe(busy)}.`, {
    hint: 'Nothing was made or changed. Run this again when it has ended.',
    exitCode: EXIT.undetermined,
  });
}
