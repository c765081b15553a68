import { KeyauditError } from '../error.ts';

/** Calibrating takes test keys alone. */
export function liveRefused(): KeyauditError {
  return new KeyauditError('LIVE_NOT_ALLOWED', 'Calibrating takes test keys only, whatever --live says.', {
    hint: 'It sends probes whose harmlessness is only about to be shown; use an account in test mode.',
  });
}
