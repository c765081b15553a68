import { allCommands, type CliCommand, type CliOption, kindOfValue } from '../reference/cli-tree.ts';
import type { Shell } from './shells.ts';

/** A completion script, made from the program; names of profiles are asked for when they are needed. */
export function renderCompletion(shell: Shell, tree: CliCommand): string {
  switch (shell) {
    case 'bash':
      return bash(tree);
    case 'zsh':
      return zsh(tree);
    case 'fish':
      return fish(tree);
  }
}

/** Prints the names of all profiles, one a line. */
const PROFILES = 'keyaudit completion profiles 2>/dev/null';

/** Where a command stands below the program: empty, `/verify`, `/profiles/list`. */
function placeOf({ path }: CliCommand): string {
  return path
    .slice(1)
    .map((name) => `/${name}`)
    .join('');
}

interface ValueRule {
  /** `*:--target` for an option of every command, `/verify:--depth` for one of that command. */
  readonly at: readonly string[];
  readonly option: CliOption;
}

function valueRules(tree: CliCommand): readonly ValueRule[] {
  return allCommands(tree).flatMap((command) =>
    command.options
      .filter(({ value }) => value !== '')
      .map((option) => ({
        at: option.names.map((name) => `${command.path.length === 1 ? '*' : placeOf(command)}:${name}`),
        option,
      })),
  );
}

function takesProfiles(command: CliCommand): boolean {
  return command.arguments.some(({ name }) => kindOfValue(name) === 'profile');
}

function bash(tree: CliCommand): string {
  const commands = allCommands(tree);
  const common = tree.options.flatMap(({ names }) => names);
  const values = valueRules(tree).map(({ at, option }) => {
    const reply =
      option.choices.length > 0
        ? `compgen -W '${option.choices.join(' ')}' -- "$cur"`
        : { profile: `compgen -W "$(${PROFILES})" -f -- "$cur"`, file: 'compgen -f -- "$cur"', other: '' }[
            option.names.includes('--profile') ? 'profile' : kindOfValue(option.value)
          ];
    return `    ${at.join('|')}) ${reply === '' ? 'return' : `_keyaudit_reply < <(${reply}); return`} ;;`;
  });
  const places = commands.map((command) => {
    const below = command.commands.map(({ path }) => path.at(-1));
    const choices = command.arguments.flatMap((argument) => argument.choices);
    const options = [...command.options.flatMap(({ names }) => names), ...(command === tree ? [] : common)];
    return `    ${placeOf(command) || "''"}) words='${[...below, ...choices].join(' ')}' options='${[...new Set([...options, '--help'])].join(' ')}' profiles=${takesProfiles(command) ? 'yes' : ''} ;;`;
  });
  return `# Completion of keyaudit for bash. Load it with: source <(keyaudit completion bash)
_keyaudit_reply() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do COMPREPLY+=("$line"); done
}
_keyaudit() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} at='' i words options profiles
  for ((i = 1; i < COMP_CWORD; i++)); do
    # Behind "--" stands the command of another program.
    [[ \${COMP_WORDS[i]} == -- ]] && { _keyaudit_reply < <(compgen -c -f -- "$cur"); return; }
    case "$at/\${COMP_WORDS[i]}" in
      ${commands.slice(1).map(placeOf).join('|')}) at="$at/\${COMP_WORDS[i]}" ;;
    esac
  done
  case "$at:$prev" in
${values.join('\n')}
  esac
  case "$at" in
${places.join('\n')}
  esac
  if [[ $cur == -* ]]; then
    _keyaudit_reply < <(compgen -W "$options" -- "$cur")
  elif [[ -n $profiles ]]; then
    _keyaudit_reply < <(compgen -W "$words $(${PROFILES})" -f -- "$cur")
  else
    _keyaudit_reply < <(compgen -W "$words" -- "$cur")
  fi
}
complete -F _keyaudit keyaudit
`;
}

