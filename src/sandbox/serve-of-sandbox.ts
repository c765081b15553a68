import { type Answer, errorAnswer } from '../http/answer.ts';
import type { ApiRequest } from '../http/read-request.ts';
import type { Asked } from './serve-request.ts';

const OBJECTS = '/_sandbox/objects';

/** Whether a call is one of the sandbox's own, which Stripe does not have. */
export function isOfSandbox({ path }: ApiRequest): boolean {
  return path.startsWith('/_sandbox/');
}

/**
 * `DELETE /_sandbox/objects`: all objects go, and those of the seed are there again; keys stay. For whoever has
 * the sandbox's secret key, on this machine.
 * @param reset does it
 */
export function serveOfSandbox({ request, caller }: Asked, reset: () => Answer): Answer {
  const { method, path, raw } = request;
  if (path !== OBJECTS || method !== 'DELETE') {
    const message = `The sandbox has no ${method} ${path} of its own; it has DELETE ${OBJECTS}.`;
    return errorAnswer(404, { message });
  }
  if (!isLoopback(raw.remoteAddress)) {
    return errorAnswer(403, { message: `DELETE ${OBJECTS} is served to this machine alone.` });
  }
  if (caller.kind !== 'secret') {
    return errorAnswer(403, { message: `DELETE ${OBJECTS} needs the secret key that the sandbox printed.` });
  }
  return reset();
}

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(?:127\.|::1$|::ffff:127\.)/.test(address);
}
