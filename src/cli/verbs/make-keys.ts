import { type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { KEY_API_CHOICES } from '../../core/key-api.ts';
import {
  ACCOUNT,
  ALL_PROFILES,
  EXAMPLES,
  readBackOption,
  repeatable,
  storeOption,
  TTL,
  withExamples,
} from '../flags.ts';
import { commandBehindDashes, type Run, verb } from '../verb.ts';

/** The verbs that make, replace and end keys. */
export function makeKeys(program: CommandUnknownOpts, run: Run, argv: readonly string[]): void {
  verb(program, 'provision [profiles...]', 'make the key of a profile and store its secret', [
    'keyaudit provision refund-agent',
    'STRIPE_SECRET_KEY=… keyaudit provision --all --target stripe',
  ])
    .option('--all', ALL_PROFILES)
    .option('--examples', EXAMPLES)
    .addOption(
      new Option('--key-api <api>', 'auto: the managed API, else the Dashboard')
        .choices(KEY_API_CHOICES)
        .default(KEY_API_CHOICES[0])
        .env('KEYAUDIT_KEY_API'),
    )
    .addOption(storeOption())
    .addOption(readBackOption())
    .option('--reveal', 'print the secret, for --store stdout')
    .option('--ttl <duration>', TTL)
    .option('--account <id>', ACCOUNT)
    .option('--again', 'make a key although one works, or in the place of another')
    .option('--open', 'open the Dashboard link in a browser')
    .action((profiles, options) =>
      run({ ...withExamples(options), profiles }, async (given, context) =>
        (await import('../../commands/provision.ts')).provision(given, context),
      ),
    );

  verb(
    program,
    'rotate [profiles...]',
    'make a new key, verify it, only then publish it, then end the old one',
    ['keyaudit rotate refund-agent', 'keyaudit rotate --all --older-than 90d --grace 10m'],
  )
    .option('--all', 'every profile that has a key')
    .option('--examples', EXAMPLES)
    .option('--older-than <duration>', 'only keys made longer ago, such as 90d')
    .option('--grace <duration>', 'how long the old key goes on working, such as 10m')
    .option('--dry-run', 'say what would be done, make nothing')
    .addOption(storeOption())
    .addOption(readBackOption())
    .option('--reveal', 'print the secret, for --store stdout')
    .option('--account <id>', ACCOUNT)
    .option('--wait', 'watch until the old key is dead, not only narrowed', false)
    .addOption(repeatable('--report <format=file>', 'write a report of the new keys as verify does'))
    .action((profiles, options) =>
      run({ ...withExamples(options), profiles }, async (given, context) =>
        (await import('../../commands/rotate.ts')).rotate(given, context),
      ),
    );

  verb(program, 'revoke <profile-or-key-id>', 'narrow the key, expire it, and watch until it is dead', [
    'keyaudit revoke refund-agent',
    'keyaudit revoke mk_1AbC --no-wait',
  ])
    .option('--no-wait', 'do not watch')
    .option('--timeout <duration>', 'longest watch', '10m')
    .option('--account <id>', ACCOUNT)
    .action((what, options) =>
      run({ ...options, what }, async (given, context) =>
        (await import('../../commands/revoke.ts')).revoke(given, context),
      ),
    );

  verb(program, 'exec <profiles...>', 'a key for one run alone: made, lent to a command, ended with it', [
    'keyaudit exec refund-agent -- node agent.js',
    'keyaudit exec refund-agent analytics --ttl 1h -- ./run-agents.sh',
    'keyaudit exec refund-agent --stored --target stripe -- node agent.js',
    'keyaudit exec refund-agent --guard --cap "100.00 usd" -- node agent.js',
  ])
    .usage('[options] <profiles...> -- <command...>')
    .option('--ttl <duration>', `${TTL.replace(/,.*/, '')}: a second net`)
    .option('--guard', 'lend a run key instead, and stand before Stripe: see "keyaudit guard"')
    .addOption(
      new Option(
        '--cap <amount>',
        'with --guard: the most that the run may move, such as "100.00 usd" (repeatable)',
      ).argParser<string[]>((cap, others = []) => [...others, cap]),
    )
    .option('--stored', 'lend the key that is stored, where no program can make one; it works on')
    .option('--kill-after <duration>', 'how long the command may take to end after SIGTERM', '10s')
    .option('--account <id>', ACCOUNT)
    .option('--record', 'note each call to Stripe that the command makes, as "keyaudit record" does')
    .action((profiles, options) =>
      run({ ...options, profiles, command: commandBehindDashes(argv) }, async (given, context) =>
        (await import('../../commands/exec.ts')).exec(given, context),
      ),
    );
  keysThatWereMade(program, run);
}

function keysThatWereMade(program: CommandUnknownOpts, run: Run): void {
  const keys = verb(program, 'keys', 'look at the keys that were made here', [
    'keyaudit keys list',
    'keyaudit keys list --format json',
  ]);
  verb(keys, 'list', 'the keys that were made here, never their secrets', [
    'keyaudit keys list --active',
    'keyaudit keys list --format json --output keys.json',
  ])
    .option('--active', 'only the keys that are in use')
    .action((options) =>
      run(options, async (given, context) =>
        (await import('../../commands/keys.ts')).listKeys(given, context),
      ),
    );
  verb(keys, 'prune [ids...]', 'forget the keys that are over, and those named that are not in use', [
    'keyaudit keys prune',
    'keyaudit keys prune dashboard:0b52cabe41c1',
  ]).action((ids) =>
    run({ ids }, async (given, context) =>
      (await import('../../commands/keys.ts')).pruneKeys(given, context),
    ),
  );
  verb(keys, 'clean-up', 'finish what keyaudit processes that died left behind', [
    'keyaudit keys clean-up',
    'keyaudit keys clean-up --take-over --yes',
  ])
    .option('--take-over', 'show what came from another user or machine, and would be ended')
    .option('--yes', 'with --take-over: take it over, and finish it')
    .option('--account <id>', ACCOUNT)
    .action((options) =>
      run(options, async (given, context) =>
        (await import('../../commands/keys.ts')).cleanUpKeys(given, context),
      ),
    );
}
