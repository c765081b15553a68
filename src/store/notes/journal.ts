import { join } from 'node:path';
import { z } from 'zod';
import { EXIT, KeyauditError } from '../../core/error.ts';
import { TARGETS } from '../../core/target.ts';
import { JsonFile } from '../json-file.ts';
import { openWorkspace, WORKSPACE } from '../workspace.ts';
import { endHeartbeat, feelPulse, type Heartbeat, startHeartbeat } from './heartbeat.ts';
import { keyRecordSchema } from './key-records.ts';
import { askKernel, deadOwner, isOtherHost, newOwner, ownerSchema } from './owner.ts';
import { SealedNotes } from './sealed-notes.ts';

/**
 * How far a piece of work has come. `begun`: nothing was asked for yet. `creating`: a key of `keyName` may exist, or
 * may still come to be. `created`: it exists, unpublished. `publishing`: its secret may be in the store. `running`:
 * it is lent to a command. `retiring`: `retire` must end, from `dueAt` on.
 */
const JOURNAL_STEPS = ['begun', 'creating', 'created', 'publishing', 'running', 'retiring'] as const;

const entrySchema = z.strictObject({
  id: z.string(),
  command: z.enum(['provision', 'rotate', 'revoke', 'exec', 'calibrate', 'guard']),
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
  /** How long the key that is to end goes on working once the new one is published, in ms. */
  graceMs: z.number().nonnegative().optional(),
});

const fileSchema = z.strictObject({
  version: z.literal(1),
  entries: z.array(entrySchema.extend({ seal: z.string().optional() })),
});
type Journal = z.infer<typeof fileSchema>;

/** One piece of work that leaves something behind at Stripe; written before each step is taken, never a secret. */
export type JournalEntry = z.infer<typeof entrySchema>;
export type NewEntry = Omit<JournalEntry, 'id' | 'owner' | 'startedAt'>;

/** A piece of work of this process, until another one takes it over. */
export interface JournalWork {
  /** Writes that a further step begins. @throws KeyauditError `WORK_TAKEN_OVER` */
  update(change: Partial<NewEntry>): Promise<void>;
  /** Nothing is left to do. */
  end(): Promise<void>;
  /** Leaves the rest, if anything was begun, to whoever comes next. */
  leave(): Promise<void>;
  /** Asked before what cannot be undone. @throws KeyauditError `WORK_TAKEN_OVER` */
  requireOwn(): Promise<void>;
  /** Whether it cannot have been taken over yet; for the last moment before a file is replaced. */
  isSure(): boolean;
}

