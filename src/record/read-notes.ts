import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { RunRecorder } from '../core/draft/runs/recorded-run.ts';

const text = z.string().max(400);

/** A line that a hook writes. The recorded command could write here too, so that nothing of it is taken as it is. */
const noteSchema = z.object({
  method: z.string().max(20),
  path: z.string().max(2_000),
  account: z.boolean().optional(),
  status: z.int().min(100).max(599).optional(),
  code: text.nullish(),
  names: z.array(text).max(100),
  expand: z.array(text).max(20),
  amount: z.int().min(0).optional(),
  currency: text.optional(),
});

const helloSchema = z.object({ hello: z.enum(['node', 'python']), version: text, pid: z.int().optional() });
/** The process id of a program that was started; 0 where it is not told. */
const startedSchema = z.object({ started: z.int().min(0) });
const unwatchedSchema = z.object({
  unwatched: z.enum(['http.client', 'httpx', 'aiohttp', 'pycurl', 'socket', 'subprocess', 'urllib.request']),
});
/** The process id of what gave its place to another program. */
const replacedSchema = z.object({ replaced: z.int().min(0) });
/** Notes of a thread (`PID.THREAD`) wait to be written, and are. */
const waitingSchema = z.object({ waiting: z.string().max(40) });
const writtenSchema = z.object({ written: z.string().max(40) });
/** A connection that no watched call made. */
const missedSchema = z.object({ missed: z.string().regex(/^(?:[a-z-]{1,20}\.){0,2}stripe\.com$/) });

/** What the hooks of one run said. */
export interface NotesRead {
  /** Processes that loaded a hook, by language. */
  readonly processes: Readonly<Record<'node' | 'python', number>>;
  readonly calls: number;
  /** Modules that could not be watched. */
  readonly unwatched: readonly string[];
  /** Stripe's hosts to which a process connected by a way that is not watched. */
  readonly missed: readonly string[];
  /** Whether a program was started in which no hook said hello. */
  readonly startedOthers: boolean;
  /** Processes that were killed while notes of theirs waited. */
  readonly cutOff: number;
  /** Whether a process could not write a note, such as to a full disk. */
  readonly isIncomplete: boolean;
  /** Lines that are no note. */
  readonly unread: number;
}

/** A hook that cannot write sets this on the file, since a full disk takes it still. */
const LOST_MARK = 0o100;

/** No hook writes a longer line. */
const LONGEST_LINE = 64 * 1024;

/** Reads the notes of a run, a line at a time, into `recorder`. */
export async function readNotes(file: string, recorder: RunRecorder): Promise<NotesRead> {
  const processes = { node: 0, python: 0 };
  const unwatched = new Set<string>();
  const missed = new Set<string>();
  const hooked = new Set<number>();
  const started = new Set<number>();
  let calls = 0;
  const waiting = new Set<string>();
  let unread = 0;
  for await (const line of createInterface({
    input: createReadStream(file, 'utf8'),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    if (line === '') continue;
    const value = line.length > LONGEST_LINE ? undefined : parsed(line);
    const hello = helloSchema.safeParse(value);
    const note = noteSchema.safeParse(value);
    const other = unwatchedSchema.safeParse(value);
    const connection = missedSchema.safeParse(value);
    const start = startedSchema.safeParse(value);
    const replaced = replacedSchema.safeParse(value);
    const begun = waitingSchema.safeParse(value);
    const written = writtenSchema.safeParse(value);
    if (hello.success) {
      processes[hello.data.hello] += 1;
      if (hello.data.pid !== undefined) hooked.add(hello.data.pid);
    } else if (note.success) {
      const { names, code, ...call } = note.data;
      recorder.note({ ...call, parameters: names, code: code ?? undefined });
      calls += 1;
    } else if (other.success) unwatched.add(other.data.unwatched);
    else if (start.success) started.add(start.data.started);
    else if (replaced.success) {
      hooked.delete(replaced.data.replaced);
      started.add(replaced.data.replaced);
    } else if (begun.success) waiting.add(begun.data.waiting);
    else if (written.success) waiting.delete(written.data.written);
    else if (connection.success) missed.add(connection.data.missed);
    else unread += 1;
  }
  return {
    processes,
    calls,
    unwatched: [...unwatched].sort(),
    missed: [...missed].sort(),
    startedOthers: [...started].some((pid) => !hooked.has(pid)),
    cutOff: waiting.size,
    isIncomplete: ((await stat(file)).mode & LOST_MARK) !== 0,
    unread,
  };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** What a run's hooks could not see, one sentence each. @param isAlone whether nothing else watched the command */
export function unseenBy(
  { processes, unwatched, missed, startedOthers, cutOff, isIncomplete, unread }: NotesRead,
  isAlone: boolean,
): string[] {
  return [
    ...(isAlone && processes.node + processes.python === 0
      ? [
          'No process of the command loaded a hook: it runs neither Node nor Python, or drops NODE_OPTIONS and PYTHONPATH. Nothing of it was seen.',
        ]
      : []),
    ...(isAlone && startedOthers
      ? [
          'Programs that it started and in which no hook could be loaded: what they called was not seen (--via proxy sees more).',
        ]
      : []),
    ...missed.map((host) => `A connection to ${host} by a way that is not watched, such as HTTP/2.`),
    ...unwatched.map((module) => `Calls by Python's ${module} were not seen.`),
    ...(isIncomplete ? ['Calls that could not be noted, since the disk took no more.'] : []),
    ...(cutOff > 0 && !isIncomplete ? ['The last calls, within 20 ms, of a process that was killed.'] : []),
    ...(unread > 0 ? [`${unread} ${unread === 1 ? 'line' : 'lines'} of the notes could not be read.`] : []),
  ];
}
