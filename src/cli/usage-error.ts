import type { CommanderError, CommandUnknownOpts } from '@commander-js/extra-typings';
import { KeyauditError } from '../core/error.ts';

/** What commander says of a wrong command line, as an error of ours. */
export function usageError(error: CommanderError, program: CommandUnknownOpts): KeyauditError {
  const command = commandOf(program);
  const path = pathOf(command);
  if (error.code === 'commander.help') {
    const names = command.commands.map((child) => child.name());
    return new KeyauditError('USAGE', `"${path}" is not a command alone.`, {
      hint: `Say which: ${names.map((name) => `${path} ${name}`).join(', ')}.`,
    });
  }
  const [, said = error.message, suggestion] =
    /^(?:error: )?([\s\S]*?)(?:\n\((Did you mean [\s\S]*\?)\))?$/.exec(error.message) ?? [];
  const message = said.charAt(0).toUpperCase() + said.slice(1);
  return new KeyauditError('USAGE', /[.?!]$/.test(message) ? message : `${message}.`, {
    hint: suggestion ?? `"${path} --help" says what it takes.`,
  });
}

/** The command that the words name, as deep as they name one. */
function commandOf(program: CommandUnknownOpts): CommandUnknownOpts {
  const child = program.commands.find((command) => command.name() === program.args[0]);
  return child === undefined ? program : commandOf(child);
}

function pathOf(command: CommandUnknownOpts): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
