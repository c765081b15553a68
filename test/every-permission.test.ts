import { describe, expect, it } from 'vitest';
import { BeyondSdk, isBeyondSdk } from '../src/core/catalog/beyond-sdk.ts';
import { allows, type Operation, type PermissionName } from '../src/core/catalog/catalog.ts';
import { beyondSdkRows } from '../src/core/catalog/data/beyond-sdk.ts';
import { parametersOf } from '../src/core/catalog/parameters.ts';
import { riskOf } from '../src/core/catalog/risk.ts';
import { buildBeyondProbe } from '../src/core/probe/build-beyond-probe.ts';
import { buildProbe } from '../src/core/probe/build-probe.ts';
import type { Probe } from '../src/core/probe/probe.ts';
import { planProbes } from '../src/core/probe/probe-plan.ts';
import { judgeRecord } from '../src/core/verdict/judge-record.ts';
import { judgeResult } from '../src/core/verdict/judge-result.ts';
import type { Observation } from '../src/core/verdict/observation.ts';
import { isQuiet, unseenPermissions } from '../src/core/verdict/unseen.ts';
import { judge } from '../src/core/verdict/verdict.ts';
import { isOneLevelWith } from './support/every-permission.ts';
import { catalog, grantOf, shippedProfiles } from './support/profiles.ts';

/**
 * Every permission more and every one less, for each shipped profile, on both sides, by each witness: the whole table,
 * judged as verify judges, with the answers that a server gives which enforces permissions. Through the program, over
 * HTTP, test/peers/every-permission.test.ts tries the same, and test/cli/unseen.test.ts a sample.
 */

const beyondSdk = new BeyondSdk(beyondSdkRows, catalog);
const probeFor = (operation: Operation): Probe =>
  isBeyondSdk(operation)
    ? buildBeyondProbe(operation, 'abc123')
    : buildProbe(operation, { parameters: parametersOf(operation.name), nonce: 'abc123' });

/**
 * What no call at the default depth shows when it is added to the key of a shipped profile; each is named in `unseen`,
 * with its tier and the reason.
 */
const UNSHOWN: readonly PermissionName[] = [
  'accounts_kyc_id_numbers_read',
  'accounts_kyc_raw_bank_details_read',
  'billing_clock_read',
  'customer_limited_read',
  'customer_session_read',
  'datastore_read',
  'datastore_write',
  'elements_write',
  'funding_instruction_read',
  'issuing_card_sensitive_read',
  'issuing_credit_ledger_read',
  'issuing_credit_ledger_write',
  'issuing_read',
  'issuing_token_network_data_read',
  'issuing_verification_write',
  'issuing_write',
  'provisioning_account_request_read',
  'provisioning_account_request_write',
  'provisioning_project_read',
  'provisioning_project_write',
  'provisioning_resource_read',
  'provisioning_resource_write',
  'stripecli_session_write',
  'tax_id_read',
  'user_email_read',
];
/** And what the key may do already by others that the profile asks for. */
const COVERED: Readonly<Record<string, readonly PermissionName[]>> = {
  analytics: ['billing_cadence_read', 'credit_note_read'],
  'payment-capture': ['product_read', 'sku_read', 'source_read'],
  'subscription-manager': ['billing_cadence_read', 'credit_note_read'],
};

const answer = { requestId: 'req_1', timeMs: 1, attempts: 1 };

function may({ operation }: Probe, effective: ReadonlySet<PermissionName>): boolean {
  return isBeyondSdk(operation) ? beyondSdk.allows(effective, operation) : allows(effective, operation);
}

/** As a server answers that enforces permissions: the sandbox, in docs/fidelity.md. */
function answerTo({ operation, shape }: Probe, effective: ReadonlySet<PermissionName>): Observation {
  const may = isBeyondSdk(operation) ? beyondSdk.allows(effective, operation) : allows(effective, operation);
  if (!may) {
    const refusal = { dialect: 'e', named: operation.permissions.slice(0, 1) } as const;
    return { ...answer, status: 403, errorCode: 'more_permissions_required', refusal };
  }
  if (shape === 'list') return { ...answer, status: 200 };
  return shape === 'missing-parameter'
    ? { ...answer, status: 400, errorType: 'invalid_request_error', errorCode: 'parameter_missing' }
    : { ...answer, status: 404, errorType: 'invalid_request_error', errorCode: 'resource_missing' };
}

