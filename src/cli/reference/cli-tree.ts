import type { Argument, CommandUnknownOpts, Option } from '@commander-js/extra-typings';

/** A command of the program as plain data: what completion and docs/cli.md are made from. */
export interface CliCommand {
  /** From the program's name on: `['keyaudit', 'profiles', 'list']`. */
  readonly path: readonly string[];
  readonly usage: string;
  readonly description: string;
  /** The heading it stands under in the help of what it belongs to; empty where there is none. */
  readonly group: string;
  readonly arguments: readonly CliArgument[];
  readonly options: readonly CliOption[];
  readonly examples: readonly string[];
  readonly commands: readonly CliCommand[];
}

export interface CliArgument {
  readonly name: string;
  readonly choices: readonly string[];
}

export interface CliOption {
  /** `--depth`, and `-V` where there is one. */
  readonly names: readonly string[];
  /** What it takes, such as `<file>`; empty for a switch. */
  readonly value: string;
  readonly description: string;
  readonly choices: readonly string[];
  readonly variable: string | undefined;
  readonly defaultValue: string | undefined;
}

const examples = new WeakMap<CommandUnknownOpts, readonly string[]>();

/** Remembers the examples of a command, which commander keeps as text of its help only. */
export function rememberExamples(command: CommandUnknownOpts, list: readonly string[]): void {
  examples.set(command, list);
}

/** The program as data, hidden commands left out. */
export function cliTree(command: CommandUnknownOpts, above: readonly string[] = []): CliCommand {
  const path = [...above, command.name()];
  const help = command.createHelp();
  return {
    path,
    usage: [path.join(' '), command.usage()].join(' '),
    description: command.description(),
    group: command.helpGroup()?.replace(/:$/, '') ?? '',
    arguments: command.registeredArguments.map((argument: Argument) => ({
      name: argument.name(),
      choices: argument.argChoices ?? [],
    })),
    options: command.options.filter((option) => !option.hidden).map(cliOption),
    examples: examples.get(command) ?? [],
    commands: help
      .visibleCommands(command)
      .filter((child) => child.name() !== 'help')
      .map((child) => cliTree(child, path)),
  };
}

function cliOption(option: Option): CliOption {
  const { defaultValue } = option;
  const shown =
    typeof defaultValue === 'string' || typeof defaultValue === 'number' ? String(defaultValue) : undefined;
  return {
    names: [option.long, option.short].filter((name) => name !== undefined),
    value: /[<[].*$/.exec(option.flags)?.[0] ?? '',
    description: option.description,
    choices: option.argChoices ?? [],
    variable: option.envVar,
    defaultValue: shown,
  };
}

/** Every command, the program itself first. */
export function allCommands(tree: CliCommand): readonly CliCommand[] {
  return [tree, ...tree.commands.flatMap(allCommands)];
}

/** What the value of an option or argument is, for completion. */
export function kindOfValue(name: string): 'profile' | 'file' | 'other' {
  const bare = name.replace(/[<>[\].]/g, '');
  if (/^(profiles?|profile-or-key-id|before|after)$/.test(bare)) return 'profile';
  return /^(file|format=file)$/.test(bare) ? 'file' : 'other';
}
