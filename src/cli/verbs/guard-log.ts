import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { countOption } from '../flags.ts';
import { type Run, verb } from '../verb.ts';

/** The verbs that read the guard's log, under `keyaudit guard`. */
export function guardLog(guard: CommandUnknownOpts, run: Run): void {
  const log = verb(guard, 'log', "the guard's log: what was let through, what was refused, what it came to", [
    'keyaudit guard log --follow',
    'keyaudit guard log --run nightly --last 200 --format json',
  ])
    .option(
      '--place <folder>',
      'a folder of log files, or one of them (default: of the guard of this folder)',
    )
    .option('--run <id>', 'rows of this run alone')
    .addOption(countOption('--last <n>', 'so many rows, the last').default(50))
    .option('--follow', 'go on with what is written from now on')
    .action((options) =>
      run(options, async (given, context) =>
        (await import('../../commands/guard-log.ts')).showLog(given, context),
      ),
    );

  verb(log, 'export [place]', 'all rows, one a line, as other programs read them: OCSF, CloudEvents or CSV', [
    'keyaudit guard log export --format csv --output guard.csv',
    'keyaudit guard log export --format ocsf',
  ]).action((place) =>
    run({ place: place ?? log.opts().place }, async (given, context) =>
      (await import('../../commands/guard-log.ts')).exportLog(given, context),
    ),
  );

  verb(log, 'verify [place]', 'is the log as it was written, and do its amounts add up', [
    'keyaudit guard log verify',
    'keyaudit guard log verify /var/lib/keyaudit/.keyaudit/guard/log --kept HASH',
  ])
    .option('--kept <hash>', 'of a row that was seen once and must still be there; or a checkpoint')
    .option(
      '--key <file>',
      'the public key of its checkpoints, kept elsewhere (default: key.pub.json of the log)',
    )
    .action((place, options) =>
      run({ ...options, place }, async (given, context) =>
        (await import('../../commands/guard-log.ts')).verifyLog(given, context),
      ),
    );

  acceptBreak(log, run);
}

/** The verb that takes a broken log as it stands. */
function acceptBreak(log: CommandUnknownOpts, run: Run): void {
  verb(
    log,
    'accept <file:line>',
    'take a break of the log as it stands, so that a guard starts on it again',
    [
      'keyaudit guard log accept 2026-11-25.jsonl:1207 --reason "restored from the backup of the night"',
      'keyaudit guard log accept 2026-11-25.jsonl:1207 --reason "the disk was full" --format json',
    ],
  )
    .requiredOption('--reason <text>', 'why it may be taken as it stands; a row of the log says so')
    .action((place, options) =>
      run({ ...options, place }, async (given, context) =>
        (await import('../../commands/guard-log.ts')).acceptLogBreak(given, context),
      ),
    );
}

/** The verbs that look after a guard, under `keyaudit guard`. */
export function guardCare(guard: CommandUnknownOpts, run: Run): void {
  verb(guard, 'reconcile [run]', 'ask Stripe what became of what is held or on its way, and settle it', [
    'keyaudit guard reconcile',
    'keyaudit guard reconcile run_3f2a --format json',
  ]).action((id) =>
    run({ run: id }, async (given, context) =>
      (await import('../../commands/guard-reconcile.ts')).reconcileRuns(given, context),
    ),
  );

  verb(
    guard,
    'simulate <file>',
    'replay a recorded log against the policy as it is now: what would be refused',
    [
      'keyaudit guard simulate .keyaudit/guard/log',
      'keyaudit guard simulate 2026-11-25.jsonl --profile stricter.yaml',
    ],
  )
    .option('--profile <name>', 'the policy for every row (default: of each its own profile, as it is now)')
    .action((file, options) =>
      run({ ...options, file }, async (given, context) =>
        (await import('../../commands/guard-simulate.ts')).simulateLog(given, context),
      ),
    );

  verb(guard, 'doctor [profiles...]', "what is wrong around a guard; best run as the agents' user", [
    'keyaudit guard doctor refund-agent',
    'sudo -u agent keyaudit guard doctor',
  ]).action((profiles) =>
    run({ profiles }, async (given, context) =>
      (await import('../../commands/guard-doctor.ts')).guardDoctor(given, context),
    ),
  );
}
