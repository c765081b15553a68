import { type CommandUnknownOpts, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { ALL_PROFILES, EXAMPLES, portNumber, repeatable, withExamples } from '../flags.ts';
import { type Run, verb } from '../verb.ts';
import { guardCare, guardLog } from './guard-log.ts';

/** The verbs of the guard. */
export function guardCalls(program: CommandUnknownOpts, run: Run): void {
  const guard = verb(program, 'guard [profiles...]', 'caps, a kill switch and a log, before Stripe', [
    'keyaudit guard refund-agent',
    'keyaudit guard --all --listen 127.0.0.1:0 --format json',
    'keyaudit guard issue refund-agent',
    'keyaudit guard kill --all',
    'keyaudit guard log verify',
  ]);
  guard
    .option('--all', ALL_PROFILES)
    .option('--examples', EXAMPLES)
    .addOption(
      new Option('--listen <address>', 'host and port; port 0 picks a free one')
        .default({ host: '127.0.0.1', port: 7420 }, '127.0.0.1:7420')
        .argParser(listenAddress),
    )
    .option(
      '--anchor <command>',
      'is handed each signed checkpoint of the log on standard input, to keep it elsewhere',
    )
    .action((profiles, options) =>
      run({ ...withExamples(options), profiles }, async (given, context) =>
        (await import('../../commands/guard.ts')).guard(given, context),
      ),
    );
  runs(guard, run);
  guardCare(guard, run);
  guardLog(guard, run);
}

function runs(guard: CommandUnknownOpts, run: Run): void {
  /** `--all` is an option of `guard` itself as well, which takes it wherever it stands. */
  const everything = (own: true | undefined) => own ?? (guard.opts() as { readonly all?: true }).all;
  verb(guard, 'issue <profile>', 'a run key, which an agent holds in place of a Stripe key', [
    'keyaudit guard issue refund-agent --cap "100.00 usd" --ttl 1h',
    'keyaudit guard issue refund-agent --store stdout --reveal --format json',
  ])
    .option('--run <id>', 'what the run is called; one that goes on gets a further key')
    .option('--ttl <duration>', "how long the key lives, at most as the profile's guard.ttl says")
    .addOption(
      repeatable(
        '--cap <amount>',
        'the most that the run may move, such as "100.00 usd"; it can only narrow',
      ),
    )
    .addOption(repeatable('--label <name=value>', 'what the log says of the run'))
    .addOption(
      repeatable(
        '--may-repeat <operation>',
        'an operation that this run may make again with the same amount',
      ),
    )
    .option(
      '--roll <duration>',
      'for a worker that lives for weeks: its caps per run begin anew after so long',
    )
    .addOption(
      new Option('--store <store>', 'env-file:PATH, exec:COMMAND or stdout (default: a file of the run)'),
    )
    .option('--reveal', 'print the key, for --store stdout')
    .action((profile, options) =>
      run({ ...options, profile }, async (given, context) =>
        (await import('../../commands/guard-runs.ts')).issueRun(given, context),
      ),
    );

  verb(
    guard,
    'kill [run-or-profile]',
    'refuse everything of a run, a profile or all, from the next byte on',
    ['keyaudit guard kill run_3f2a', 'keyaudit guard kill --all --revoke'],
  )
    .option('--all', 'every run')
    .option('--wait <duration>', 'how long to wait for what was on its way', '10s')
    .option('--revoke', 'also narrow and expire the Stripe key behind it')
    .action((what, options) =>
      run({ ...options, what, all: everything(options.all) }, async (given, context) =>
        (await import('../../commands/guard-runs.ts')).killRun(given, context),
      ),
    );

  verb(guard, 'resume [run-or-profile]', 'take a kill back', [
    'keyaudit guard resume run_3f2a --epoch 3',
    'keyaudit guard resume --all --epoch 4',
  ])
    .option('--all', 'the kill of every run')
    .addOption(
      new Option(
        '--epoch <n>',
        'as "guard status" shows it: who has not seen the latest kill cannot lift one',
      )
        .argParser(epochNumber)
        .makeOptionMandatory(),
    )
    .action((what, options) =>
      run({ ...options, what, all: everything(options.all) }, async (given, context) =>
        (await import('../../commands/guard-runs.ts')).resumeRun(given, context),
      ),
    );

  verb(guard, 'status', 'runs, what is counted, and what nobody knows the outcome of', [
    'keyaudit guard status',
    'keyaudit guard status --format json',
  ]).action((options) =>
    run(options, async (_given, context) =>
      (await import('../../commands/guard-runs.ts')).guardStatus(context),
    ),
  );
}

/** `127.0.0.1:7420`, `[::1]:0`. */
function listenAddress(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):(\d+)$/.exec(text);
  if (match === null) throw new InvalidArgumentError('It must be a host and a port, such as 127.0.0.1:7420.');
  return { host: match[1] ?? match[2] ?? '', port: portNumber(match[3] ?? '') };
}

function epochNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}
