import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CommandContext } from '../session/context.ts';
import { rememberExamples } from './reference/cli-tree.ts';

/** Runs what a verb does, once its options are read. */
export type Run = <O extends object>(
  options: O,
  work: (options: Present<O>, context: CommandContext) => Promise<number>,
) => Promise<void>;

/** Options as a verb takes them: what was not given is not there, instead of `undefined`. */
export type Present<O> = {
  [K in keyof O as undefined extends O[K] ? never : K]: O[K];
} & {
  [K in keyof O as undefined extends O[K] ? K : never]?: Exclude<O[K], undefined>;
};

/** Drops what was not given. */
export function present<O extends object>(options: O): Present<O> {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as unknown as Present<O>;
}

/** A command of the program, with examples under its help and in docs/cli.md. */
export function verb<const Usage extends string>(
  parent: CommandUnknownOpts,
  usage: Usage,
  description: string,
  examples: readonly string[],
) {
  const command = parent
    .command(usage)
    .description(description)
    .addHelpText('after', exampleText('Examples', examples));
  rememberExamples(command, examples);
  return command;
}

/** The command to run, which commander cannot tell from arguments: all behind the first `--`. */
export function commandBehindDashes(argv: readonly string[]): readonly string[] {
  const at = argv.indexOf('--');
  return at < 0 ? [] : argv.slice(at + 1);
}

/** Examples under a title, one a line. */
export function exampleText(title: string, examples: readonly string[]): string {
  return `\n${title}:\n${examples.map((example) => `  ${example}`).join('\n')}`;
}
