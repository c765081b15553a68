import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { TARGETS } from '../../core/target.ts';
import { JsonFile } from '../json-file.ts';
import { openWorkspace, WORKSPACE } from '../workspace.ts';
import { keyRecordSchema } from './key-records.ts';
import { type Notes, SealedNotes } from './sealed-notes.ts';

/** The process that works on an entry. */
const ownerSchema = z.strictObject({
  pid: z.int(),
  host: z.string(),
  /** When the process began, in the kernel's ticks, since process ids come again; empty where unknown. */
  ticks: z.string(),
});

/**
 * How far a piece of work has come. `creating`: a key of `keyName` may exist. `created`: it exists,
 * unpublished. `publishing`: its secret may be in the store. `running`: it is lent to a command.
 * `retiring`: `retire` must end, from `dueAt` on.
 */
const JOURNAL_STEPS = ['creating', 'created', 'publishing', 'running', 'retiring'] as const;

const entrySchema = z.strictObject({
  id: z.string(),
  command: z.enum(['provision', 'rotate', 'revoke', 'exec', 'calibrate']),
  owner: ownerSchema,
  startedAt: z.iso.datetime(),
  target: z.enum(TARGETS),
  apiBase: z.string().optional(),
  /** The account of the secret key that is worked with; absent where it was not said. */
  ownAccount: z.string().optional(),
  /** The connected account that a platform acts for. */
  account: z.string().optional(),
  mode: z.enum(['test', 'live']),
  profile: z.string(),
  step: z.enum(JOURNAL_STEPS),
  /** The name that the new key was asked for by, so that it is found if the answer got lost. */
  keyName: z.string().optional(),
  /** What is to be remembered of the new key. */
  record: keyRecordSchema.optional(),
  /** The id of the key that is to end. */
  retire: z.string().optional(),
  dueAt: z.iso.datetime().optional(),
});

const fileSchema = z.strictObject({
  version: z.literal(1),
  entries: z.array(entrySchema.extend({ seal: z.string().optional() })),
});
type Journal = z.infer<typeof fileSchema>;

/** One piece of work that leaves something behind at Stripe; written before each step is taken, never a secret. */
export type JournalEntry = z.infer<typeof entrySchema>;
export type NewEntry = Omit<JournalEntry, 'id' | 'owner' | 'startedAt'>;

/** A piece of work of this process. */
export interface JournalWork {
  /** Writes that a further step begins. */
  update(change: Partial<NewEntry>): Promise<void>;
  /** Nothing is left to do. */
  end(): Promise<void>;
}

/** Whose journal: that of a working folder, sealed by the key in the user's folder that the environment names. */
export interface JournalPlace {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Writes that work begins. @param id unique */
export async function beginWork(
  place: JournalPlace,
  entry: NewEntry & { readonly id: string },
  now: Date,
): Promise<JournalWork> {
  const owner = thisProcess();
  const begun = { ...entry, owner, startedAt: now.toISOString() };
  await journalOf(place).update((entries) => [...entries, begun]);
  return workOn(place, entry.id);
}

/**
 * Takes over those entries of one's own that are meant and whose processes have died, so that no two processes
 * clean up the same; those of living processes are left alone, and so are those that are not due yet.
 */
export async function takeLeftovers(
  place: JournalPlace,
  now: Date,
  isMeant: (entry: JournalEntry) => boolean,
): Promise<readonly JournalEntry[]> {
  const owner = thisProcess();
  const taken: JournalEntry[] = [];
  await journalOf(place).update((entries) =>
    entries.map((entry) => {
      const isDue = entry.dueAt === undefined || Date.parse(entry.dueAt) <= now.getTime();
      if (isAlive(entry, now) || !isDue || !isMeant(entry)) return entry;
      const mine = { ...entry, owner };
      taken.push(mine);
      return mine;
    }),
  );
  return taken;
}

/** One's own entries whose processes have died, and every entry that is not one's own; nothing is taken over. */
export async function listLeftovers(place: JournalPlace, now: Date): Promise<Notes<JournalEntry>> {
  const { own, foreign } = await journalOf(place).read();
  return { own: own.filter((entry) => !isAlive(entry, now)), foreign };
}

/** Makes every foreign entry one of this user's, left over by a process that has died. */
export async function adoptLeftovers(place: JournalPlace): Promise<readonly JournalEntry[]> {
  const owner = { ...thisProcess(), ticks: 'dead' };
  return journalOf(place).adopt((entry) => ({ ...entry, owner }));
}

/** Goes on with an entry that this process owns. */
export function workOn(place: JournalPlace, id: string): JournalWork {
  const journal = journalOf(place);
  return {
    update: (fields) =>
      journal.update((entries) =>
        entries.map((entry) => (entry.id === id ? { ...entry, ...fields } : entry)),
      ),
    end: () => journal.update((entries) => entries.filter((entry) => entry.id !== id)),
  };
}

/** There is no file while no work is unfinished. */
function journalOf({ cwd, env }: JournalPlace): SealedNotes<Journal, JournalEntry> {
  const file = new JsonFile<Journal>({
    file: join(cwd, WORKSPACE, 'journal.json'),
    schema: fileSchema,
    empty: { version: 1, entries: [] },
    isNothing: ({ entries }) => entries.length === 0,
    prepare: () => openWorkspace(cwd),
    broken: {
      code: 'JOURNAL_BROKEN',
      hint: 'It names keys that were being made or ended. Look at them in the Dashboard, then move the file away.',
    },
  });
  return new SealedNotes(file, {
    kind: 'journal',
    env,
    notesOf: ({ entries }) => entries,
    contentOf: (entries) => ({ version: 1, entries: [...entries] }),
  });
}

function thisProcess(): JournalEntry['owner'] {
  return { pid: process.pid, host: hostname(), ticks: ticksOf(process.pid) };
}

/** A process on another machine cannot be looked at; its work counts as given up after a day. */
const FOREIGN_HOST_MS = 24 * 60 * 60 * 1000;

function isAlive({ owner, startedAt }: JournalEntry, now: Date): boolean {
  if (owner.host !== hostname()) return now.getTime() - Date.parse(startedAt) < FOREIGN_HOST_MS;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return owner.ticks === '' || owner.ticks === ticksOf(owner.pid);
}

/** The start of a process: the 22nd field of `/proc/PID/stat`; empty where there is none. A zombie is dead. */
function ticksOf(pid: number): string {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[0] === 'Z' ? 'dead' : (fields[19] ?? '');
  } catch {
    return '';
  }
}
