import { knownWords } from '../../core/draft/runs/known-words.ts';
import { type RecordedRun, RUN_SCHEMA, RunRecorder } from '../../core/draft/runs/recorded-run.ts';
import type { Grant } from '../../core/grant/grant.ts';
import { hookEnvironment } from '../../record/child-environment.ts';
import { readNotes, unseenBy } from '../../record/read-notes.ts';
import { writeRun } from '../../store/run-files.ts';
import type { Session } from '../session.ts';
import { type ChildOptions, runChild } from './run-child.ts';

/** How a command is recorded. */
export interface RecordingOptions {
  /** Runs of one name are folded together. */
  readonly name: string;
  /** What the command's key grants, where that is known. */
  readonly grant?: Pick<Grant, 'permissions' | 'connectPermissions'> | undefined;
}

/** A command that has ended, and what it called. */
export interface RecordedChild {
  /** The command's own. */
  readonly exitCode: number;
  readonly run: RecordedRun;
  readonly file: string;
}

/**
 * Runs a command as {@link runChild} does, notes each call to Stripe that it makes, and writes the run file when it
 * has ended, however it did.
 * @throws KeyauditError `STORE_UNWRITABLE`
 */
export async function recordChild(
  child: ChildOptions,
  { name, grant }: RecordingOptions,
  session: Session,
): Promise<RecordedChild> {
  const { catalog, cwd, now } = session;
  const words = knownWords(catalog);
  const hooks = await hookEnvironment(words, child.env);
  try {
    const startedAt = now().toISOString();
    const exitCode = await runChild({ ...child, env: { ...child.env, ...hooks.env } }, session);
    const recorder = new RunRecorder(catalog, words);
    const notes = await readNotes(hooks.notesFile, recorder);
    const run: RecordedRun = {
      schema: RUN_SCHEMA,
      name,
      startedAt,
      endedAt: now().toISOString(),
      catalog: catalog.source,
      seenBy: (['node', 'python'] as const).filter((language) => notes.processes[language] > 0),
      ...grantedBy(grant),
      unseen: unseenBy(notes),
      calls: recorder.calls,
    };
    return { exitCode, run, file: await writeRun(cwd, run) };
  } finally {
    await hooks.close();
  }
}

/** What a run file says of the grant; nothing where it is not known. */
function grantedBy(grant: RecordingOptions['grant']): Pick<RecordedRun, 'granted' | 'connectGranted'> {
  if (grant === undefined) return {};
  return { granted: [...grant.permissions], connectGranted: [...grant.connectPermissions] };
}
