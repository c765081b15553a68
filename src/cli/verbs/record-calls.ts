import { type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { IMPORT_FORMATS } from '../../core/draft/runs/import-format.ts';
import { RECORD_WAYS } from '../../core/draft/runs/record-way.ts';
import { countOption, expectedOption, repeatable } from '../flags.ts';
import { commandBehindDashes, type Run, verb } from '../verb.ts';

/** The verbs that watch what an agent calls, and make a profile of it. */
export function recordCalls(program: CommandUnknownOpts, run: Run, argv: readonly string[]): void {
  const record = verb(program, 'record', 'run a command, and note each call to Stripe that it makes', [
    'keyaudit record -- node agent.js',
    'keyaudit record --name refund-helper -- python agent.py',
    'keyaudit record --via proxy -- ./agent-in-go',
    'keyaudit record profile refund-helper --output profiles/refund-helper.yaml',
  ])
    .usage('[options] -- <command...>')
    .option('--name <name>', 'what the recording is called; runs of one name are folded together', 'agent')
    .addOption(
      new Option(
        '--via <way>',
        'how: hooks in Node and Python, at the base address, as an HTTPS proxy, or by what it is',
      )
        .choices(RECORD_WAYS)
        .default(RECORD_WAYS[0]),
    )
    .addOption(repeatable('--base-env <name>', "a variable in which the command looks for Stripe's address"))
    .option('--kill-after <duration>', 'how long the command may take to end after SIGTERM', '10s')
    .action((options) =>
      run({ ...options, command: commandBehindDashes(argv) }, async (given, context) =>
        (await import('../../commands/record.ts')).record(given, context),
      ),
    );
  /** Given behind the verb, or by the option of `record` itself. */
  const named = (name: string | undefined) => name ?? record.opts().name;

  verb(record, 'profile [name]', 'the smallest profile for what was recorded, and how sure it is', [
    'keyaudit record profile refund-helper --output profiles/refund-helper.yaml',
    'keyaudit record profile --min-runs 5 --max-new 0.1',
  ])
    .option('--as <profile>', 'what the profile is called (default: as the recording)')
    .option('--description <text>', 'what the agent does')
    .option('--with-refused', 'count calls that were refused with 403 as needed')
    .addOption(countOption('--min-runs <n>', 'fail when fewer runs were recorded'))
    .addOption(expectedOption('--max-new <n>', 'fail when more new operations are expected of the next run'))
    .action((name, options) =>
      run({ ...options, name: named(name) }, async (given, context) =>
        (await import('../../commands/record-profile.ts')).recordProfile(given, context),
      ),
    );

  verb(record, 'show [name]', 'the recorded runs, and what each called', [
    'keyaudit record show',
    'keyaudit record show refund-helper --format json',
  ]).action((name) =>
    run({ name: named(name) }, async (given, context) =>
      (await import('../../commands/record.ts')).showRecorded(given, context),
    ),
  );

  verb(record, 'import <file>', 'make a recording of what another program wrote down', [
    'stripe logs tail --format json > tail.jsonl; keyaudit record import tail.jsonl --name billing',
    'keyaudit record import access.log --from access-log --host stripe-proxy.internal',
    'keyaudit record import tools.json --profile refund-agent',
  ])
    .addOption(
      new Option('--from <format>', 'of the file (default: told by its content)').choices(IMPORT_FORMATS),
    )
    .addOption(repeatable('--host <name>', "a host whose calls count as Stripe's"))
    .option('--profile <profile>', "which of an MCP server's tools a key of this profile is shown")
    .action((file, options) =>
      run({ ...options, file, name: record.opts().name }, async (given, context) =>
        (await import('../../commands/record-import.ts')).recordImport(given, context),
      ),
    );

  verb(record, 'unused <profile>', 'what a profile grants and no recorded run used', [
    'keyaudit record unused refund-agent',
    'keyaudit record unused refund-agent --fail-on-unused 30d',
  ])
    .option('--within <duration>', 'look back only so far, such as 30d')
    .addOption(countOption('--runs <n>', 'look at the last runs alone'))
    .option('--fail-on-unused <duration>', 'exit 1 for what was granted all that time and not used')
    .option('--unchanged', 'the profile was as it is today in runs of which its grant is not known')
    .action((profile, options) => {
      const isNamed = record.getOptionValueSource('name') === 'cli';
      const name = isNamed ? record.opts().name : undefined;
      return run({ ...options, profile, name }, async (given, context) =>
        (await import('../../commands/record-unused.ts')).recordUnused(given, context),
      );
    });
}
