import { describe, expect, it } from 'vitest';
import { catalog, grantOf, shippedProfiles } from '../../../test/support/profiles.ts';
import { allows, type PermissionName } from '../catalog/catalog.ts';
import { parametersOf } from '../catalog/parameters.ts';
import { buildProbe } from '../probe/build-probe.ts';
import type { Probe } from '../probe/probe.ts';
import { planProbes } from '../probe/probe-plan.ts';
import { judgeResult } from '../verdict/judge-result.ts';
import type { Observation } from '../verdict/observation.ts';
import { judge } from '../verdict/verdict.ts';

/** Adding or dropping any one permission of a shipped profile's key is found at the default depth. */

const profiles = shippedProfiles().map((profile) => {
  const grant = grantOf(profile);
  const probeFor = (operation: Probe['operation']) =>
    buildProbe(operation, { parameters: parametersOf(operation.name), nonce: 'abc123' });
  const plan = planProbes({ catalog, profile, grant, depth: 'permissions', probeFor });
  return { name: profile.name, profile, grant, plan };
});

/** What Stripe would answer to a key with these permissions. */
function answerTo(probe: Probe, effective: ReadonlySet<PermissionName>): Observation {
  const base = { requestId: 'req_1', timeMs: 1, attempts: 1 };
  if (!allows(effective, probe.operation)) {
    return { ...base, status: 403, refusal: { dialect: 'c', named: [] } };
  }
  switch (probe.shape) {
    case 'list':
    case 'singleton':
      return { ...base, status: 200 };
    case 'retrieve':
    case 'missing-object':
      return { ...base, status: 404, errorCode: 'resource_missing', errorType: 'invalid_request_error' };
    default:
      return { ...base, status: 400, errorCode: 'parameter_unknown', errorType: 'invalid_request_error' };
  }
}

describe.each(profiles)('the key of $name', ({ profile, grant, plan }) => {
  /** `kind operation` of every finding for a key that holds these. */
  const findings = (permissions: readonly PermissionName[]): string[] => {
    const effective = catalog.closure(permissions);
    return plan.probes.flatMap((probe) => {
      const observation = answerTo(probe, effective);
      const { kind, result } = judgeResult(probe, judge(probe, observation), observation, {
        profile,
        grant,
        catalog,
      });
      return kind === undefined ? [] : [`${kind} ${result.operation}`];
    });
  };
  const excused = new Set(plan.unverifiable.map(({ permission }) => permission));

  it('passes with exactly its permissions', () => {
    expect(findings(grant.permissions).filter((finding) => !finding.startsWith('accepted'))).toEqual([]);
  });

  it('is found over-granted with any one permission more', () => {
    const missed = catalog.permissions
      .map(({ name }) => name)
      .filter((name) => !grant.effective.has(name))
      .filter((name) => !findings([...grant.permissions, name]).some((one) => one.startsWith('over-grant')));
    expect(missed.filter((name) => !excused.has(name))).toEqual([]);
    // What is missed brings nothing that the catalog knows.
    for (const name of missed) {
      const more = catalog.closure([...grant.permissions, name]);
      const gained = catalog.operations.filter(
        (operation) => allows(more, operation) && !allows(grant.effective, operation),
      );
      expect(
        gained.map((operation) => operation.name),
        name,
      ).toEqual([]);
    }
  });

  it('is found under-granted with any one permission less', () => {
    expect(grant.permissions.length).toBeGreaterThan(0);
    const missed = grant.permissions.filter(
      (name) =>
        !findings(grant.permissions.filter((one) => one !== name)).some((one) =>
          one.startsWith('under-grant'),
        ),
    );
    expect(missed).toEqual([]);
  });

  it('is found over-granted when a read becomes a write', () => {
    const writes = grant.permissions
      .map((name) => name.replace(/_read$/, '_write'))
      .filter((name) => !grant.effective.has(name) && catalog.operationsOf(name).length > 0);
    expect(writes.length).toBeGreaterThan(0);
    for (const name of writes) {
      expect(
        findings([...grant.permissions, name]).some((one) => one.startsWith('over-grant')),
        name,
      ).toBe(true);
    }
  });
});

describe('the permissions that cannot be verified', () => {
  it('are, for every profile, those that no operation needs', () => {
    const idle = catalog.permissions
      .map(({ name }) => name)
      .filter((name) => catalog.operationsOf(name).length === 0);
    // Three bring another permission, whose calls tell.
    const alone = idle.filter((name) =>
      [...catalog.closure([name])].every((brought) => catalog.operationsOf(brought).length === 0),
    );
    for (const { name, plan } of profiles) {
      const listed = plan.unverifiable
        .filter(({ reason }) => reason === 'no-operation')
        .map(({ permission }) => permission);
      expect(listed, name).toEqual(alone);
    }
    expect(idle).toHaveLength(45);
    expect(alone).toHaveLength(42);
  });

  it('and, by profile, those whose every call is allowed by others that it holds', () => {
    const covered = Object.fromEntries(
      profiles.map(({ name, plan }) => [
        name,
        plan.unverifiable
          .filter(({ reason }) => reason === 'always-covered')
          .map(({ permission }) => permission),
      ]),
    );
    expect(covered).toEqual({
      analytics: [
        'credit_note_read',
        'billing_clock_read',
        'customer_limited_read',
        'billing_cadence_read',
        'tax_id_read',
      ],
      'dispute-handler': [
        'dispute_read',
        'file_read',
        'billing_clock_read',
        'customer_limited_read',
        'tax_id_read',
      ],
      'payment-capture': [
        'payment_intent_read',
        'product_read',
        'source_read',
        'billing_clock_read',
        'customer_limited_read',
        'tax_id_read',
      ],
      'refund-agent': ['charge_read', 'billing_clock_read', 'customer_limited_read', 'tax_id_read'],
      'subscription-manager': [
        'credit_note_read',
        'subscription_read',
        'billing_clock_read',
        'customer_limited_read',
        'billing_cadence_read',
        'tax_id_read',
      ],
    });
  });
});
