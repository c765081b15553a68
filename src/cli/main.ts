import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import type { CommandContext, GlobalOptions, Output } from '../session/context.ts';
import { rememberExamples } from './cli-tree.ts';

/**
 * Registers the verbs. This file alone sees argv, env and the exit code; each command is loaded when
 * it is called, so that `--help` costs little more than starting node.
 */
const packageRoot = fileURLToPath(new URL('..', import.meta.url));

type Run = (context: CommandContext) => Promise<number>;

function buildProgram(run: (command: Command, work: Run) => Promise<void>): Command {
  const program = new Command('keyaudit')
    .description(
      'Makes Stripe restricted API keys for AI agents from YAML profiles, and proves call by call what each key can and cannot do.',
    )
    .version(packageVersion(), '-V, --version')
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError(true)
    .showHelpAfterError('(add --help for usage)')
    .exitOverride()
    .addOption(
      new Option('--target <target>', 'where requests go')
        .choices(['sandbox', 'stripe-mock', 'stripe'])
        .default('sandbox')
        .env('KEYAUDIT_TARGET'),
    )
    .addOption(new Option('--api-base <url>', 'send to this server instead').env('KEYAUDIT_API_BASE'))
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
    .option('--no-color', 'no colour (NO_COLOR does the same)')
    .addHelpText(
      'after',
      helpExamples('Try it, nothing to install and nothing at Stripe touched', [
        'keyaudit provision refund-agent',
        'keyaudit verify --profile refund-agent',
        'keyaudit plan refund-agent',
      ]),
    );

  verb(program, 'provision [profiles...]', 'make the key of a profile and store its secret', [
    'keyaudit provision refund-agent',
    'STRIPE_SECRET_KEY=… keyaudit provision --all --target stripe',
  ])
    .option('--all', 'every profile (your own in ./profiles if there are any, else the shipped ones)')
    .addOption(
      new Option('--key-api <api>', 'auto: the managed API, else the Dashboard')
        .choices(['auto', 'managed', 'restricted_keys', 'dashboard'])
        .default('auto')
        .env('KEYAUDIT_KEY_API'),
    )
    .addOption(storeOption())
    .option('--reveal', 'print the secret, for --store stdout')
    .option('--ttl <duration>', 'the key expires by itself after so long, such as 90d')
    .option('--account <id>', 'connected account that a platform makes the key for (acct_…)')
    .option('--open', 'open the Dashboard link in a browser')
    .action(async (profiles: string[], options, command: Command) =>
      run(command, async (context) =>
        (await import('../commands/provision.ts')).provision({ ...options, profiles }, context),
      ),
    );

  verb(
    program,
    'rotate [profiles...]',
    'make a new key, verify it, only then publish it, then end the old one',
    ['keyaudit rotate refund-agent', 'keyaudit rotate --all --older-than 90d --grace 10m'],
  )
    .option('--all', 'every profile that has a key')
    .option('--older-than <duration>', 'only keys made longer ago, such as 90d')
    .option('--grace <duration>', 'how long the old key goes on working, such as 10m')
    .option('--dry-run', 'say what would be done, make nothing')
    .addOption(storeOption())
    .option('--reveal', 'print the secret, for --store stdout')
    .option('--account <id>', 'connected account that a platform acts for (acct_…)')
    .option('--wait', 'watch until the old key is dead, not only narrowed', false)
    .addOption(repeatable('--report <format=file>', 'write a report of the new keys as verify does'))
    .action(async (profiles: string[], options, command: Command) =>
      run(command, async (context) =>
        (await import('../commands/rotate.ts')).rotate({ ...options, profiles }, context),
      ),
    );

  verb(program, 'revoke <profile-or-key-id>', 'narrow the key, expire it, and watch until it is dead', [
    'keyaudit revoke refund-agent',
    'keyaudit revoke mk_1AbC --no-wait',
  ])
    .option('--no-wait', 'do not watch')
    .option('--timeout <duration>', 'longest watch', '10m')
    .option('--account <id>', 'connected account that a platform acts for (acct_…)')
    .action(async (what: string, options, command: Command) =>
      run(command, async (context) =>
        (await import('../commands/revoke.ts')).revoke({ ...options, what }, context),
      ),
    );

  verb(program, 'exec <profiles...>', 'a key for one run alone: made, lent to a command, ended with it', [
    'keyaudit exec refund-agent -- node agent.js',
    'keyaudit exec refund-agent analytics --ttl 1h -- ./run-agents.sh',
  ])
    .usage('[options] <profiles...> -- <command...>')
    .option('--ttl <duration>', 'the key expires by itself after so long: a second net')
    .option('--kill-after <duration>', 'how long the command may take to end after SIGTERM', '10s')
    .option('--account <id>', 'connected account that a platform acts for (acct_…)')
    .action(async (_profiles: string[], options, command: Command) => {
      // commander drops the "--" itself, so the two lists are told apart in argv.
      const at = process.argv.indexOf('--');
      const lent = at < 0 ? [] : process.argv.slice(at + 1);
      const profiles = command.args.slice(0, command.args.length - lent.length);
      await run(command, async (context) =>
        (await import('../commands/exec.ts')).exec({ ...options, profiles, command: lent }, context),
      );
    });

  verb(program, 'verify [profiles...]', 'probe the key, compare it with its profile, report, gate', [
    'keyaudit verify --profile refund-agent',
    'keyaudit verify --all --depth endpoints --report junit=verify.xml --report sarif=verify.sarif',
  ])
    .addOption(repeatable('--profile <name>', 'profile to verify, by name or path'))
    .option('--all', 'every profile (your own in ./profiles if there are any, else the shipped ones)')
    .option('--key-env <variable>', 'take the key from this environment variable')
    .option('--key-from <source>', 'take the key from a command: exec:COMMAND')
    .addOption(
      new Option('--depth <depth>', 'checks: named calls; permissions: each permission; endpoints: each call')
        .choices(['checks', 'permissions', 'endpoints'])
        .env('KEYAUDIT_DEPTH'),
    )
    .addOption(new Option('--rate <n>', 'probes a second').argParser(positiveNumber).env('KEYAUDIT_RATE'))
    .option('--timeout <duration>', 'longest wait for one answer, such as 5s (default 20s)')
    .option('--deadline <duration>', 'for the whole run, such as 10m; the report is then partial')
    .option('--compare', 'probe the live key of each profile as well, and show what differs')
    .option('--live-key-env <variable>', "its variable (default: the profile's with _LIVE behind it)")
    .addOption(minCoverage())
    .option('--frozen', 'fail on what goes beyond the lock file keyaudit.lock.yaml')
    .option('--lock <file>', 'this lock file instead (means --frozen)')
    .addOption(repeatable('--report <format=file>', 'write a further report; "-" is standard output'))
    .action(async (profiles: string[], options, command: Command) =>
      run(command, async (context) =>
        (await import('../commands/verify.ts')).verify(
          { ...options, profiles: [...options.profile, ...profiles] },
          context,
        ),
      ),
    );

  verb(program, 'inspect', 'what can this key do? Needs no profile, and writes one', [
    'keyaudit inspect --key-env STRIPE_KEY --target stripe',
    'keyaudit inspect --key-env STRIPE_KEY --profile-output profiles/found.yaml',
    'vault read -field=key stripe | keyaudit inspect --target stripe --format profile',
  ])
    .option('--key-env <variable>', 'the variable that holds the key (else: standard input)')
    .option('--profile-output <file>', 'write a profile for this key as well')
    .option('--name <name>', 'of that profile')
    .addOption(new Option('--rate <n>', 'probes a second').argParser(positiveNumber).env('KEYAUDIT_RATE'))
    .action(async (options, command: Command) =>
      run(command, async (context) => (await import('../commands/inspect.ts')).inspect(options, context)),
    );

  verb(program, 'lock [profiles...]', 'verify each key, and write how far it reaches to the lock file', [
    'keyaudit lock --all',
    'keyaudit lock refund-agent --depth endpoints',
  ])
    .addOption(repeatable('--profile <name>', 'profile to lock, by name or path'))
    .option('--all', 'every profile; entries of profiles that are gone are dropped')
    .option('--key-env <variable>', 'take the key from this environment variable')
    .option('--key-from <source>', 'take the key from a command: exec:COMMAND')
    .addOption(
      new Option('--depth <depth>', 'how much is verified; --frozen then verifies as much')
        .choices(['checks', 'permissions', 'endpoints'])
        .env('KEYAUDIT_DEPTH'),
    )
    .addOption(new Option('--rate <n>', 'probes a second').argParser(positiveNumber).env('KEYAUDIT_RATE'))
    .option('--lock <file>', 'the lock file, instead of keyaudit.lock.yaml')
    .option('--check', 'write nothing; fail when the file would change in more than its keys')
    .action(async (profiles: string[], options, command: Command) =>
      run(command, async (context) =>
        (await import('../commands/lock.ts')).lock(
          { ...options, profiles: [...options.profile, ...profiles] },
          context,
        ),
      ),
    );

  verb(program, 'diff <before> <after>', 'what got wider, what narrower: profiles, lock files, reports', [
    'keyaudit diff old-profile.yaml profiles/refund-agent.yaml --fail-on-widening',
    'git show main:keyaudit.lock.yaml > old.yaml; keyaudit diff old.yaml keyaudit.lock.yaml',
  ])
    .option('--fail-on-widening', 'exit 1 when something is wider, or no longer verified')
    .action(async (before: string, after: string, options, command: Command) =>
      run(command, async (context) =>
        (await import('../commands/diff.ts')).diff({ ...options, before, after }, context),
      ),
    );

  verb(
    program,
    'calibrate',
    'with an unrestricted test key and a bare one: find blind and unsafe probes and wrong rows',
    [
      'STRIPE_SECRET_KEY=… keyaudit calibrate --target stripe',
      'keyaudit calibrate --target stripe --write my-account',
      'keyaudit calibrate --target stripe --print',
    ],
  )
    .option('--bare-key-env <variable>', 'a test key that holds nothing useful (else one is made and ended)')
    .addOption(
      new Option('--only <part>', "probes, or the catalog's rows by Stripe's own resolver").choices([
        'probes',
        'catalog',
      ]),
    )
    .option('--write <file>', "keep the resolver's answers as calibrated rows for later runs")
    .option('--print', 'print what was found so far, as a contribution to the catalog; ask nothing')
    .option('--restart', 'forget what was found so far')
    .addOption(new Option('--rate <n>', 'probes a second').argParser(positiveNumber).env('KEYAUDIT_RATE'))
    .action(async (options, command: Command) =>
      run(command, async (context) => (await import('../commands/calibrate.ts')).calibrate(options, context)),
    );

  verb(program, 'plan <profile>', "the grant in Stripe's names, its widenings and risks; makes nothing", [
    'keyaudit plan refund-agent',
    'keyaudit plan ./profiles/my-agent.yaml --format json',
  ])
    .addOption(minCoverage())
    .action(async (profile: string, options, command: Command) =>
      run(command, async (context) =>
        (await import('../commands/plan.ts')).plan({ ...options, profile }, context),
      ),
    );

  verb(program, 'permissions [endpoints...]', 'the smallest grant for these calls', [
    'keyaudit permissions "GET /v1/charges" "POST /v1/refunds" paymentIntents.capture',
    'keyaudit permissions "GET /v1/payment_intents/:id?expand[]=latest_charge.customer"',
    'keyaudit permissions --file calls.txt --format json',
  ])
    .option('--file <file>', 'read calls from a file, one a line ("-": standard input)')
    .option('--all', 'the whole catalog')
    .action(async (endpoints: string[], options, command: Command) =>
      run(command, async (context) =>
        (await import('../commands/permissions.ts')).permissions({ ...options, endpoints }, context),
      ),
    );

  const profiles = verb(program, 'profiles', 'look at profiles: list, show, lint', [
    'keyaudit profiles list',
    'keyaudit profiles lint',
  ]);
  verb(profiles, 'list', 'every profile that can be named', [
    'keyaudit profiles list',
    'keyaudit profiles list --format json',
  ]).action(async (_options, command: Command) =>
    run(command, async (context) => (await import('../commands/profiles.ts')).listProfiles(context)),
  );
  verb(profiles, 'show <profile>', 'a profile as it resolves, after "extends"', [
    'keyaudit profiles show analytics',
    'keyaudit profiles show ./profiles/my-agent.yaml --format json',
  ]).action(async (profile: string, _options, command: Command) =>
    run(command, async (context) => (await import('../commands/profiles.ts')).showProfile(profile, context)),
  );
  verb(profiles, 'lint [profiles...]', 'every mistake in every profile, with its line', [
    'keyaudit profiles lint',
    'keyaudit profiles lint ./profiles/my-agent.yaml --min-coverage 100',
  ])
    .addOption(minCoverage())
    .action(async (names: string[], options, command: Command) =>
      run(command, async (context) =>
        (await import('../commands/profiles.ts')).lintProfiles(names, context, options),
      ),
    );

  const keys = verb(program, 'keys', 'look at the keys that were made here', [
    'keyaudit keys list',
    'keyaudit keys list --format json',
  ]);
  verb(keys, 'list', 'the keys that were made here, never their secrets', [
    'keyaudit keys list',
    'keyaudit keys list --format json --output keys.json',
  ]).action(async (_options, command: Command) =>
    run(command, async (context) => (await import('../commands/keys.ts')).listKeys(context)),
  );

  verb(program, 'sandbox', 'run the stand-in server until interrupted', [
    'keyaudit sandbox --port 4242',
    'keyaudit sandbox --port 0 --format json',
    'keyaudit sandbox --upstream stripe-mock',
  ])
    .addOption(new Option('--port <port>', '0 picks a free one').default(4242).argParser(portNumber))
    .addOption(new Option('--host <host>', 'address to listen on').default('127.0.0.1'))
    .addOption(
      new Option('--dialect <dialect>', 'wording of refusals, as in docs/observed.md').choices([
        ...'abcdefghi',
        'guide',
      ]),
    )
    .addOption(
      new Option('--upstream <server>', 'send on to this server what the permissions let through').choices([
        'stripe-mock',
      ]),
    )
    .option('--behaviour <file>', 'YAML or JSON that says how to behave: latency, limits, faults, quirks')
    .addOption(repeatable('--set <name=value>', 'one setting of that file, such as latencyMs=100'))
    .action(async (options, command: Command) =>
      run(command, async (context) => (await import('../commands/sandbox.ts')).sandbox(options, context)),
    );

  verb(program, 'init [name]', 'a starter profile, its lock file entry, and the gate for CI', [
    'keyaudit init',
    'keyaudit init refund-helper --permission refunds=write --permission "charges=read: Look up charges"',
  ])
    .option('--description <text>', 'what the agent does')
    .option('--env <variable>', 'the variable that holds its key')
    .addOption(repeatable('--permission <resource=level>', 'what it needs'))
    .addOption(
      new Option('--ci <system>', 'which CI to write the gate for').choices(['github', 'gitlab', 'none']),
    )
    .option('--force', 'overwrite files that exist')
    .action(async (name: string | undefined, options, command: Command) =>
      run(command, async (context) =>
        (await import('../commands/init.ts')).init(
          name === undefined ? options : { ...options, name },
          context,
        ),
      ),
    );

  verb(program, 'completion', 'a completion script for bash, zsh or fish', [
    'source <(keyaudit completion bash)',
    'keyaudit completion fish > ~/.config/fish/completions/keyaudit.fish',
  ])
    .addArgument(
      new Argument('<shell>', 'profiles: the names that such a script asks for').choices([
        ...['bash', 'zsh', 'fish', 'profiles'],
      ]),
    )
    .addHelpText('after', '\nIt completes commands, options, their values, and the names of profiles.')
    .action(async (shell: string, _options, command: Command) =>
      run(command, async (context) => (await import('./completion.ts')).completion(shell, program, context)),
    );

  program
    .command('cli-reference', { hidden: true })
    .description('docs/cli.md')
    .action(async (_options, command: Command) =>
      run(command, async (context) => (await import('./completion.ts')).cliReference(program, context)),
    );

  return program;
}

