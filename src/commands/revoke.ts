import { parseDuration } from '../core/duration.ts';
import { EXIT, type ExitCode } from '../core/error.ts';
import { cleanUp } from '../keys/end/clean-up.ts';
import { keysToRevoke, revokeKeys } from '../keys/end/revoke-key.ts';
import { renderRevokeTable, revokeJson } from '../report/keys/revoke.ts';
import type { CommandContext } from '../session/context.ts';
import { printResult } from '../session/result-output.ts';
import { openSession, withTarget } from '../session/session.ts';

export interface RevokeOptions {
  /** A profile's name, or a key's id. */
  readonly what: string;
  readonly wait: boolean;
  /** Longest wait for the key's death. */
  readonly timeout: string;
  readonly account?: string;
}

/** `keyaudit revoke`: narrow, expire, and watch until the key is dead. */
export async function revoke(options: RevokeOptions, context: CommandContext): Promise<ExitCode> {
  const timeoutMs = parseDuration(options.timeout);
  const session = await openSession(context);
  return withTarget(session, async (open) => {
    // What is not to be ended is refused before anything is asked or cleaned up.
    await keysToRevoke(options.what, options.account, open);
    await cleanUp(open, options);
    const keys = await revokeKeys(options.what, { ...options, timeoutMs }, open);
    const report = { target: open.target.name, targetNote: open.target.note, next: open.globals.place, keys };
    await printResult(open, {
      json: revokeJson(report),
      table: (output) => renderRevokeTable(report, output),
    });
    const isUnsure = keys.some(
      ({ retirement: { unwatched, byHand } }) =>
        unwatched !== undefined && (unwatched !== 'not-asked' || byHand !== undefined),
    );
    return isUnsure ? EXIT.undetermined : EXIT.ok;
  });
}
