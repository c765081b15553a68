import { nextCommand } from '../core/next-command.ts';
import type { VerifyResult } from '../core/result/verify-report.ts';
import type { SendOutcome } from '../stripe/send-probes.ts';

/**
 * Why a run ended early, in words.
 * @param profile that a new key could be made for
 * @param place where, as words of a command line
 */
export function stoppedText(
  outcome: SendOutcome,
  profile?: string,
  place: readonly string[] = [],
): VerifyResult['stopped'] {
  switch (outcome.stopped?.reason) {
    case undefined:
      return undefined;
    case 'dead-key':
      if (outcome.stopped.verdict?.reason === 'ip-refused') {
        return {
          code: 'KEY_DEAD',
          message: outcome.stopped.verdict.message,
          hint: 'It is not dead. Run this from an address that the key allows, or change its list of addresses in the Dashboard.',
        };
      }
      return {
        code: 'KEY_DEAD',
        message: outcome.stopped.verdict?.message ?? 'The key is dead.',
        hint: `A dead key is refused everything, which proves nothing.${
          profile === undefined
            ? ''
            : ` Make a new one with "${nextCommand(`keyaudit provision ${profile} --again`, place)}".`
        }`,
      };
    case 'unsafe-probe':
      return {
        code: 'PROBE_UNSAFE',
        message: outcome.stopped.verdict?.message ?? 'A probe was answered as if it had written.',
        hint: 'Undo what it changed, and report this probe: no probe may ever change anything.',
      };
    case 'no-answer': {
      const last = outcome.results.findLast(({ observation }) => observation.failure !== 'given-up');
      const why = last === undefined ? '' : ` ${last.verdict.message}`;
      return {
        code: 'NO_ANSWER',
        message: `Nothing got through to Stripe any more, retries included, so the rest was not asked.${why}`,
        hint: 'Check the network, --api-base and the status of the server, then run it again.',
      };
    }
    case 'same-answers':
      return {
        code: 'SAME_ANSWERS',
        message:
          `The first ${outcome.results.length} answers are all the same, and none tells what the key can do, so the rest was not asked. ${outcome.stopped.verdict?.message ?? ''}`.trim(),
        hint: 'Look whether it is the right key for this account and this server.',
      };
    case 'interrupted':
      return { code: 'INTERRUPTED', message: 'Interrupted; this report is partial.', hint: 'Run it again.' };
    case 'deadline':
      return {
        code: 'DEADLINE',
        message: 'The deadline passed; this report is partial.',
        hint: 'Allow more time, or a higher rate.',
      };
  }
}
