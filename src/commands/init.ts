import type { CiSystem } from '../core/draft/ci-system.ts';
import { writesToAccept } from '../core/draft/profile-text.ts';
import { resolveDraft } from '../core/draft/resolve-draft.ts';
import { parseStarterPermission } from '../core/draft/starter-profile.ts';
import { lineForKey } from '../core/draft/starter-workflow.ts';
import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import { LOCK_FILE } from '../core/lock/lock.ts';
import { requireProfileName } from '../core/profile/profile-name.ts';
import { lockOnSandbox } from '../keys/lock-on-sandbox.ts';
import { initJson, renderInit } from '../report/init.ts';
import { type CommandContext, today } from '../session/context.ts';
import { type InitFiles, type PlannedFile, planInit } from '../session/interview/init-files.ts';
import { askInit, INIT_DEFAULTS, type InitAnswers } from '../session/interview/init-interview.ts';
import { resumeInit } from '../session/interview/resume-init.ts';
import { printResult, requireFormat } from '../session/result-output.ts';
import { openSession, type Session } from '../session/session.ts';
import { UnfinishedInits } from '../store/notes/unfinished-init.ts';
import { writeProjectFile } from '../store/result-file.ts';

export interface InitOptions {
  readonly name?: string;
  readonly description?: string;
  readonly env?: string;
  /** Each `RESOURCE=LEVEL` or `RESOURCE=LEVEL: WHY`. */
  readonly permission: readonly string[];
  readonly ci?: CiSystem;
  /** Overwrites files that exist. */
  readonly force?: boolean;
}

/** What is to be written, and what is left as it is because a person wants it so. */
interface Plan extends InitFiles {
  readonly answers: InitAnswers;
  readonly leavesGate: boolean;
}

/**
 * `keyaudit init`: a starter profile, its entry in the lock file, verified on the sandbox, and the gate
 * for CI. Asks on a terminal where flags leave something open; never overwrites without `--force`.
 */
export async function init(options: InitOptions, context: CommandContext): Promise<ExitCode> {
  requireFormat(context.globals.format, ['table', 'json']);
  const session = await openSession(context);
  const taken = await ownProfiles(options.name, session);
  const asks = context.stdin.isTerminal && !context.globals.quiet && options.name === undefined;
  const plan = asks
    ? await planWithAnswers(options, taken, session)
    : await planFromFlags(options, taken, session);
  const { answers, profile, gate, variable, leavesGate } = plan;
  const written: string[] = [];
  for (const one of [profile, leavesGate ? undefined : gate]) {
    if (one === undefined || one.state === 'same') continue;
    await writeProjectFile(context, one.file, one.text);
    written.push(one.file);
  }
  const notLocked = await lockOnSandbox(answers.name, context);
  if (notLocked === undefined) written.push(LOCK_FILE);
  if (asks) await new UnfinishedInits(context.cwd, context.env).forget();
  const { grant } = resolveDraft(answers, session.catalog, today(session));
  const toAccept = (answers.acceptBecause ?? '') === '' ? writesToAccept(grant, session.catalog) : [];
  const { ci } = answers;
  const { target, apiBase } = context.globals;
  const report = {
    profile: answers.name,
    variable,
    written,
    notLocked,
    toAccept,
    toAcceptWith: [
      ...new Set(
        grant.widenings.flatMap(({ permission, operations }) =>
          operations.some((name) => toAccept.includes(name)) ? [permission] : [],
        ),
      ),
    ],
    gate:
      gate === undefined || ci === 'none'
        ? undefined
        : { file: gate.file, lacks: leavesGate ? lineForKey(ci, variable) : undefined },
    sandbox: target === 'sandbox' && apiBase === undefined ? [] : ['--target sandbox'],
  };
  await printResult(context, {
    json: initJson(report),
    table: (output) => renderInit(report, LOCK_FILE, output),
  });
  return EXIT.ok;
}

/**
 * The variable of each of the user's own profiles, by name. One that is broken is refused here, before anything is
 * written, unless it is the one that is asked for.
 */
async function ownProfiles(wanted: string | undefined, { library }: Session): Promise<Map<string, string>> {
  const own = new Map<string, string>();
  for (const entry of await library.entries()) {
    if (entry.origin !== 'own') continue;
    if (entry.stem === wanted && !(await library.read(entry)).ok) continue;
    const { name, env } = await library.profile(entry.file);
    own.set(name, env);
  }
  return own;
}

/** Flags, and defaults for what they leave open. @throws KeyauditError `FILE_EXISTS`, and nothing was written */
async function planFromFlags(
  { name = INIT_DEFAULTS.name, description = `What ${name} does`, env, permission, ci, force }: InitOptions,
  taken: ReadonlyMap<string, string>,
  session: Session,
): Promise<Plan> {
  requireProfileName(name);
  const permissions = permission.length > 0 ? permission : INIT_DEFAULTS.permissions;
  const answers: InitAnswers = {
    name,
    description,
    env,
    permissions: permissions.map(parseStarterPermission),
    ci: ci ?? INIT_DEFAULTS.ci,
  };
  const files = await planInit(answers, taken, session);
  if (force !== true) {
    const isElsewhere = taken.has(name) && files.profile.state === 'new';
    requireAbsent([isElsewhere ? `A profile "${name}"` : undefined, files.profile, files.gate]);
  }
  return { ...files, answers, leavesGate: false };
}

function requireAbsent(places: readonly (PlannedFile | string | undefined)[]): void {
  const there = places.flatMap((one) => {
    if (typeof one === 'string') return [one];
    return one?.state === 'other' ? [one.file] : [];
  });
  if (there.length === 0) return;
  throw new KeyauditError(
    'FILE_EXISTS',
    `${there.join(' and ')} ${there.length === 1 ? 'is' : 'are'} there already; nothing was written.`,
    { hint: 'Choose another name, say --ci none, or --force to overwrite.' },
  );
}

/** The same by questions, until nothing is in the way. */
async function planWithAnswers(
  options: InitOptions,
  taken: ReadonlyMap<string, string>,
  session: Session,
): Promise<Plan> {
  const { force = false } = options;
  const interview = await resumeInit(options, taken, session);
  for (;;) {
    const answers = await askInit(interview.answers(), { ...interview.around, overwrites: force });
    const files = await planInit(answers, taken, session);
    const { prompts } = interview.around;
    if (files.profile.state === 'other' && !force) {
      prompts.say(`${files.profile.file} is there already, and is not overwritten without --force.`);
      await interview.drop('name');
      continue;
    }
    const { gate } = files;
    if (gate?.state !== 'other' || force) return { ...files, answers, leavesGate: false };
    prompts.say(`${gate.file} is there already, and not as init would have written it.`);
    const way = await prompts.choose({
      message: 'What about it',
      choices: [
        { value: 'leave', about: 'it stays as it is, and what it lacks is said at the end' },
        { value: 'replace', about: 'it is written anew, and what it says now is lost' },
      ],
      otherwise: 'leave',
    });
    return { ...files, answers, leavesGate: way === 'leave' };
  }
}