const tables = shippedProfiles().map((profile) => {
  const grant = grantOf(profile);
  const plan = planProbes({ catalog, beyondSdk, profile, grant, depth: 'permissions', probeFor });
  const context = { profile, grant, catalog, connect: false };
  const judgeOne = (probe: Probe, effective: ReadonlySet<PermissionName>) => {
    const observation = answerTo(probe, effective);
    const verdict = judge(probe, observation, { checksExpansions: true });
    return {
      isQuiet: isQuiet(probe.operation, verdict),
      ...judgeResult(probe, verdict, observation, context),
    };
  };
  const asIs = catalog.closure(grant.permissions);
  const before = plan.probes.map((probe) => judgeOne(probe, asIs));
  const byProbes = (permissions: readonly PermissionName[]) => {
    const effective = catalog.closure(permissions);
    // Each probe is judged alone, so that only those that are answered otherwise are judged again.
    const judged = plan.probes.map((probe, index) =>
      may(probe, effective) === may(probe, asIs) ? before[index] : judgeOne(probe, effective),
    );
    const kinds = new Set(judged.flatMap((one) => (one === undefined || one.isQuiet ? [] : one.kind)));
    const unseen = () =>
      unseenPermissions({
        catalog,
        beyondSdk,
        grant,
        own: { plan, results: judged.flatMap((one) => one?.result ?? []) },
        connectState: 'none',
      });
    return { isFound: kinds.has('over-grant') || kinds.has('under-grant'), unseen };
  };
  const byRecord = (
    permissions: readonly PermissionName[],
    connectPermissions: readonly PermissionName[],
  ) => {
    const record = {
      read: true,
      id: 'mk_1',
      permissions,
      connectPermissions,
      status: 'active',
    } as const;
    return judgeRecord(record, context).some(({ kind }) => kind === 'over-grant' || kind === 'under-grant');
  };
  return { name: profile.name, grant, byProbes, byRecord };
});

describe.each(tables)('the key of $name', ({ name, grant, byProbes, byRecord }) => {
  const held = grant.permissions;
  const added = catalog.permissions
    .map((permission) => permission.name)
    .filter((permission) => !held.includes(permission) && !isOneLevelWith(permission, held));

  it('passes as it is, by both witnesses', () => {
    expect(byProbes(held).isFound).toBe(false);
    expect(byRecord(held, grant.connectPermissions)).toBe(false);
  });

  it('with any one permission more is found by probes, or the permission is named as unseen', () => {
    expect(added.length).toBeGreaterThan(170);
    const unshown: string[] = [];
    for (const permission of added) {
      const { isFound, unseen } = byProbes([...held, permission]);
      if (isFound) continue;
      unshown.push(permission);
      const named = unseen().find((one) => one.permission === permission && !one.connect);
      expect(named, permission).toMatchObject({ tier: riskOf(permission).tier, reason: expect.any(String) });
    }
    expect(unshown.sort()).toEqual([...UNSHOWN, ...(COVERED[name] ?? [])].sort());
  });

  it('with any one permission more is found by the record, on both sides', () => {
    const passed = [
      ...added.filter((permission) => !byRecord([...held, permission], grant.connectPermissions)),
      ...catalog.permissions
        .map((permission) => permission.name)
        .filter((permission) => !grant.connectPermissions.includes(permission))
        .filter((permission) => !byRecord(held, [...grant.connectPermissions, permission])),
    ];
    expect(passed).toEqual([]);
  });

  it('with any one permission less is found, by both witnesses', () => {
    for (const permission of held) {
      const rest = held.filter((one) => one !== permission);
      const { isFound, unseen } = byProbes(rest);
      expect(isFound || unseen().some((one) => one.permission === permission), permission).toBe(true);
      expect(byRecord(rest, grant.connectPermissions), permission).toBe(true);
    }
  });
});
