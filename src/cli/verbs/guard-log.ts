import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { type Run, verb } from '../verb.ts';

/** The verbs that read the guard's log, under `keyaudit guard`. */
export function guardLog(guard: CommandUnknownOpts, run: Run): void {
  const log = verb(guard, 'log', "the guard's log: what was let through, what was refused, what it came to", [
    'keyaudit guard log verify',
    'keyaudit guard log verify --format json',
  ]);
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
}
