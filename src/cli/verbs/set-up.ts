import { Argument, type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { CI_SYSTEMS } from '../../core/draft/ci-system.ts';
import { REFUSAL_DIALECTS } from '../../core/verdict/refusal-dialect.ts';
import { SHELLS } from '../completion/shells.ts';
import { portNumber, repeatable } from '../flags.ts';
import { type Run, verb } from '../verb.ts';

/** The verbs that prepare a project, a machine or a test. */
export function setUp(program: CommandUnknownOpts, run: Run): void {
  verb(program, 'init [name]', 'a starter profile, its lock file entry, and the gate for CI', [
    'keyaudit init',
    'keyaudit init refund-helper --permission refunds=write --permission "charges=read: Look up charges"',
  ])
    .option('--description <text>', 'what the agent does')
    .option('--env <variable>', 'the variable that holds its key')
    .addOption(repeatable('--permission <resource=level>', 'what it needs'))
    .addOption(new Option('--ci <system>', 'which CI to write the gate for').choices(CI_SYSTEMS))
    .option('--force', 'overwrite files that exist')
    .action((name, options) =>
      run({ ...options, name }, async (given, context) =>
        (await import('../../commands/init.ts')).init(given, context),
      ),
    );

  verb(program, 'config', 'what holds here, and from where: command line, environment, file or default', [
    'keyaudit config',
    'keyaudit config --format json',
  ]).action((options) =>
    run(options, async (_given, context) => (await import('../../commands/config.ts')).config(context)),
  );

  verb(program, 'sandbox', 'run the stand-in server until interrupted', [
    'keyaudit sandbox --port 4242',
    'keyaudit sandbox --port 0 --format json',
    'keyaudit sandbox --data .sandbox --seed objects.yaml',
    'keyaudit sandbox --upstream stripe-mock',
  ])
    .addOption(new Option('--port <port>', '0 picks a free one').default(4242).argParser(portNumber))
    .addOption(new Option('--host <host>', 'address to listen on').default('127.0.0.1'))
    .addOption(
      new Option('--dialect <dialect>', 'wording of refusals, as in docs/observed.md').choices(
        REFUSAL_DIALECTS,
      ),
    )
    .addOption(
      new Option('--upstream <server>', 'send on to this server what the permissions let through').choices([
        'stripe-mock',
      ] as const),
    )
    .option('--data <folder>', 'keep the objects there from one run to the next')
    .option('--seed <file>', 'YAML of objects to start with, as in docs/fidelity.md')
    .option('--behaviour <file>', 'YAML or JSON that says how to behave: latency, limits, faults, quirks')
    .addOption(repeatable('--set <name=value>', 'one setting of that file, such as latencyMs=100'))
    .action((options) =>
      run(options, async (given, context) =>
        (await import('../../commands/sandbox.ts')).sandbox(given, context),
      ),
    );

  verb(program, 'completion', 'a completion script for bash, zsh or fish', [
    'source <(keyaudit completion bash)',
    'keyaudit completion fish > ~/.config/fish/completions/keyaudit.fish',
  ])
    .addArgument(
      new Argument('<shell>', 'profiles: the names that such a script asks for').choices([
        ...SHELLS,
        'profiles',
      ] as const),
    )
    .addHelpText('after', '\nIt completes commands, options, their values, and the names of profiles.')
    .action((shell) =>
      run({ shell }, async (given, context) =>
        (await import('../completion/completion.ts')).completion(given.shell, program, context),
      ),
    );

  program
    .command('cli-reference', { hidden: true })
    .description('docs/cli.md')
    .action((options) =>
      run(options, async (_given, context) =>
        (await import('../completion/completion.ts')).cliReference(program, context),
      ),
    );
}
