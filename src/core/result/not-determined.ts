import type { Stopped } from '../error.ts';
import type { VerifyResult } from './verify-report.ts';

/** Whether a witness was asked what the key may do: its probes, or Stripe's record of it. */
export function hasWitness({ summary, witnesses }: Pick<VerifyResult, 'summary' | 'witnesses'>): boolean {
  return summary.probes > 0 || witnesses?.record.read === true;
}

/** Why a result is no answer: it was stopped, or no witness was asked. */
export function notDetermined(result: VerifyResult): Stopped | undefined {
  if (result.stopped !== undefined) return result.stopped;
  if (hasWitness(result)) return undefined;
  return {
    code: 'NOTHING_PROBED',
    message: 'Nothing was probed.',
    hint: 'Choose a greater --depth, or name calls in the profile\'s "checks".',
  };
}