function verb(parent: Command, usage: string, description: string, examples: readonly string[]): Command {
  return rememberExamples(
    parent.command(usage).description(description).addHelpText('after', helpExamples('Examples', examples)),
    examples,
  );
}

function helpExamples(title: string, examples: readonly string[]): string {
  return `\n${title}:\n${examples.map((example) => `  ${example}`).join('\n')}`;
}

function storeOption(): Option {
  return new Option('--store <store>', 'env-file, env-file:PATH, exec:COMMAND or stdout').env(
    'KEYAUDIT_STORE',
  );
}

/** An option that collects its values. */
function repeatable(flags: string, description: string): Option {
  return new Option(flags, `${description} (repeatable)`)
    .argParser((value: string, previous: readonly string[]) => [...previous, value])
    .default([], 'none');
}

/** An option of several commands. */
function minCoverage(): Option {
  return new Option('--min-coverage <percent>', 'fail when the named checks exercise less of the grant')
    .argParser(percent)
    .env('KEYAUDIT_MIN_COVERAGE');
}

function percent(text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value <= 100)) throw new InvalidArgumentError('It must be a percentage: 0 to 100.');
  return value;
}

function positiveNumber(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('It must be a number above 0.');
  return value;
}

function portNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535) {
    throw new InvalidArgumentError('It must be a port: 0 to 65535.');
  }
  return value;
}

