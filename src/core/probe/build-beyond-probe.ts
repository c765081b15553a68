import type { BeyondOperation } from '../catalog/beyond-sdk.ts';
import { isWrite } from '../catalog/catalog.ts';
import { impossiblePath, UNKNOWN_PARAMETER } from './build-probe.ts';
import type { Probe } from './probe.ts';

/**
 * The harmless request for a call that the SDK does not have: a list of one, a read without what it requires, or a
 * write to an id that cannot exist.
 */
export function buildBeyondProbe(operation: BeyondOperation, nonce: string): Probe {
  const path = impossiblePath(operation.path, nonce);
  const unsafe = operation.access === 'unsafe' ? { unsafe: true } : {};
  const common = { operation, calibrated: false, ...unsafe };
  if (isWrite(operation)) {
    return { ...common, path, body: bodyOf(operation, nonce), shape: 'missing-object', strength: 'weak' };
  }
  const asked = operation.query === '' ? path : `${path}?${operation.query}`;
  if (path.includes(nonce)) return { ...common, path: asked, shape: 'retrieve', strength: 'strong' };
  const isWhole = operation.query !== '';
  return {
    ...common,
    path: asked,
    shape: isWhole ? 'list' : 'missing-parameter',
    strength: isWhole ? 'strong' : 'weak',
  };
}

function bodyOf({ path }: BeyondOperation, nonce: string): Probe['body'] {
  if (path.startsWith('/v2/')) return {};
  return path.endsWith('{id}') ? { metadata: { keyaudit: 'probe' } } : { [UNKNOWN_PARAMETER]: nonce };
}
