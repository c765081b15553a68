import type { Catalog } from '../core/catalog/catalog.ts';
import { KeyauditError } from '../core/error.ts';
import { SecretKey } from '../core/secret-key.ts';
import type { Target } from '../core/target.ts';
import { readBehaviour } from './read-behaviour.ts';

/** Which target, and what opening it may need. */
export interface TargetRequest {
  readonly target: Target;
  /** A server in place of the target's own. */
  readonly apiBase?: string | undefined;
  /** Whether live keys are allowed. */
  readonly live: boolean;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What an embedded sandbox enforces. */
  readonly catalog: Catalog;
}

/** A target that is ready to be asked. */
export interface OpenTarget {
  readonly name: Target;
  readonly apiBase: string;
  /** One sentence for every result: what was asked. */
  readonly note: string;
  /** The secret key that makes keys there. @throws KeyauditError when none was given */
  secretKey(): SecretKey;
  close(): Promise<void>;
}

/**
 * Opens `--target`: starts the embedded sandbox on a free port of this machine, with stripe-mock behind
 * it if that is the target, or takes `--api-base`, or Stripe itself.
 */
export async function openTarget(request: TargetRequest): Promise<OpenTarget> {
  const { target, apiBase, live, cwd, env, catalog } = request;
  const secretKey = () => secretKeyFromEnvironment(request);
  const close = async () => {};
  if (apiBase !== undefined) {
    const url = checkedUrl(apiBase);
    const note =
      target === 'sandbox'
        ? `Asked the sandbox at ${url}; nothing at Stripe was touched.`
        : `Asked ${url} as target ${target}.`;
    return { name: target, apiBase: url, note, secretKey, close };
  }
  switch (target) {
    case 'stripe':
      return {
        name: target,
        apiBase: 'https://api.stripe.com',
        note: `Asked Stripe, ${live ? 'live keys allowed' : 'test mode'}.`,
        secretKey,
        close,
      };
    case 'stripe-mock':
    case 'sandbox': {
      const mock =
        target === 'stripe-mock' ? await (await import('./stripe-mock.ts')).openStripeMock(env) : undefined;
      const { startSandbox } = await import('../sandbox/sandbox.ts');
      try {
        const sandbox = await startSandbox({
          catalog,
          cwd,
          behaviour: await readBehaviour(env.KEYAUDIT_SANDBOX_BEHAVIOUR, cwd),
          ...(mock === undefined ? {} : { upstream: mock.url }),
        });
        return {
          name: target,
          apiBase: sandbox.url,
          note:
            mock === undefined
              ? 'Asked the embedded sandbox; nothing at Stripe was touched.'
              : `Asked stripe-mock (from ${mock.from}) behind the sandbox's permission gate; nothing at Stripe was touched.`,
          secretKey: () => (live ? sandbox.liveSecretKey : sandbox.secretKey),
          close: async () => {
            await sandbox.close();
            await mock?.close();
          },
        };
      } catch (error) {
        await mock?.close();
        throw error;
      }
    }
  }
}

function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new KeyauditError('USAGE', `"${text}" is not the URL of a server.`, {
      hint: 'Write one such as http://127.0.0.1:4242.',
    });
  }
  if (url.username !== '' || url.password !== '') {
    throw new KeyauditError('USAGE', 'The URL of a server must not hold a key.', {
      hint: 'Give the key in STRIPE_SECRET_KEY.',
    });
  }
  return url.origin;
}

/** @throws KeyauditError when `STRIPE_SECRET_KEY` is missing, or is live without `--live` */
function secretKeyFromEnvironment({ env, live }: TargetRequest): SecretKey {
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
  const key = SecretKey.of(text);
  if (key.kind === 'publishable' || key.kind === 'webhook-secret') {
    throw new KeyauditError(
      'SECRET_KEY_WRONG_KIND',
      `STRIPE_SECRET_KEY holds a ${key.kind.replace('-', ' signing ')} (${key}), which makes no keys.`,
      {
        hint: 'Set it to a secret key (sk_test_…).',
      },
    );
  }
  if (key.mode === 'live' && !live) {
    throw new KeyauditError('LIVE_NOT_ALLOWED', 'STRIPE_SECRET_KEY is a live key.', {
      hint: 'Say --live as well if you mean it, or use a test key.',
    });
  }
  return key;
}