function packageVersion(): string {
  return (JSON.parse(readFileSync(`${packageRoot}package.json`, 'utf8')) as { version: string }).version;
}

function makeContext(
  options: Record<string, unknown>,
  redacted: (stream: NodeJS.WriteStream) => (text: string) => void,
  signal: AbortSignal,
): CommandContext {
  const colourWanted = options.color !== false && !process.env.NO_COLOR;
  const output = (stream: NodeJS.WriteStream): Output => ({
    write: redacted(stream),
    // A terminal without a width (a container's) takes lines: a spinner would erase for ever.
    isTerminal: stream.isTTY === true && stream.columns > 0,
    columns: stream.columns || Number(process.env.COLUMNS) || undefined,
    colour: colourWanted && (stream.isTTY === true || Boolean(process.env.FORCE_COLOR)),
  });
  return {
    cwd: process.cwd(),
    env: process.env,
    packageRoot,
    version: packageVersion(),
    globals: {
      target: options.target,
      format: options.format,
      quiet: options.quiet === true,
      verbose: options.verbose === true,
      live: options.live === true,
      ...(options.apiBase === undefined ? {} : { apiBase: options.apiBase }),
      ...(options.output === undefined ? {} : { output: options.output }),
      ...(options.policy === undefined ? {} : { policy: options.policy }),
    } as GlobalOptions,
    stdout: output(process.stdout),
    reveal: (text) => process.stdout.write(text),
    stderr: output(process.stderr),
    stdin: {
      isTerminal: process.stdin.isTTY === true,
      async readText() {
        const chunks: Buffer[] = [];
        for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
        return Buffer.concat(chunks).toString('utf8');
      },
      ask: async (question) => (await import('../session/ask.ts')).ask(question),
      readSecret: async (prompt) => (await import('../session/read-secret.ts')).readSecret(prompt),
    },
    now: () => new Date(),
    signal,
  };
}

