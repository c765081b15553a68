import { access, mkdir } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { lockProfiles } from '../audit/lock-profiles.ts';
import { CI_SYSTEMS, type CiSystem } from '../core/draft/ci-system.ts';
import type { DraftPermission } from '../core/draft/profile-text.ts';
import { parseStarterPermission, starterProfile } from '../core/draft/starter-profile.ts';
import { starterWorkflow } from '../core/draft/starter-workflow.ts';
import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import { LOCK_FILE } from '../core/lock/lock.ts';
import { requireProfileName } from '../core/profile/profile-name.ts';
import { provisionKey, storeFor } from '../keys/provision-key.ts';
import { paintFor, wrap } from '../report/text.ts';
import { type CommandContext, today } from '../session/context.ts';
import { grantsFor } from '../session/profile-grant.ts';
import { printResult } from '../session/result-output.ts';
import { openSession, withTarget } from '../session/session.ts';
import { writeResultFile } from '../store/result-file.ts';

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

interface Answers {
  readonly name: string;
  readonly description: string;
  readonly permissions: readonly DraftPermission[];
  readonly ci: CiSystem;
}

const DEFAULTS = { name: 'my-agent', permissions: ['charges=read', 'customers=read'], ci: 'github' } as const;

/**
 * `keyaudit init`: a starter profile, its entry in the lock file, verified on the sandbox, and the gate
 * for CI. Asks on a terminal where flags leave something open; never overwrites without `--force`.
 */
export async function init(options: InitOptions, context: CommandContext): Promise<ExitCode> {
  const answers = await gather(options, context);
  requireProfileName(answers.name);
  const { catalog } = await openSession(context);
  const profileFile = join('profiles', `${answers.name}.yaml`);
  const profileText = starterProfile(
    {
      ...answers,
      env: options.env,
      schema: schemaFrom(dirname(profileFile), context),
    },
    catalog,
    today(context),
  );
  const workflow = starterWorkflow(answers.ci, { version: context.version, variables: [] });
  const planned = [profileFile, ...(workflow === undefined ? [] : [workflow.file])];
  if (options.force !== true) await requireAbsent(planned, context);
  const written: string[] = [];
  const write = async (file: string, text: string) => {
    await mkdir(dirname(resolve(context.cwd, file)), { recursive: true });
    await writeResultFile(context, file, text, 'input');
    written.push(file);
  };
  await write(profileFile, profileText);
  const all = await (await openSession(context)).library.all();
  const variables = [...new Set(all.map(({ env }) => env))].sort();
  const gate = starterWorkflow(answers.ci, { version: context.version, variables });
  if (gate !== undefined) await write(gate.file, gate.text);
  const notLocked = await lockOnSandbox(answers.name, context);
  if (notLocked === undefined) written.push(LOCK_FILE);
  const variable = all.find(({ name }) => name === answers.name)?.env ?? '';
  await printResult(context, {
    json: {
      schema: 'keyaudit.init/1',
      profile: answers.name,
      variable,
      written,
      notLocked: notLocked ?? null,
    },
    table: (output) => {
      const paint = paintFor(output);
      for (const file of written) output.write(`${paint.green('✔')} ${file}\n`);
      const say = (text: string) => output.write(wrap(text, output, { indent: '  ' }));
      if (notLocked !== undefined) say(`${LOCK_FILE} has no entry for it yet: ${notLocked}`);
      say(`Look at what it comes to: keyaudit plan ${answers.name}`);
      if (notLocked !== undefined)
        say(`Then lock it: keyaudit provision ${answers.name} && keyaudit lock ${answers.name}`);
      say(`Make its key at Stripe: keyaudit provision ${answers.name} --target stripe`);
      if (gate !== undefined) say(`Give CI the key in ${variable}, and commit these files.`);
    },
  });
  return EXIT.ok;
}

/** Flags first, then the terminal, then defaults. */
async function gather(options: InitOptions, context: CommandContext): Promise<Answers> {
  const asks = context.stdin.isTerminal && !context.globals.quiet && options.name === undefined;
  const answer = async (question: string, otherwise: string): Promise<string> =>
    asks ? (await context.stdin.ask(`${question} [${otherwise}]: `)) || otherwise : otherwise;
  const name = options.name ?? (await answer('Name of the agent', DEFAULTS.name));
  const description =
    options.description ?? (await answer('What does it do, in one sentence', `What ${name} does`));
  const permissions =
    options.permission.length > 0
      ? options.permission
      : (await answer('What does it need (resource=read or write)', DEFAULTS.permissions.join(', '))).split(
          /\s*,\s*/,
        );
  const ci = options.ci ?? (await answer(`CI (${CI_SYSTEMS.join(', ')})`, DEFAULTS.ci));
  const system = CI_SYSTEMS.find((known) => known === ci);
  if (system === undefined) {
    throw new KeyauditError('USAGE', `"${ci}" is no CI system that is known here.`, {
      hint: `Valid: ${CI_SYSTEMS.join(', ')}.`,
    });
  }
  return { name, description, permissions: permissions.map(parseStarterPermission), ci: system };
}

async function requireAbsent(files: readonly string[], { cwd }: CommandContext): Promise<void> {
  const there: string[] = [];
  for (const file of files) {
    const exists = await access(resolve(cwd, file)).then(
      () => true,
      () => false,
    );
    if (exists) there.push(file);
  }
  if (there.length === 0) return;
  throw new KeyauditError(
    'FILE_EXISTS',
    `${there.join(' and ')} ${there.length === 1 ? 'is' : 'are'} there already; nothing was written.`,
    {
      hint: 'Choose another name, say --ci none, or --force to overwrite.',
    },
  );
}

/** Below the working folder as npm lays it, else where this keyaudit lies. */
function schemaFrom(folder: string, { cwd, packageRoot }: CommandContext): string {
  const schema = join(packageRoot, 'schema', 'profile.schema.json');
  const below = relative(cwd, schema);
  const file =
    below.startsWith('..') || isAbsolute(below) ? 'node_modules/keyaudit/schema/profile.schema.json' : below;
  return relative(folder, file).replaceAll('\\', '/');
}

/** Makes the key on the sandbox and locks it; the reason where that cannot be yet. */
async function lockOnSandbox(name: string, context: CommandContext): Promise<string | undefined> {
  const silent = { ...context.stdout, write: () => {} };
  const { output: _, apiBase: __, ...globals } = context.globals;
  const quiet: CommandContext = {
    ...context,
    // Neither a key nor a server of this environment may have a part in it.
    env: {},
    stdout: silent,
    stderr: silent,
    globals: {
      ...globals,
      target: 'sandbox',
      isPrivate: true,
      format: 'table',
      quiet: true,
      live: false,
      place: [],
    },
  };
  try {
    const session = await openSession(quiet);
    const grants = await grantsFor({ profiles: [name] }, session);
    await withTarget(session, async (open) => {
      for (const grant of grants) await provisionKey(grant, 'managed', {}, storeFor({}, open), open);
    });
    await lockProfiles({ profiles: [name] }, session);
    return undefined;
  } catch (error) {
    if (!(error instanceof KeyauditError)) throw error;
    return error.code === 'NOT_LOCKED'
      ? 'it can do more than it says, so accept that in the profile, or ask for less.'
      : error.message;
  }
}
