import type { Catalog } from '../../core/catalog/catalog.ts';
import type { Expansions } from '../../core/catalog/expansion.ts';
import type { Answer } from '../../http/answer.ts';
import type { ApiRequest } from '../../http/read-request.ts';
import type { Behaviour } from '../faults/behaviour.ts';
import { OWN_ACCOUNT } from '../own-account.ts';
import { refusal } from '../refusal-message.ts';
import { KEY_PERMISSIONS_PATH, resolveKeyPermissions } from './key-permissions-endpoint.ts';
import type { Caller, KeyStore } from './key-store.ts';
import { KEYS_PATH, serveManagedKeys } from './managed-key-endpoints.ts';
import { createRestrictedKey, RESTRICTED_KEYS_PATH } from './restricted-keys-endpoint.ts';

/** What the endpoints about keys are served with. */
export interface KeyEndpointParts {
  readonly catalog: Catalog;
  readonly expansions: Expansions;
  readonly keys: KeyStore;
  readonly behaviour: Behaviour;
  readonly now: () => number;
  /** Whether the caller holds `api_key_write`. */
  readonly mayMakeKeys: boolean;
  /** Serves once for each idempotency key. */
  readonly once: (serve: () => Promise<Answer>) => Promise<Answer>;
  /** Whether the answer with a new key is to get lost. */
  readonly losesAnswer: () => boolean;
}

/** Whether a request is about keys: endpoints that the SDK, and so the catalog, does not have. */
export function isKeyEndpoint({ method, path }: Pick<ApiRequest, 'method' | 'path'>): boolean {
  if (path === KEYS_PATH || path.startsWith(`${KEYS_PATH}/`)) return true;
  return method === 'POST' && (path === RESTRICTED_KEYS_PATH || path === KEY_PERMISSIONS_PATH);
}

/** The answer of an endpoint that makes, shows, ends or explains keys; undefined for a path that it does not have. */
export async function serveKeyEndpoint(
  {
    request,
    caller,
    token,
  }: { readonly request: ApiRequest; readonly caller: Caller; readonly token: string },
  parts: KeyEndpointParts,
): Promise<Answer | 'lost' | undefined> {
  const { catalog, expansions, keys, behaviour, now } = parts;
  const { method, path, fields } = request;
  if (path === KEY_PERMISSIONS_PATH) return resolveKeyPermissions(fields, catalog, expansions);
  const isRestricted = path === RESTRICTED_KEYS_PATH;
  const isRefused = !isRestricted && caller.kind === 'secret' && behaviour.keyApi === 'refused';
  if (isRefused || !parts.mayMakeKeys) {
    return refusal(behaviour.dialect, {
      catalog,
      token,
      account: OWN_ACCOUNT,
      permissions: ['api_key_write'],
    });
  }
  let isKnown = true;
  const answer = await parts.once(async () => {
    if (isRestricted) {
      return createRestrictedKey(fields, { catalog, keys, caller, grantsMore: behaviour.grantsMore });
    }
    const call = {
      ...request,
      caller,
      query: fields,
      body: fields,
      version: request.version ?? '',
      now: now(),
    };
    const served = await serveManagedKeys(call, { catalog, keys, behaviour });
    isKnown = served !== undefined;
    return served ?? { status: 404, body: undefined };
  });
  if (!isKnown) return undefined;
  const made = method === 'POST' && answer.status === 200 && (path === KEYS_PATH || isRestricted);
  return made && parts.losesAnswer() ? 'lost' : answer;
}
