import { type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { RISK_TIERS } from '../../core/catalog/risk.ts';
import {
  ALL_PROFILES,
  depthOption,
  EXAMPLES,
  minCoverageOption,
  probedAccountOption,
  rateOption,
  repeatable,
  withExamples,
  witnessOption,
} from '../flags.ts';
import { type Run, verb } from '../verb.ts';

/** The verbs that ask what a key can do, and gate on the answer. */
export function proveThem(program: CommandUnknownOpts, run: Run): void {
  proveKeys(program, run);
  lockKeys(program, run);
  compareProofs(program, run);
  checkProofs(program, run);
}

function proveKeys(program: CommandUnknownOpts, run: Run): void {
  verb(program, 'verify [profiles...]', 'probe the key, compare it with its profile, report, gate', [
    'keyaudit verify --profile refund-agent',
    'keyaudit verify --all --depth endpoints --report junit=verify.xml --report sarif=verify.sarif',
  ])
    .addOption(repeatable('--profile <name>', 'profile to verify, by name or path'))
    .option('--all', ALL_PROFILES)
    .option('--examples', EXAMPLES)
    .option('--key-env <variable>', 'take the key from this environment variable')
    .option('--key-from <source>', 'take the key from a command: exec:COMMAND')
    .addOption(
      depthOption(
        "checks: named calls; permissions: each permission; endpoints: each call; record: Stripe's record alone",
      ),
    )
    .option(
      '--through-guard',
      'ask through the guard with a run key: what it lets through and the profile does not ask for',
    )
    .addOption(witnessOption())
    .addOption(probedAccountOption())
    .addOption(
      new Option(
        '--unseen <what>',
        'what a permission that could not be seen means: report it, or fail (exit 3)',
      )
        .choices(['report', 'fail'] as const)
        .env('KEYAUDIT_UNSEEN'),
    )
    .addOption(rateOption())
    .option('--timeout <duration>', 'longest wait for one answer, such as 5s (default 20s)')
    .option('--deadline <duration>', 'for the whole run, such as 10m; the report is then partial')
    .option('--compare', 'probe the live key of each profile as well, and show what differs')
    .option('--live-key-env <variable>', "its variable (default: the profile's with _LIVE behind it)")
    .addOption(minCoverageOption())
    .addOption(
      new Option(
        '--fail-on <tier>',
        'exit 1 for what a key can do more only where it is as grave as this; the rest is shown',
      )
        .choices(RISK_TIERS)
        .env('KEYAUDIT_FAIL_ON'),
    )
    .addOption(
      new Option('--frozen', 'fail on what goes beyond the lock file keyaudit.lock.yaml').env(
        'KEYAUDIT_FROZEN',
      ),
    )
    .option('--lock <file>', 'this lock file instead (means --frozen)')
    .addOption(repeatable('--report <format=file>', 'write a further report; "-" is standard output'))
    .option('--attest <file>', 'write a signed statement of the verdict (in-toto, in a DSSE envelope)')
    .addOption(
      new Option(
        '--attest-key <source>',
        'the private key that signs it: a file (PEM or JWK), or exec:COMMAND',
      ).env('KEYAUDIT_ATTEST_KEY'),
    )
    .option('--history <file>', 'add this run as a line to a file, and show the last runs in the HTML report')
    .action((words, { profile, throughGuard, ...options }) =>
      run({ ...withExamples(options), profiles: [...profile, ...words] }, async (given, context) =>
        throughGuard === true
          ? (await import('../../commands/verify-guard.ts')).verifyGuard(given, context)
          : (await import('../../commands/verify.ts')).verify(given, context),
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
    .addOption(witnessOption())
    .addOption(rateOption())
    .action((options) =>
      run(options, async (given, context) =>
        (await import('../../commands/inspect.ts')).inspect(given, context),
      ),
    );
}

/** Writing down what was agreed. */
function lockKeys(program: CommandUnknownOpts, run: Run): void {
  verb(program, 'lock [profiles...]', 'verify each key, and write how far it reaches to the lock file', [
    'keyaudit lock --all',
    'keyaudit lock refund-agent --depth endpoints',
  ])
    .addOption(repeatable('--profile <name>', 'profile to lock, by name or path'))
    .option('--all', 'every profile; entries of profiles that are gone are dropped')
    .option('--examples', EXAMPLES)
    .option('--key-env <variable>', 'take the key from this environment variable')
    .option('--key-from <source>', 'take the key from a command: exec:COMMAND')
    .addOption(depthOption('how much is verified; --frozen then verifies as much'))
    .addOption(witnessOption())
    .addOption(probedAccountOption())
    .addOption(rateOption())
    .option('--lock <file>', 'the lock file, instead of keyaudit.lock.yaml')
    .option('--check', 'write nothing; fail when the file would change in more than its keys')
    .action((words, { profile, ...options }) =>
      run({ ...withExamples(options), profiles: [...profile, ...words] }, async (given, context) =>
        (await import('../../commands/lock.ts')).lock(given, context),
      ),
    );
}

/** What was proved before, checked later. */
function checkProofs(program: CommandUnknownOpts, run: Run): void {
  const attest = verb(program, 'attest', 'statements that "verify --attest" has signed', [
    'keyaudit attest verify keyaudit.dsse.json --key attest.pub.pem',
    'keyaudit attest verify keyaudit.dsse.json --key attest.pub.pem --max-age 30d',
  ]);
  verb(
    attest,
    'verify <file>',
    'check signature, age, and the digests of key, profile, policy and lock file',
    [
      'keyaudit attest verify keyaudit.dsse.json --key attest.pub.pem',
      'keyaudit attest verify keyaudit.dsse.json --key attest.pub.pem --key-env STRIPE_REFUND_AGENT_KEY',
    ],
  )
    .addOption(
      new Option('--key <source>', 'the public key of who signed: a file (PEM or JWK), or exec:COMMAND')
        .env('KEYAUDIT_ATTEST_PUBLIC_KEY')
        .makeOptionMandatory(),
    )
    .option('--max-age <duration>', 'older statements are refused', '90d')
    .option('--key-env <variable>', 'the statement must be of the key in this variable')
    .option(
      '--fingerprint <fingerprint>',
      'the statement must be of the key with this fingerprint (sha256:…)',
    )
    .action((file, options) =>
      run({ ...options, file }, async (given, context) =>
        (await import('../../commands/attest.ts')).verifyAttestation(given, context),
      ),
    );
}

/** Comparing what was proved, and proving the probes themselves. */
function compareProofs(program: CommandUnknownOpts, run: Run): void {
  verb(
    program,
    'diff <before> [after]',
    'what got wider, what narrower: profiles, git revisions, lock files, reports',
    [
      'keyaudit diff old-profile.yaml profiles/refund-agent.yaml --fail-on-widening',
      'keyaudit diff main --format markdown --fail-on-widening',
    ],
  )
    .option('--fail-on-widening', 'exit 1 when something is wider, or no longer verified')
    .action((before, after, options) =>
      run({ ...options, before, after }, async (given, context) =>
        (await import('../../commands/diff.ts')).diff(given, context),
      ),
    );

  verb(
    program,
    'calibrate',
    'with an unrestricted test key and a bare one: find blind and unsafe probes and wrong rows',
    [
      'STRIPE_SECRET_KEY=… keyaudit calibrate --target stripe',
      'keyaudit calibrate --target stripe --write my-account',
      'keyaudit calibrate --target stripe --bare-only --bare-key-env BARE_KEY',
      'keyaudit calibrate --target stripe --print',
    ],
  )
    .option('--bare-key-env <variable>', 'a test key that holds nothing useful (else one is made and ended)')
    .addOption(
      new Option('--only <part>', "probes, or the catalog's rows by Stripe's own resolver").choices([
        'probes',
        'catalog',
      ] as const),
    )
    .option('--write <file>', "keep the resolver's answers as calibrated rows for later runs")
    .option('--bare-only', 'ask the key without permissions alone: its refusals name what would do')
    .option('--confirm', 'ask what refusals and the catalog differ on again, with a key for each permission')
    .addOption(
      new Option(
        '--print [what]',
        "print what was found so far and ask nothing: rows for the catalog's tables, or the answers",
      ).choices(['rows', 'answers'] as const),
    )
    .option('--restart', 'forget what was found so far')
    .addOption(rateOption())
    .action((options) =>
      run(options, async (given, context) =>
        (await import('../../commands/calibrate.ts')).calibrate(given, context),
      ),
    );
}
