import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { type Run, verb } from '../verb.ts';
import { guardLog } from './guard-log.ts';

/** The verbs of the guard. */
export function guardCalls(program: CommandUnknownOpts, run: Run): void {
  const guard = verb(program, 'guard', 'caps, a kill switch and a log, before Stripe', [
    'keyaudit guard log verify',
    'keyaudit guard log verify /var/lib/keyaudit/.keyaudit/guard/log',
  ]);
  guardLog(guard, run);
}
