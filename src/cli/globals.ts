import { Command, Option } from '@commander-js/extra-typings';
import { TARGETS } from '../core/target.ts';
import type { GlobalOptions } from '../session/context.ts';
import { placeWords } from './project/place-words.ts';
import { present } from './verb.ts';

/** The program with the options that every command takes. */
export function programWithGlobals(version: string) {
  return new Command('keyaudit')
    .description(
      'Makes Stripe restricted API keys for AI agents from YAML profiles, and proves call by call what each key can and cannot do.',
    )
    .optionsGroup('Options of every command:')
    .version(version, '-V, --version')
    .addOption(
      new Option('--target <target>', 'where requests go')
        .choices(TARGETS)
        .default(TARGETS[0])
        .env('KEYAUDIT_TARGET'),
    )
    .addOption(
      new Option(
        '--api-base <url>',
        'send to this server instead; without --target it is treated as Stripe',
      ).env('KEYAUDIT_API_BASE'),
    )
    .addOption(
      new Option('--format <format>', 'how to print the result').default('table').env('KEYAUDIT_FORMAT'),
    )
    .addOption(
      new Option('--output <file>', 'write the result to a file, not to standard output').env(
        'KEYAUDIT_OUTPUT',
      ),
    )
    .addOption(
      new Option('--policy <file>', 'the policy for every profile, instead of keyaudit.policy.yaml').env(
        'KEYAUDIT_POLICY',
      ),
    )
    .addOption(new Option('--live', 'allow live keys (rk_live_, sk_live_)').env('KEYAUDIT_LIVE'))
    .addOption(new Option('--quiet', 'no progress, only results and errors').env('KEYAUDIT_QUIET'))
    .addOption(new Option('--verbose', 'every probe, and what goes on').env('KEYAUDIT_VERBOSE'))
    .option('--no-cleanup', 'only name what dead keyaudit processes left behind')
    .option('--no-color', 'no colour (NO_COLOR does the same)');
}

/** What {@link programWithGlobals} has read. */
export type ProgramOptions = ReturnType<ReturnType<typeof programWithGlobals>['opts']>;

/**
 * Its options. Where a server is named and no target, nobody knows what is behind it, and it is treated as what asks
 * for most care: as Stripe.
 */
export function programOptions(program: ReturnType<typeof programWithGlobals>): ProgramOptions {
  const options = program.opts();
  const isUnnamed = options.apiBase !== undefined && program.getOptionValueSource('target') === 'default';
  return isUnnamed ? { ...options, target: 'stripe' } : options;
}

/** The options of every command, as the rest of the program sees them. */
export function globalOptions(options: ProgramOptions, argv: readonly string[] = []): GlobalOptions {
  const { target, apiBase, format, output, policy, live, quiet, verbose } = options;
  return present({
    target,
    apiBase,
    format,
    output,
    policy,
    place: placeWords(argv),
    live: live === true,
    quiet: quiet === true,
    verbose: verbose === true,
  });
}