function zsh(tree: CliCommand): string {
  const commands = allCommands(tree);
  const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const described = (name: string, description: string) =>
    quote(`${name.replaceAll(':', '\\:')}:${description}`);
  const values = valueRules(tree).map(({ at, option }) => {
    const reply =
      option.choices.length > 0
        ? `compadd -- ${option.choices.join(' ')}`
        : { profile: `compadd -- \${(f)"$(${PROFILES})"}; _files`, file: '_files', other: ':' }[
            option.names.includes('--profile') ? 'profile' : kindOfValue(option.value)
          ];
    return `    (${at.join('|')}) ${reply}; return ;;`;
  });
  const places = commands.map((command) => {
    const below = command.commands.map((child) => described(child.path.at(-1) ?? '', child.description));
    const choices = command.arguments.flatMap((argument) => argument.choices.map(quote));
    const options = [...command.options, ...(command === tree ? [] : tree.options)].flatMap(
      ({ names, description }) => names.map((name) => described(name, description)),
    );
    return `    (${quote(placeOf(command))})
      names=(${[...below, ...choices].join(' ')})
      options=(${options.join(' ')})
      profiles=${takesProfiles(command) ? 'yes' : ''} ;;`;
  });
  return `#compdef keyaudit
# Completion of keyaudit for zsh. Load it with: source <(keyaudit completion zsh)
_keyaudit() {
  local at='' cur=\${words[CURRENT]} prev=\${words[CURRENT-1]} profiles i
  local -a names options
  for ((i = 2; i < CURRENT; i++)); do
    # Behind "--" stands the command of another program.
    if [[ \${words[i]} == -- ]]; then _command_names; _files; return; fi
    case "$at/\${words[i]}" in
      (${commands.slice(1).map(placeOf).join('|')}) at="$at/\${words[i]}" ;;
    esac
  done
  case "$at:$prev" in
${values.join('\n')}
  esac
  case "$at" in
${places.join('\n')}
  esac
  if [[ $cur == -* ]]; then
    _describe -o option options
  else
    (( $#names )) && _describe command names
    if [[ -n $profiles ]]; then compadd -- \${(f)"$(${PROFILES})"}; _files; fi
  fi
}
if [[ \${funcstack[1]} == _keyaudit ]]; then _keyaudit "$@"; else compdef _keyaudit keyaudit; fi
`;
}

function fish(tree: CliCommand): string {
  const quote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = allCommands(tree).flatMap((command) => {
    const place = placeOf(command);
    const when = command === tree ? '' : ` -n ${quote(`__keyaudit_at ${place}`)}`;
    const here = ` -n ${quote(`__keyaudit_at ${place === '' ? '/' : place}`)}`;
    return [
      ...command.commands.map(
        (child) =>
          `complete -c keyaudit${here} -f -a ${quote(child.path.at(-1) ?? '')} -d ${quote(child.description)}`,
      ),
      ...command.arguments
        .flatMap(({ choices }) => choices)
        .map((choice) => `complete -c keyaudit${here} -f -a ${quote(choice)}`),
      ...(takesProfiles(command) ? [`complete -c keyaudit${here} -F -a ${quote(`(${PROFILES})`)}`] : []),
      ...command.options.map(({ names, value, description, choices }) => {
        const flags = names.map((name) =>
          name.startsWith('--') ? ` -l ${name.slice(2)}` : ` -s ${name.slice(1)}`,
        );
        const kind = names.includes('--profile') ? 'profile' : kindOfValue(value);
        const takes =
          choices.length > 0
            ? ` -x -a ${quote(choices.join(' '))}`
            : value === ''
              ? ''
              : { profile: ` -r -a ${quote(`(${PROFILES})`)}`, file: ' -r -F', other: ' -x' }[kind];
        return `complete -c keyaudit${when}${flags.join('')}${takes} -d ${quote(description)}`;
      }),
    ];
  });
  const places = allCommands(tree).slice(1).map(placeOf);
  return `# Completion of keyaudit for fish. Load it with: keyaudit completion fish | source
function __keyaudit_at
    set -l at ''
    for word in (commandline -opc)[2..]
        if contains -- "$at/$word" ${places.join(' ')}
            set at "$at/$word"
        end
    end
    test "$at" = "$argv[1]"; or test -z "$at" -a "$argv[1]" = /
end
complete -c keyaudit -f
${lines.join('\n')}
`;
}
