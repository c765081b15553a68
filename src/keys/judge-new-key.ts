import { depthFor } from '../audit/depth-for.ts';
import { explainedResult } from '../audit/explained-result.ts';
import { probeKey } from '../audit/probe-key.ts';
import { KeyauditError } from '../core/error.ts';
import { nextCommand } from '../core/next-command.ts';
import { broaderThanProbed, broaderThanRecord, withBroader } from '../core/result/broader-than.ts';
import { resultIsOk, type VerifyResult } from '../core/result/verify-report.ts';
import type { Rotation } from '../report/keys/rotate.ts';
import { verdictLine } from '../report/verify/words/verdict-line.ts';
import type { ProfileGrant } from '../session/profile-grant.ts';
import type { OpenSession } from '../session/session.ts';
import type { FoundKey } from '../store/find-key.ts';
import { fingerprintOf, type KeyRecord } from '../store/notes/key-records.ts';

/** The key that is to be replaced: its record, and its secret where that is at hand. */
export interface OldKey {
  readonly record: KeyRecord;
  readonly found: FoundKey | undefined;
}

/**
 * A new key against its profile, and against what the old one could do; `message` says why not.
 * @param probed what probes showed of the new key
 * @throws what the run's signal gives as its reason: half an answer is no judgement
 */
export async function judgeNewKey(
  probed: VerifyResult,
  { record: old, found }: OldKey,
  one: ProfileGrant,
  session: OpenSession,
): Promise<Pick<Rotation, 'verification' | 'broader' | 'message'>> {
  throwIfInterrupted(session);
  const verification = await explainedResult(probed, one, session);
  if (!resultIsOk(verification)) {
    return {
      verification,
      broader: [],
      message: `The new key is not as its profile says: ${verdictLine(verification)}.`,
    };
  }
  const isOld = found !== undefined && fingerprintOf(found.key) === old.fingerprint;
  const depth = depthFor(one.profile, {});
  const before = isOld ? await probeKey(one, found, { depth }, session) : undefined;
  throwIfInterrupted(session);
  const broader =
    before === undefined || before.stopped !== undefined
      ? broaderThanRecord(verification, old.permissions, session.catalog)
      : broaderThanProbed(verification, before);
  const again = nextCommand(`keyaudit provision ${old.profile} --again`, session.globals.place);
  const message =
    broader.length === 0
      ? ''
      : `The new key can do what the old one could not: ${broader.join(', ')}. Widen a key on purpose with "${again}".`;
  const shown = await explainedResult(withBroader(verification, broader), one, session);
  return { verification: shown, broader, message };
}

function throwIfInterrupted({ signal }: OpenSession): void {
  if (!signal.aborted) return;
  const { reason } = signal;
  if (!(reason instanceof KeyauditError)) throw reason;
  throw new KeyauditError(reason.code, reason.message, {
    hint: 'The new key is published nowhere; the old one works on as before.',
    exitCode: reason.exitCode,
  });
}
