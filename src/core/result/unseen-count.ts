import type { VerifyResult } from './verify-report.ts';

/** How many permissions a run could not show. */
export function unseenOf({ unverifiable }: Pick<VerifyResult, 'unverifiable'>): number {
  return unverifiable.length;
}
