import type { Catalog } from '../../core/catalog/catalog.ts';
import type { Expansions } from '../../core/catalog/expansion.ts';
import { smallestGrant } from '../../core/grant/smallest-grant.ts';
import { type Answer, errorAnswer } from '../../http/answer.ts';
import type { Fields } from '../../http/form-body.ts';

/** Where Stripe's command line asks which permissions endpoints need. @see docs/observed.md */
export const KEY_PERMISSIONS_PATH = '/v1/stripecli/key_permissions';

const MOST_ENDPOINTS = 100;

/** `endpoints[0]=GET /v1/charges` → the permissions that these need, answered from the catalog. */
export function resolveKeyPermissions(fields: Fields, catalog: Catalog, expansions: Expansions): Answer {
  const { endpoints } = fields;
  if (endpoints === undefined) {
    return errorAnswer(400, {
      code: 'parameter_missing',
      message: 'Missing required param: endpoints.',
      param: 'endpoints',
    });
  }
  const list = (Array.isArray(endpoints) ? endpoints : Object.values(Object(endpoints))).map(String);
  if (list.length > MOST_ENDPOINTS) {
    return errorAnswer(400, {
      message: `At most ${MOST_ENDPOINTS} endpoints can be asked for at once.`,
      param: 'endpoints',
    });
  }
  const { permissions, unresolved } = smallestGrant(list, catalog, expansions);
  return {
    status: 200,
    body: {
      permissions,
      unresolved_endpoints: unresolved.map(({ endpoint, reason }) => ({ endpoint, reason })),
    },
  };
}
