import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { writesToAccept } from '../../core/draft/profile-text.ts';
import { resolveDraft } from '../../core/draft/resolve-draft.ts';
import { starterProfile } from '../../core/draft/starter-profile.ts';
import { extendedWorkflow, starterWorkflow } from '../../core/draft/starter-workflow.ts';
import { defaultVariable } from '../../core/profile/profile.ts';
import { readTextFile } from '../../store/files/read-text-file.ts';
import { today } from '../context.ts';
import type { Session } from '../session.ts';
import type { InitAnswers } from './init-interview.ts';

/** A file that `init` is to write. */
export interface PlannedFile {
  readonly file: string;
  readonly text: string;
  /** What lies there now: nothing, this very text, a gate of ours that gets one more key, or something else. */
  readonly state: 'new' | 'same' | 'extended' | 'other';
}

/** What `init` is to write for its answers. */
export interface InitFiles {
  readonly variable: string;
  readonly profile: PlannedFile;
  readonly gate: PlannedFile | undefined;
}

/**
 * The files for the answers, compared with what lies there. Nothing is written.
 * @param taken the user's own profiles: variable by name
 * @throws KeyauditError `PROFILE_INVALID` for names that do not exist
 */
export async function planInit(
  answers: InitAnswers,
  taken: ReadonlyMap<string, string>,
  session: Session,
): Promise<InitFiles> {
  const { catalog, project, version, cwd } = session;
  const { name, permissions, acceptBecause = '', ci } = answers;
  const file = join(project.settings?.values.profiles ?? 'profiles', `${name}.yaml`);
  const variable = answers.env ?? defaultVariable(name);
  const writes =
    acceptBecause === ''
      ? []
      : writesToAccept(resolveDraft({ name, permissions }, catalog, today(session)).grant, catalog);
  const text = starterProfile(
    {
      name,
      description: answers.description,
      env: answers.env,
      permissions,
      schema: schemaFrom(dirname(file), session),
      accept: writes.length === 0 ? undefined : { operations: writes, reason: acceptBecause },
    },
    catalog,
    today(session),
  );
  const profile = await planned(file, text, cwd);
  const variables = [...new Set([...taken.values(), variable])].sort();
  const fresh = starterWorkflow(ci, { version, variables });
  if (fresh === undefined) return { variable, profile, gate: undefined };
  const there = await textOf(resolve(cwd, fresh.file));
  const extended = there === undefined ? undefined : extendedWorkflow(ci, there, variables);
  const gate: PlannedFile =
    extended === undefined || extended === there
      ? await planned(fresh.file, extended ?? fresh.text, cwd)
      : { file: fresh.file, text: extended, state: 'extended' };
  return { variable, profile, gate };
}

async function planned(file: string, text: string, cwd: string): Promise<PlannedFile> {
  const there = await textOf(resolve(cwd, file));
  return { file, text, state: there === undefined ? 'new' : there === text ? 'same' : 'other' };
}

/** What a file says; empty where something is there that cannot be read as text, undefined where nothing is. */
async function textOf(path: string): Promise<string | undefined> {
  return readTextFile(path).catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT' || error.code === 'ENOTDIR' ? undefined : '',
  );
}

/** Below the working folder as npm lays it, else where this keyaudit lies. */
function schemaFrom(folder: string, { cwd, packageRoot }: Session): string {
  const schema = join(packageRoot, 'schema', 'profile.schema.json');
  const below = relative(cwd, schema);
  const file =
    below.startsWith('..') || isAbsolute(below) ? 'node_modules/keyaudit/schema/profile.schema.json' : below;
  return relative(folder, file).replaceAll('\\', '/');
}
