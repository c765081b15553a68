import { type Catalog, isWrite, type PermissionName } from '../catalog/catalog.ts';
import { riskOf } from '../catalog/risk.ts';
import { type Grant, type GrantSide, sideOf } from '../grant/grant.ts';
import { locatePermission } from '../profile/locate-operation.ts';
import type { Profile } from '../profile/profile.ts';
import type { Judged, ProbeResult } from './finding.ts';
import type { ReadRecord } from './record.ts';

/** The call that gives the evidence of a finding by the record. */
const RECORD_CALL = {
  operation: 'v2.iam.apiKeys.retrieve',
  method: 'GET',
  path: '/v2/iam/api_keys/{id}',
} as const;

interface Context {
  readonly profile: Profile;
  readonly grant: Grant;
  readonly catalog: Catalog;
}

/**
 * Holds Stripe's record of a key against the profile, on both sides: a name that the profile does not ask for is an
 * over-grant, whether the catalog knows it or not; a permission of the grant that the record does not carry is an
 * under-grant. A read that a write of the same name includes is one level with it, and no name of its own.
 */
export function judgeRecord(record: ReadRecord, context: Context): readonly Judged[] {
  return [
    ...judgeSide(record.permissions, false, context),
    ...judgeSide(record.connectPermissions, true, context),
  ];
}

function judgeSide(listed: readonly PermissionName[], connect: boolean, context: Context): Judged[] {
  const { grant, catalog } = context;
  const side = sideOf(grant, connect);
  const held = catalog.closure(listed);
  const more = [...new Set(listed)].filter((name) => !isAskedFor(name, side, catalog)).sort();
  const less = side.permissions.filter((name) => !held.has(name));
  return [
    ...more.map((name) => judged('over-grant', name, connect, context)),
    ...less.map((name) => judged('under-grant', name, connect, context)),
  ];
}

function isAskedFor(name: PermissionName, side: GrantSide, catalog: Catalog): boolean {
  const write = name.replace(/_read$/, '_write');
  return (
    side.named.has(name) || (write !== name && side.named.has(write) && catalog.closure([write]).has(name))
  );
}

function judged(
  kind: 'over-grant' | 'under-grant',
  permission: PermissionName,
  connect: boolean,
  { profile, catalog, grant }: Context,
): Judged {
  const { tier, why } = riskOf(permission);
  const where = connect ? ' for calls with Stripe-Account' : '';
  const unknown =
    catalog.permission(permission) === undefined ? ', a name that the catalog does not know' : '';
  const comesAlong = sideOf(grant, connect).effective.has(permission)
    ? ' Other permissions of the grant bring what it allows.'
    : '';
  const message =
    kind === 'over-grant'
      ? `Stripe's record of this key lists ${permission}${where}${unknown}, which the profile does not ask for. ${why}${comesAlong} Take it off the key, or add it to the profile.`
      : `Stripe's record of this key lacks ${permission}${where}, which the profile needs. Add it to the key, or take the need out of the profile.`;
  const operations = catalog.operationsOf(permission);
  const result: ProbeResult = {
    ...RECORD_CALL,
    resource: (operations.find(isWrite) ?? operations[0])?.resource ?? '',
    permission,
    connect,
    tier,
    expected: kind === 'over-grant' ? 'forbidden' : 'allowed',
    observed: kind === 'over-grant' ? 'allowed' : 'forbidden',
    evidence: 'record',
    status: 200,
    provenance: 'documented',
    timeMs: 0,
    expectation: kind === 'over-grant' ? 'none' : 'asked',
    notes: [],
    message,
    location: locatePermission(permission, profile, catalog, { connect }),
  };
  return { kind, result };
}
