import { knownWords } from '../../core/draft/runs/known-words.ts';
import type { RecordWay } from '../../core/draft/runs/record-way.ts';
import { type RecordedRun, RUN_SCHEMA, RunRecorder } from '../../core/draft/runs/recorded-run.ts';
import { KeyauditError } from '../../core/error.ts';
import type { Grant } from '../../core/grant/grant.ts';
import { hookEnvironment } from '../../record/child-environment.ts';
import { isHookedProgram } from '../../record/is-hooked-program.ts';
import { openRecorder, type RecorderPlan, unseenByRecorder } from '../../record/proxy/open-recorder.ts';
import { goesPastProxies, ownProxy } from '../../record/proxy/proxy-environment.ts';
import { readNotes, unseenBy } from '../../record/read-notes.ts';
import { writeRun } from '../../store/run-files.ts';
import type { Session } from '../session.ts';
import { type ChildOptions, runChild } from './run-child.ts';

/** How a command is recorded. */
export interface RecordingOptions {
  /** Runs of one name are folded together. */
  readonly name: string;
  readonly via: RecordWay;
  /** Variables in which the command looks for the address of Stripe, besides `KEYAUDIT_API_BASE`. */
  readonly baseVariables: readonly string[];
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
 * @throws KeyauditError `STORE_UNWRITABLE`, `PROXY_TAKEN`
 */
export async function recordChild(
  child: ChildOptions,
  { name, grant, ...options }: RecordingOptions,
  session: Session,
): Promise<RecordedChild> {
  const { catalog, cwd, now } = session;
  const words = knownWords(catalog);
  const recorder = new RunRecorder(catalog, words);
  const plan = await planFor(child, options, session);
  const server = await openRecorder(plan, { catalog, recorder, now: now() });
  const hooks = await hookEnvironment(words, child.env, server?.url);
  try {
    const startedAt = now().toISOString();
    const env = {
      ...child.env,
      ...(plan.hooks ? hooks.env : {}),
      ...(await server?.environment(child.env, hooks.folder)),
    };
    const exitCode = await runChild(
      { ...child, args: plan.hooks ? hooks.arguments(child.args) : child.args, env },
      session,
    );
    await server?.settled();
    const notes = await readNotes(hooks.notesFile, recorder);
    const run: RecordedRun = {
      schema: RUN_SCHEMA,
      name,
      startedAt,
      endedAt: now().toISOString(),
      catalog: catalog.source,
      seenBy: [
        ...(['node', 'python'] as const).filter((language) => notes.processes[language] > 0),
        ...(server === undefined || server.seen.byBase === 0 ? [] : ['base']),
        ...(server === undefined || server.seen.byProxy === 0 ? [] : ['proxy']),
      ],
      ...grantedBy(grant),
      unseen: [
        ...unseenBy(notes, plan.hooks && server === undefined),
        ...unseenByRecorder(plan, server?.seen, notes),
      ],
      calls: recorder.calls,
    };
    return { exitCode, run, file: await writeRun(cwd, run) };
  } finally {
    await server?.close();
    await hooks.close();
  }
}

/** By which ways this command is watched. @throws KeyauditError `PROXY_TAKEN` */
async function planFor(
  { command, env }: ChildOptions,
  { via, baseVariables }: Pick<RecordingOptions, 'via' | 'baseVariables'>,
  { from, globals }: Session,
): Promise<RecorderPlan> {
  const variables = ['KEYAUDIT_API_BASE', ...baseVariables];
  const named = variables.flatMap((variable) => (env[variable] ? [env[variable]] : []));
  const upstream = globals.apiBase ?? named[0];
  const taken = ownProxy(env);
  const facts = { upstream, isPast: goesPastProxies(env), taken };
  switch (via) {
    case 'preload':
      return { ...facts, hooks: true, bases: [], proxy: false };
    case 'base':
      return { ...facts, hooks: false, bases: variables, proxy: false };
    case 'proxy':
      if (taken !== undefined) {
        throw new KeyauditError(
          'PROXY_TAKEN',
          `The command has a proxy already (${taken}), and only one can be between.`,
          {
            hint: `Run it without ${taken}, or record it by --via base or --via preload.`,
          },
        );
      }
      return { ...facts, hooks: false, bases: [], proxy: true };
    case 'auto': {
      const isHooked = baseVariables.length === 0 && (await isHookedProgram(command, from, env));
      // An address that the command was given already is one that it is known to read.
      const bases = isHooked ? [] : [...variables.filter((variable) => env[variable]), ...baseVariables];
      return { ...facts, hooks: true, bases, proxy: !isHooked && taken === undefined };
    }
  }
}

/** What a run file says of the grant; nothing where it is not known. */
function grantedBy(grant: RecordingOptions['grant']): Pick<RecordedRun, 'granted' | 'connectGranted'> {
  if (grant === undefined) return {};
  return { granted: [...grant.permissions], connectGranted: [...grant.connectPermissions] };
}
