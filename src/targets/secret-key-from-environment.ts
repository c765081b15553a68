import { KeyauditError } from '../core/error.ts';
import { SecretKey } from '../core/secret-key.ts';
import { requireLiveAllowed } from '../store/find-key.ts';
import type { TargetRequest } from './target.ts';

/** @throws KeyauditError when `STRIPE_SECRET_KEY` is missing, or is live without `--live` */
export function secretKeyFromEnvironment({ env, live }: Pick<TargetRequest, 'env' | 'live'>): SecretKey {
  const text = env.STRIPE_SECRET_KEY;
  if (text === undefined || text.trim() === '') {
    throw new KeyauditError(
      'SECRET_KEY_MISSING',
      'Making keys needs a secret key, and STRIPE_SECRET_KEY is not set.',
      {
        hint: 'Set STRIPE_SECRET_KEY to a secret key (sk_test_…) in the environment, never as an argument.',
      },
    );
  }
  const key = SecretKey.ofVariable('STRIPE_SECRET_KEY', text);
  if (key.kind === 'publishable' || key.kind === 'webhook-secret') {
    throw new KeyauditError(
      'SECRET_KEY_WRONG_KIND',
      `STRIPE_SECRET_KEY holds a ${key.kind.replace('-', ' signing ')} (${key}), which makes no keys.`,
      {
        hint: 'Set it to a secret key (sk_test_…).',
      },
    );
  }
  requireLiveAllowed(key, 'STRIPE_SECRET_KEY is', live);
  return key;
}
