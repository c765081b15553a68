import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { EXIT, type ExitCode } from '../../core/error.ts';
import { PROFILE_NAME } from '../../core/profile/profile-name.ts';
import type { CommandContext } from '../../session/context.ts';
import { withResultOutput } from '../../session/result-output.ts';
import { openSession } from '../../session/session.ts';
import { renderCliReference } from '../reference/cli-reference.ts';
import { cliTree } from '../reference/cli-tree.ts';
import { renderCompletion } from './completion-scripts.ts';
import { SHELLS } from './shells.ts';

/** `keyaudit completion SHELL`: a completion script; `completion profiles` prints the names that such a script asks for. */
export async function completion(
  name: string,
  program: CommandUnknownOpts,
  context: CommandContext,
): Promise<ExitCode> {
  const shell = SHELLS.find((known) => known === name);
  const text = shell === undefined ? await profileNames(context) : renderCompletion(shell, cliTree(program));
  await withResultOutput(context, (output) => output.write(text));
  return EXIT.ok;
}

/** `keyaudit cli-reference`, hidden: docs/cli.md. */
export async function cliReference(program: CommandUnknownOpts, context: CommandContext): Promise<ExitCode> {
  await withResultOutput(context, (output) => output.write(renderCliReference(cliTree(program))));
  return EXIT.ok;
}

async function profileNames(context: CommandContext): Promise<string> {
  const { library } = await openSession(context);
  const names: string[] = [];
  for (const entry of await library.entries()) {
    const reading = await library.read(entry);
    names.push(reading.ok ? reading.profile.name : entry.stem);
  }
  // A shell expands what it is given: a file called '$(…).yaml' must not run anything.
  return [...new Set(names)]
    .filter((name) => PROFILE_NAME.test(name))
    .map((name) => `${name}\n`)
    .join('');
}
