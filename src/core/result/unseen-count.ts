import type { VerifyResult } from './verify-report.ts';

/** How many permissions a run could not show; what others cover adds nothing that anybody knows of. */
export function unseenOf({ unseen }: Pick<VerifyResult, 'unseen'>): number {
  return unseen.filter(({ reason }) => reason !== 'covered').length;
}
