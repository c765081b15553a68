import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { minCoverageOption } from '../flags.ts';
import { type Run, verb } from '../verb.ts';

/** The verbs that say what a profile or a call means; they send nothing and read no key. */
export function explain(program: CommandUnknownOpts, run: Run): void {
  verb(program, 'plan <profile>', "the grant in Stripe's names, its widenings and risks; makes nothing", [
    'keyaudit plan refund-agent',
    'keyaudit plan ./profiles/my-agent.yaml --format json',
  ])
    .addOption(minCoverageOption())
    .action((profile, options) =>
      run({ ...options, profile }, async (given, context) =>
        (await import('../../commands/plan.ts')).plan(given, context),
      ),
    );

  verb(program, 'permissions [endpoints...]', 'the smallest grant for these calls', [
    'keyaudit permissions "GET /v1/charges" "POST /v1/refunds" paymentIntents.capture',
    'keyaudit permissions "GET /v1/payment_intents/:id?expand[]=latest_charge.customer"',
    'keyaudit permissions --file calls.txt --format json',
    'keyaudit permissions --file calls.txt --format profile --output profiles/my-agent.yaml --name my-agent',
  ])
    .option('--file <file>', 'read calls from a file, one a line ("-": standard input)')
    .option('--all', 'the whole catalog')
    .option('--name <name>', 'of the profile, for --format profile')
    .action((endpoints, options) =>
      run({ ...options, endpoints }, async (given, context) =>
        (await import('../../commands/permissions.ts')).permissions(given, context),
      ),
    );

  verb(program, 'explain <name>', 'what a permission, resource, call, error code or finding is', [
    'keyaudit explain charge_write',
    'keyaudit explain "POST /v1/refunds"',
    'keyaudit explain KEY_DEAD',
  ]).action((name) =>
    run({ name }, async (given, context) =>
      (await import('../../commands/explain.ts')).explain(given.name, context),
    ),
  );

  verb(program, 'resources [word]', 'the resources that a profile can name, all or those with a word', [
    'keyaudit resources',
    'keyaudit resources shipping',
  ]).action((word) =>
    run({ word }, async (given, context) =>
      (await import('../../commands/resources.ts')).resources(given.word, context),
    ),
  );
  profilesOf(program, run);
}

function profilesOf(program: CommandUnknownOpts, run: Run): void {
  const profiles = verb(program, 'profiles', 'look at profiles: list, show, lint; accept what comes along', [
    'keyaudit profiles list',
    'keyaudit profiles lint',
  ]);
  verb(profiles, 'list', 'every profile that can be named', [
    'keyaudit profiles list',
    'keyaudit profiles list --format json',
  ]).action((options) =>
    run(options, async (_given, context) =>
      (await import('../../commands/profiles.ts')).listProfiles(context),
    ),
  );
  verb(profiles, 'show <profile>', 'a profile as it resolves, after "extends"', [
    'keyaudit profiles show analytics',
    'keyaudit profiles show ./profiles/my-agent.yaml --format json',
  ]).action((profile) =>
    run({ profile }, async (given, context) =>
      (await import('../../commands/profiles.ts')).showProfile(given.profile, context),
    ),
  );
  verb(profiles, 'lint [profiles...]', 'every mistake in every profile, with its line', [
    'keyaudit profiles lint',
    'keyaudit profiles lint ./profiles/my-agent.yaml --min-coverage 100',
  ])
    .addOption(minCoverageOption())
    .action((names, options) =>
      run({ ...options, names }, async (given, context) =>
        (await import('../../commands/profiles.ts')).lintProfiles(given.names, context, given),
      ),
    );
  verb(
    profiles,
    'accept <profile> <operations...>',
    'write into a profile that it takes a widening knowingly',
    [
      'keyaudit profiles accept my-agent charges.create --reason "Stripe grants it only together with charge_write"',
      'keyaudit profiles accept ./my-agent.yaml charges.create charges.capture --reason "Support needs it" --until 2027-06-30',
    ],
  )
    .requiredOption('--reason <text>', 'why')
    .option('--until <day>', 'the last day on which it counts, YYYY-MM-DD')
    .action((profile, operations, options) =>
      run({ ...options, profile, operations }, async (given, context) =>
        (await import('../../commands/accept.ts')).accept(given, context),
      ),
    );
}