/** Whose journal: that of a working folder, sealed by the key in the user's folder that the environment names. */
export interface JournalPlace {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What a process that shows no sign of life left, and how sure that is. */
export interface Leftover {
  readonly entry: JournalEntry;
  /**
   * `dead`: the kernel says so. `frozen`: the process is there and gives no sign of life. `silent`: nobody can say
   * whether it is there. `elsewhere`: it was begun on another machine.
   */
  readonly owner: 'dead' | 'frozen' | 'silent' | 'elsewhere';
  /** Its last sign of life. */
  readonly last: number | undefined;
}

/** Writes that work begins. @param id unique */
export async function beginWork(
  place: JournalPlace,
  entry: NewEntry & { readonly id: string },
  now: Date,
  /** @throws an error where the work has to wait for another's. */
  check: (others: readonly JournalEntry[]) => void = () => {},
): Promise<JournalWork> {
  const owner = newOwner();
  const heartbeat = await startHeartbeat(place.cwd, owner.token);
  const begun = { ...entry, owner, startedAt: now.toISOString() };
  try {
    await journalOf(place).update((entries) => {
      check(entries);
      return [...entries, begun];
    });
  } catch (error) {
    await heartbeat.stop();
    throw error;
  }
  return workOn(place, begun, heartbeat);
}

/**
 * Takes over an entry whose process shows no sign of life; undefined when it shows one after all, or another process
 * was quicker.
 */
export async function takeOver(
  place: JournalPlace,
  { entry, last }: Leftover,
): Promise<JournalWork | undefined> {
  if (!(await endHeartbeat(place.cwd, entry.owner.token, last))) return undefined;
  const owner = newOwner();
  const heartbeat = await startHeartbeat(place.cwd, owner.token);
  let isTaken = false;
  await journalOf(place).update((entries) => {
    isTaken = entries.some((known) => isSameOwner(known, entry));
    return entries.map((known) => (isSameOwner(known, entry) ? { ...known, owner } : known));
  });
  if (isTaken) return workOn(place, { ...entry, owner }, heartbeat);
  await heartbeat.stop();
  return undefined;
}

/**
 * Lets a process without a sign of life know, should it wake, that it was taken for dead; what it had begun stays
 * as it is. @returns false where it gave a sign after all
 */
export function silence({ cwd }: JournalPlace, { entry, last }: Leftover): Promise<boolean> {
  return endHeartbeat(cwd, entry.owner.token, last);
}

function isSameOwner(one: JournalEntry, other: JournalEntry): boolean {
  return one.id === other.id && JSON.stringify(one.owner) === JSON.stringify(other.owner);
}

/** One's own entries, whoever works on them. */
export async function listWork(place: JournalPlace): Promise<readonly JournalEntry[]> {
  return (await journalOf(place).read()).own;
}

/** One's own entries whose processes show no sign of life, and every entry that is not one's own. */
export async function listLeftovers(
  place: JournalPlace,
): Promise<{ readonly own: readonly Leftover[]; readonly foreign: readonly JournalEntry[] }> {
  const { own, foreign } = await journalOf(place).read();
  const looked = await Promise.all(own.map((entry) => lookAfter(place, entry)));
  return { own: looked.filter((left) => left !== undefined), foreign };
}

/** Whether anybody works on an entry; looks for some seconds where that is not seen at once. */
export async function lookAfter({ cwd }: JournalPlace, entry: JournalEntry): Promise<Leftover | undefined> {
  const { owner } = entry;
  const said = askKernel(owner);
  if (said === 'dead') return { entry, owner: 'dead', last: undefined };
  const pulse = await feelPulse(cwd, owner.token);
  if (pulse.isBeating) return undefined;
  const { last } = pulse;
  if (isOtherHost(owner)) return { entry, owner: 'elsewhere', last };
  return { entry, owner: said === 'there' ? 'frozen' : 'silent', last };
}

/** Makes every foreign entry, and every one of another machine, one of this user's whose process has died. */
export async function adoptLeftovers(place: JournalPlace): Promise<readonly JournalEntry[]> {
  const journal = journalOf(place);
  const adopted = await journal.adopt((entry) => ({ ...entry, owner: deadOwner() }));
  const { own } = await listLeftovers(place);
  const elsewhere = own.filter(({ owner }) => owner === 'elsewhere').map(({ entry }) => entry);
  await journal.update((entries) =>
    entries.map((entry) =>
      elsewhere.some((left) => isSameOwner(left, entry)) ? { ...entry, owner: deadOwner() } : entry,
    ),
  );
  return [...adopted, ...elsewhere];
}

function workOn(
  place: JournalPlace,
  { id, owner, step: first }: JournalEntry,
  heartbeat: Heartbeat,
): JournalWork {
  let step: JournalEntry['step'] | 'over' = first;
  const journal = journalOf(place);
  const isMine = (entry: JournalEntry) => entry.id === id && entry.owner.token === owner.token;
  const requireMine = (entries: readonly JournalEntry[]) => {
    if (!entries.some(isMine)) throw takenOver();
  };
  const end = async () => {
    await journal.update((entries) => entries.filter((entry) => !isMine(entry)));
    step = 'over';
    await heartbeat.stop();
  };
  return {
    update: async (fields) => {
      await journal.update((entries) => {
        requireMine(entries);
        return entries.map((entry) => (isMine(entry) ? { ...entry, ...fields } : entry));
      });
      step = fields.step ?? step;
    },
    end,
    leave: () => (step === 'begun' ? end() : heartbeat.stop()),
    requireOwn: async () => {
      if (heartbeat.isSure()) return;
      // First the sign, which fails once it was taken over; whoever looks from now on sees that this process is there.
      await heartbeat.beat().catch(() => {
        throw takenOver();
      });
      requireMine((await journal.read()).own);
    },
    isSure: () => heartbeat.isSure(),
  };
}

function takenOver(): KeyauditError {
  return new KeyauditError(
    'WORK_TAKEN_OVER',
    'This process gave no sign of life for seconds, and another keyaudit process took its work over.',
    {
      hint: 'Nothing further was done here. "keyaudit keys list" shows how it stands.',
      exitCode: EXIT.undetermined,
    },
  );
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
