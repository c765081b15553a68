import { CommanderError, type CommandUnknownOpts } from '@commander-js/extra-typings';
import type { Settings } from '../core/settings/settings.ts';
import type { CommandContext, Project } from '../session/context.ts';
import { settleEnvironment } from './environment/settle-environment.ts';
import { type ProgramOptions, programOptions, programWithGlobals } from './globals.ts';
import { applySettings, serverOfFile, sourcesOf } from './project/apply-settings.ts';
import { usageError } from './usage-error.ts';
import { exampleText, present, type Run } from './verb.ts';
import { explain } from './verbs/explain.ts';
import { guardCalls } from './verbs/guard-calls.ts';
import { makeKeys } from './verbs/make-keys.ts';
import { proveThem } from './verbs/prove-them.ts';
import { recordCalls } from './verbs/record-calls.ts';
import { setUp } from './verbs/set-up.ts';

type AddVerbs = (program: CommandUnknownOpts, run: Run, argv: readonly string[]) => void;

/** The table of contents: each group of verbs, in the order in which help and docs/cli.md show them. */
const GROUPS: Readonly<Record<string, AddVerbs>> = {
  'Make keys': makeKeys,
  'Prove them': proveThem,
  'Guard calls': guardCalls,
  'Record calls': recordCalls,
  Explain: explain,
  'Set up': setUp,
};

const FIRST_STEPS = exampleText('Try it, nothing to install and nothing at Stripe touched', [
  'keyaudit provision refund-agent',
  'keyaudit verify --profile refund-agent',
  'keyaudit plan refund-agent',
]);

/** What a command line asks for. */
export interface Invocation {
  readonly globals: ProgramOptions;
  /** Those of the verb, its arguments among them. */
  readonly options: object;
  readonly project: Project;
  readonly work: (context: CommandContext) => Promise<number>;
}

/** Where a command line comes from, and where its help goes. */
export interface CommandLine {
  /** As in `process.argv`. */
  readonly argv: readonly string[];
  /** Variables without a value, and switches that are off, are deleted from it. */
  readonly env: Record<string, string | undefined>;
  readonly version: string;
  readonly print: (help: string) => void;
  /** What the project's settings file says; undefined where there is none. */
  readonly settings?: () => Promise<Settings | undefined>;
  /** Turns the paths among options into such from the project's folder. */
  readonly paths?: <O extends object>(options: O) => O;
}

/** Verbs that have no use for settings, and must work where they are wrong. */
const WITHOUT_SETTINGS = /^(?:completion|cli-reference)$/;

/** What came of reading a command line: something to do, or help that has been printed. */
export type Reading =
  | { readonly kind: 'invocation'; readonly invocation: Invocation }
  | { readonly kind: 'help'; readonly wasAskedFor: boolean };

/**
 * Reads a command line and its environment; loads no verb.
 * @throws KeyauditError `USAGE`
 */
export async function readCommandLine(line: CommandLine): Promise<Reading> {
  const { argv, env, version, print, paths = (options) => options } = line;
  let invocation: Invocation | undefined;
  let project: Project = { sources: {} };
  const run: Run = async (options, work) => {
    const given = paths(present(options));
    invocation = {
      globals: paths(programOptions(program)),
      options: given,
      project,
      work: (context) => work(given, context),
    };
  };
  const program = programWithGlobals(version);
  program
    .exitOverride()
    .configureOutput({ writeOut: print, writeErr: () => {}, outputError: () => {} })
    .addHelpText('after', FIRST_STEPS)
    .addHelpText('afterAll', ({ command }) => (command.parent === null ? '' : globalsInShort(program)));
  const tree = program as unknown as CommandUnknownOpts;
  for (const [heading, addVerbs] of Object.entries(GROUPS)) {
    program.commandsGroup(`${heading}:`);
    addVerbs(tree, run, argv);
  }
  program.hook('preAction', async (_program, action) => {
    const settings = WITHOUT_SETTINGS.test(action.name()) ? undefined : await line.settings?.();
    const serverRefused = settings === undefined ? undefined : serverOfFile(tree, settings);
    if (settings !== undefined) applySettings(tree, action as unknown as CommandUnknownOpts, settings);
    project = { settings, serverRefused, sources: sourcesOf(tree) };
  });
  program.helpCommand('help [command]', 'the help of a command');
  settleEnvironment(tree, env);
  try {
    await program.parseAsync(ownWords(argv, tree));
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: 'help', wasAskedFor: true };
    if (error.code !== 'commander.help' || program.args.length > 0) throw usageError(error, tree);
    print(shortHelp(tree));
    return { kind: 'help', wasAskedFor: false };
  }
  if (invocation === undefined) throw new Error('A verb is registered without an action.');
  return { kind: 'invocation', invocation };
}

/** The verbs that run a command, which stands behind `--` and is none of commander's business. */
const RUNS_A_COMMAND = ['exec', 'record'];

/** What of a command line is keyaudit's own: a command to run could be called as a verb is, such as `profile`. */
function ownWords(argv: readonly string[], program: CommandUnknownOpts): readonly string[] {
  const at = argv.indexOf('--');
  const own = at < 0 ? argv : argv.slice(0, at);
  const names = program.commands.map((command) => command.name());
  const name = own.slice(2).find((word) => names.includes(word));
  return name !== undefined && RUNS_A_COMMAND.includes(name) ? own : argv;
}

/** One line for the options that every command takes; the help of the program itself explains them. */
function globalsInShort(program: ReturnType<typeof programWithGlobals>): string {
  const names = program.options.filter(({ long }) => long !== '--version').map(({ long }) => long);
  const text = `Options of every command (keyaudit --help): ${names.join(', ')}`;
  return `\n${program.createHelp().boxWrap(text, 80)}`;
}

/** What `keyaudit` alone says. */
function shortHelp(program: CommandUnknownOpts): string {
  const verbs = Object.keys(GROUPS).map((heading) => {
    const names = program.commands
      .filter((command) => command.helpGroup() === `${heading}:` && command.name() !== 'cli-reference')
      .map((command) => command.name());
    return `  ${`${heading}:`.padEnd(12)} ${names.join(', ')}\n`;
  });
  return `Usage: keyaudit <command> [options]\n\n${program.description()}\n\n${verbs.join('')}${FIRST_STEPS}\n\nMore: keyaudit --help, keyaudit <command> --help\n`;
}
