import type { Catalog, Level, Operation, PermissionName } from '../../core/catalog/catalog.ts';
import { allows, isWrite } from '../../core/catalog/catalog.ts';
import { operationsAt, permissionsAt } from '../../core/catalog/levels.ts';
import { isRecord } from '../../core/document/is-record.ts';
import { didYouMean } from '../../core/document/nearest.ts';
import { type Answer, errorAnswer } from '../../http/answer.ts';
import type { Fields } from '../../http/form-body.ts';
import type { Caller, KeyStore } from './key-store.ts';

/** As guides describe it; Stripe's public reference does not list it. @see docs/observed.md */
export const RESTRICTED_KEYS_PATH = '/v1/restricted_keys';

const LEVELS: readonly string[] = ['none', 'read', 'write'];

/**
 * `POST /v1/restricted_keys` with `name` and `restrictions[RESOURCE]=none|read|write`. A resource that
 * Stripe does not separate from another is granted with it, and the answer says so in `widened`.
 */
export async function createRestrictedKey(
  fields: Fields,
  {
    catalog,
    keys,
    caller,
    grantsMore,
  }: { catalog: Catalog; keys: KeyStore; caller: Caller; grantsMore: readonly string[] },
): Promise<Answer> {
  const unknown = Object.keys(fields).find((name) => name !== 'name' && name !== 'restrictions');
  if (unknown !== undefined)
    return wrong('parameter_unknown', `Received unknown parameter: ${unknown}`, unknown);
  const { name, restrictions } = fields;
  if (typeof name !== 'string' || name === '')
    return wrong('parameter_missing', 'Missing required param: name.', 'name');
  if (!isRecord(restrictions)) {
    return wrong('parameter_missing', 'Missing required param: restrictions.', 'restrictions');
  }
  const permissions = new Set<PermissionName>();
  const asked = new Set<Operation>();
  for (const [resource, level] of Object.entries(restrictions)) {
    const param = `restrictions[${resource}]`;
    if (!catalog.resources.includes(resource)) {
      return wrong(
        'parameter_unknown',
        `Unknown resource: ${resource}. ${didYouMean(resource, catalog.resources) ?? ''}`.trim(),
        param,
      );
    }
    if (typeof level !== 'string' || !LEVELS.includes(level)) {
      return wrong(undefined, `Invalid ${param}: must be one of none, read or write`, param);
    }
    for (const permission of permissionsAt(resource, level as Level, catalog)) permissions.add(permission);
    for (const operation of operationsAt(resource, level as Level, catalog)) asked.add(operation);
  }
  if (permissions.size === 0)
    return wrong(undefined, 'A restricted key needs at least one permission.', 'restrictions');
  const key = await keys.create({
    name,
    note: null,
    permissions: [...new Set([...permissions, ...grantsMore])].sort(),
    connectPermissions: [],
    livemode: caller.livemode,
    madeBy: 'restricted_keys',
    expiresAt: null,
  });
  return {
    status: 200,
    body: {
      id: key.id,
      object: 'restricted_key',
      created: Math.floor(key.createdAt / 1000),
      livemode: key.livemode,
      name,
      restrictions,
      secret: keys.tokenOf(key),
      widened: widened(permissions, asked, catalog),
    },
  };
}

/** The resources whose operations come along unasked, with the higher level of what comes. */
function widened(
  permissions: ReadonlySet<PermissionName>,
  asked: ReadonlySet<Operation>,
  catalog: Catalog,
): Record<string, Level> {
  const levels: Record<string, Level> = {};
  const effective = catalog.closure(permissions);
  for (const operation of catalog.operations) {
    if (asked.has(operation) || !allows(effective, operation)) continue;
    if (isWrite(operation)) levels[operation.resource] = 'write';
    else levels[operation.resource] ??= 'read';
  }
  return levels;
}

function wrong(code: string | undefined, message: string, param: string): Answer {
  return errorAnswer(400, { message, param, code });
}
