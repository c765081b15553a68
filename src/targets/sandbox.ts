import { startSandbox } from '../sandbox/sandbox.ts';
import { readBehaviour } from './read-behaviour.ts';
import type { OpenTarget, TargetRequest } from './target.ts';

/** A sandbox inside this process, on a free port of this machine unless it is private. */
export function openSandbox(request: TargetRequest): Promise<OpenTarget> {
  return openEmbedded(request, 'Asked the embedded sandbox; nothing at Stripe was touched.');
}

/** The same with another server behind its gate. @param upstream its URL */
export async function openEmbedded(
  { target, live, isPrivate, cwd, env, catalog }: TargetRequest,
  note: string,
  upstream?: string,
): Promise<OpenTarget> {
  const behaviour = await readBehaviour(env.KEYAUDIT_SANDBOX_BEHAVIOUR, cwd);
  const sandbox = await startSandbox({ catalog, isPrivate, cwd, behaviour, upstream });
  return {
    name: target,
    apiBase: sandbox.url,
    note,
    secretKey: () => (live ? sandbox.liveSecretKey : sandbox.secretKey),
    close: () => sandbox.close(),
  };
}
