import type { Stopped } from '../error.ts';
import type { VerifyResult } from './verify-report.ts';

/** Why a result is no answer: it was stopped, or nothing was probed. */
export function notDetermined({ stopped, summary }: VerifyResult): Stopped | undefined {
  if (stopped !== undefined) return stopped;
  if (summary.probes > 0) return undefined;
  return {
    code: 'NOTHING_PROBED',
    message: 'Nothing was probed.',
    hint: 'Choose a greater --depth, or name calls in the profile\'s "checks".',
  };
}
