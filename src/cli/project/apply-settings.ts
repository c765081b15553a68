import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { KeyauditError } from '../../core/error.ts';
import type { Settings } from '../../core/settings/settings.ts';
import type { Project } from '../../session/context.ts';

/** Where a value comes from that a settings file gives, in commander's words. */
const FROM_FILE = 'config';

/**
 * Gives a command what the project's file says, where neither the command line nor the environment says anything.
 * @throws KeyauditError `SERVER_NOT_AGREED`
 */
export function applySettings(
  program: CommandUnknownOpts,
  verb: CommandUnknownOpts,
  settings: Settings,
): void {
  const { values } = settings;
  const set = (command: CommandUnknownOpts, name: string, value: unknown) => {
    if (value === undefined || !isOpen(command, name)) return;
    command.setOptionValueWithSource(name, value, FROM_FILE);
  };
  const { depth, witness, rate, store } = values;
  const names = { depth, witness, rate, store, keyApi: values['key-api'] };
  for (const [name, value] of Object.entries(names)) set(verb, name, value);
  set(verb, 'report', values.reports);
  // A server that a person names is treated as Stripe, unless that person says otherwise.
  if (isOpen(program, 'apiBase')) set(program, 'target', values.target);
}

/** Whether a command has the option, and nobody has said anything about it. */
function isOpen(command: CommandUnknownOpts, name: string): boolean {
  const has = command.options.some((option) => option.attributeName() === name);
  const source = command.getOptionValueSource(name);
  return has && (source === undefined || source === 'default');
}

/**
 * The server that a settings file names, where no person named one or another target: nothing is sent there.
 * @returns the refusal of whoever wants to send something; undefined where it was agreed to, or none is named
 */
export function serverOfFile(program: CommandUnknownOpts, settings: Settings): KeyauditError | undefined {
  const server = settings.values['api-base'];
  const isSaid = ['target', 'apiBase'].some((name) =>
    ['cli', 'env'].includes(program.getOptionValueSource(name) ?? ''),
  );
  if (server === undefined || isSaid) return undefined;
  const { file, line, column } = settings.locate('api-base');
  return new KeyauditError(
    'SERVER_NOT_AGREED',
    `${file}:${line}:${column} names the server ${server}, and no file decides where a key is sent.`,
    {
      hint: `If it is yours, say --api-base ${server} or set KEYAUDIT_API_BASE; else say --target.`,
    },
  );
}

/** Where the values of the program's options come from that something other than a default gives. */
export function sourcesOf(program: CommandUnknownOpts): Project['sources'] {
  const values = program.opts() as Record<string, unknown>;
  const entries = program.options.flatMap((option) => {
    const name = option.attributeName();
    const source = program.getOptionValueSource(name);
    if (source === undefined || source === 'default') return [];
    const from =
      source === FROM_FILE ? ('file' as const) : source === 'env' ? ('env' as const) : ('cli' as const);
    return [[option.long?.slice(2) ?? name, { value: values[name], from }] as const];
  });
  return Object.fromEntries(entries);
}
