import { join } from 'node:path';
import type { LogEvent } from '../../src/core/spend/log-row.ts';
import { GuardLog, type GuardLogOptions } from '../../src/store/guard-log/guard-log.ts';

/** When the logs of tests are written, in ms since 1970. */
export const LOG_TIME = Date.parse('2026-11-25T12:00:00Z');

const CAPS = [{ per: 'run', amounts: [{ minor: 100_000, currency: 'usd' }], of: [] }] as const;

/** A log of one run with refunds of 100: reserved and settled by turns. @returns its one file */
export async function writtenLog(
  folder: string,
  refunds = 3,
  options: Pick<GuardLogOptions, 'onCheckpoint' | 'instance'> = {},
): Promise<string> {
  const { log, book } = await GuardLog.open({ folder, now: () => LOG_TIME, ...options });
  const issue = {
    run: 'r',
    profile: 'p',
    scope: 's',
    key: 'k',
    issuedAt: LOG_TIME,
    expiresAt: LOG_TIME + 9_999_999,
  };
  const happen = (event: LogEvent) => {
    book.apply(event, LOG_TIME);
    log.note(event, LOG_TIME);
  };
  happen({ kind: 'issue', ...issue });
  for (let n = 0; n < refunds; n++) {
    const result = book.reserve({
      call: { run: 'r', profile: 'p', operation: 'refunds.create', method: 'POST', path: '/v1/refunds' },
      scope: 's',
      reservation: `x${n}`,
      direction: 'out',
      amount: 100,
      currency: 'usd',
      objects: {},
      caps: CAPS,
      zone: 'UTC',
      unpriced: 0,
      now: LOG_TIME,
    });
    if (!('event' in result)) throw new Error('not reserved');
    log.note(result.event, LOG_TIME);
    happen({ kind: 'settle', reservation: `x${n}`, amount: 100 });
  }
  await log.close();
  return join(folder, '2026-11-25.jsonl');
}
