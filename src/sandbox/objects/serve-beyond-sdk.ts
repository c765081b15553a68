import type { BeyondOperation } from '../../core/catalog/beyond-sdk.ts';
import { type Answer, errorAnswer, missingObject } from '../../http/answer.ts';
import { v2Error } from '../keys/managed-key-endpoints.ts';
import { v2ListPage } from './list-page.ts';

/** Whether a call that the SDK does not have is there for who asks with this version. */
export function isOpen({ access, version }: BeyondOperation, asked: string | undefined): boolean {
  switch (access) {
    case 'preview':
    case 'private':
      return asked?.endsWith('.preview') === true;
    case 'legacy':
      return asked !== undefined && asked.slice(0, 10) <= (version ?? '').slice(0, 10);
    case 'expansion':
    case 'unsafe':
      return true;
  }
}

/** The answer to a call that the SDK does not have: the sandbox keeps no objects of these kinds. */
export function serveBeyondSdk(operation: BeyondOperation, ids: readonly string[]): Answer {
  const isV2 = operation.path.startsWith('/v2/');
  const [id] = ids;
  if (id !== undefined) {
    const object = operation.resource.replace(/^.*\//, '').replace(/s$/, '');
    return isV2 ? v2Error(404, `No such ${object}: '${id}'`, 'not_found') : missingObject(object, id, 'id');
  }
  if (operation.access === 'unsafe')
    return errorAnswer(400, { message: 'The sandbox does not model this call.' });
  if (operation.kind !== 'list')
    return errorAnswer(400, { code: 'parameter_missing', message: 'Missing required param.' });
  return isV2
    ? v2ListPage([], operation.path, {})
    : { status: 200, body: { object: 'list', data: [], has_more: false, url: operation.path } };
}