/** One error, printed once: what is wrong, where, and what to do; a stack trace only for a bug of ours. */
async function printError(error: unknown, redact = (text: string) => text): Promise<ExitCode> {
  const { renderError } = await import('../report/error.ts');
  const { text, exitCode } = renderError(error, {
    colour: !process.env.NO_COLOR && process.stderr.isTTY === true,
  });
  process.stderr.write(redact(text));
  return exitCode;
}

/** The first ends the work in order, the second is passed on to what runs, the third ends keyaudit at once. */
const SIGNALS_TO_GIVE_UP = 3;

/** A switch in the environment is on unless its value says otherwise; commander takes any value for on. */
function dropSwitchesThatAreOff(env: NodeJS.ProcessEnv): void {
  for (const name of ['KEYAUDIT_LIVE', 'KEYAUDIT_QUIET', 'KEYAUDIT_VERBOSE']) {
    if (/^(?:|0|false|no|off)$/i.test(env[name] ?? '')) delete env[name];
  }
}

async function main(argv: readonly string[]): Promise<number> {
  dropSwitchesThatAreOff(process.env);
  let exitCode: number = EXIT.ok;
  const abort = new AbortController();
  const program = buildProgram(async (command, work) => {
    const { redact, redactedWriter } = await import('../store/redactor.ts');
    const writers: { flush(): void }[] = [];
    const options = command.optsWithGlobals();
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      // Stays registered: a library that cleans up on signals ends the process when nobody else listens.
      let received = 0;
      process.on(name, () => {
        if (++received >= SIGNALS_TO_GIVE_UP) process.exit(EXIT.undetermined);
        abort.abort(
          new KeyauditError('INTERRUPTED', `Interrupted (${name}).`, { exitCode: EXIT.undetermined }),
        );
      });
    }
    const context = makeContext(
      options,
      (stream) => {
        const writer = redactedWriter((text) => stream.write(text));
        writers.push(writer);
        return writer.write;
      },
      abort.signal,
    );
    try {
      const { calibrationFolder } = await import('../store/user-folder.ts');
      if (existsSync(calibrationFolder(context.env))) {
        await (await import('../session/load-catalog.ts')).useCalibration(context);
      }
      if (existsSync(join(context.cwd, '.keyaudit', 'journal.json'))) {
        const { cleanUp } = await import('../keys/clean-up.ts');
        await cleanUp(context, { list: options.cleanup === false });
      }
      exitCode = await work(context);
    } catch (error) {
      exitCode = await printError(error, redact);
    } finally {
      for (const writer of writers) writer.flush();
    }
  });
  try {
    await program.parseAsync(argv as string[]);
  } catch (error) {
    if (!(error instanceof CommanderError)) return printError(error);
    // commander has printed its message already.
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  return exitCode;
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A closed pipe (`keyaudit … | head`) is the reader's choice, not an error.
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? EXIT.ok);
  throw error;
});
process.exitCode = await main(process.argv);
