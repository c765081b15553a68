import { KeyauditError } from '../core/error.ts';
import type { Target } from '../core/target.ts';
import { secretKeyFromEnvironment } from './secret-key-from-environment.ts';
import type { OpenTarget, OpenTargetKind, TargetRequest } from './target.ts';

/** One file a target, loaded when it is asked for; a further one is a file of its own and a line here. */
const targets = {
  sandbox: async (request) => (await import('./sandbox.ts')).openSandbox(request),
  'stripe-mock': async (request) => (await import('./gated-stripe-mock.ts')).openGatedStripeMock(request),
  stripe: async (request) => (await import('./stripe.ts')).openStripe(request),
} satisfies Record<Target, OpenTargetKind>;

/** Opens `--target`, or what `--api-base` puts in its place. */
export async function openTarget(request: TargetRequest): Promise<OpenTarget> {
  const { target, apiBase } = request;
  if (apiBase === undefined) return targets[target](request);
  const url = checkedUrl(apiBase);
  // Nobody has proved what is behind it, whatever target was said.
  const note = `Asked ${url} as target ${target}.`;
  return {
    name: target,
    apiBase: url,
    note,
    secretKey: () => secretKeyFromEnvironment(request),
    close: async () => {},
  };
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
