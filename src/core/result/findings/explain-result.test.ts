import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { catalog, grantOf, profileOf } from '../../../../test/support/profiles.ts';
import { drift, finding, verifyResult } from '../../../../test/support/verify-report-factory.ts';
import { allows, type PermissionName } from '../../catalog/catalog.ts';
import { parametersOf } from '../../catalog/parameters.ts';
import { buildProbe } from '../../probe/build-probe.ts';
import { DEPTHS, type Depth } from '../../probe/depth.ts';
import { planProbes } from '../../probe/probe-plan.ts';
import { findingsOf, summarize } from '../../verdict/finding.ts';
import { judgeResult } from '../../verdict/judge-result.ts';
import type { Drift } from '../drift.ts';
import type { VerifyResult } from '../verify-report.ts';
import { explainResult } from './explain-result.ts';

const text = readFileSync(new URL('../../../../profiles/refund-agent.yaml', import.meta.url), 'utf8');
const profile = profileOf(text, 'profiles/refund-agent.yaml');
const grant = grantOf(profile);

/** The same whatever the key holds, so they are planned once. */
const probesAt = new Map(
  DEPTHS.map((depth) => [
    depth,
    planProbes({
      catalog,
      profile,
      grant,
      depth,
      probeFor: (operation) =>
        buildProbe(operation, { parameters: parametersOf(operation.name), nonce: 'abc123' }),
    }).probes,
  ]),
);

/** What `verify` finds of a key that holds these permissions. */
function resultFor(held: readonly PermissionName[], depth: Depth): VerifyResult {
  const effective = catalog.closure(held);
  const judged = (probesAt.get(depth) ?? []).map((probe) => {
    const isAllowed = allows(effective, probe.operation);
    const verdict = {
      kind: isAllowed ? ('allowed' as const) : ('forbidden' as const),
      evidence: 'strong' as const,
      named: [],
      message: '',
    };
    return judgeResult(
      probe,
      verdict,
      { status: isAllowed ? 404 : 403, timeMs: 1, attempts: 1 },
      { profile, grant, catalog },
    );
  });
  return {
    ...verifyResult(),
    summary: summarize(judged),
    findings: findingsOf(judged),
    widenings: grant.widenings,
    probes: judged.map(({ result }) => result),
  };
}

const explained = (result: VerifyResult) => explainResult(result, { grant, catalog, fixFor: () => null });
const grave = (result: VerifyResult) => explained(result).filter(({ weight }) => weight === 'fails');

describe('one finding for one permission', () => {
  const others = catalog.permissions.map(({ name }) => name).filter((name) => !grant.effective.has(name));

  it.each(['permissions', 'endpoints'] as const)('a permission too many, whichever, at depth %s', (depth) => {
    const wrong: string[] = [];
    let seen = 0;
    for (const permission of others) {
      const result = resultFor([...grant.permissions, permission], depth);
      if (result.summary.overGrants === 0) continue;
      seen++;
      const found = grave(result);
      const said = found.map((one) => `${one.kind} ${one.permission}`).join(', ');
      const reach = catalog.closure([permission]);
      // What several names allow alike cannot be told apart; but it is one, and one that the key's own would explain.
      const isOne =
        found.length === 1 &&
        found.every((one) =>
          one.operations.every((name) => {
            const operation = catalog.operation(name);
            return operation !== undefined && allows(reach, operation);
          }),
        );
      if (!isOne) wrong.push(`${permission}: ${said}`);
    }
    expect(wrong).toEqual([]);
    expect(seen).toBeGreaterThan(100);
  });

  it.each(grant.permissions)('a permission too few: %s', (permission) => {
    const held = grant.permissions.filter((name) => name !== permission);
    const found = grave(resultFor(held, 'endpoints'));
    expect(found.map((one) => [one.kind, one.cause, one.permission])).toEqual([
      ['under-grant', 'missing', permission],
    ]);
  });

  it('gathers what is accepted by the permission that brings it, as a note', () => {
    const result = explained(resultFor(grant.permissions, 'permissions'));
    expect(result.map((one) => [one.kind, one.weight, one.permission, one.operations])).toEqual([
      ['accepted', 'note', 'charge_write', ['charges.create', 'charges.update', 'charges.capture']],
    ]);
  });

  it('is one with what the same permission left of the lock file', () => {
    const result = resultFor([...grant.permissions, 'payout_write'], 'permissions');
    const drifts: readonly Drift[] = [
      drift('wider-key', { name: 'payouts.create' }),
      drift('wider-key', { name: 'payouts.list' }),
      drift('changed', { name: 'fingerprint' }),
    ];
    const found = explained({ ...result, drift: drifts });
    expect(found.map((one) => [one.kind, one.permission, one.tier, one.drift])).toEqual([
      ['over-grant', 'payout_write', 'money-out', ['wider-key']],
      ['accepted', 'charge_write', 'money-out', []],
      ['changed', null, 'other', ['changed']],
    ]);
  });

  it('gathers the drifts of one permission where the key is as its profile says', () => {
    const drifts: readonly Drift[] = [
      drift('wider-key', { name: 'payouts.create' }),
      drift('wider-profile', { name: 'payout_write', message: 'It now grants payout_write.' }),
      drift('wider-key', { name: 'payouts.list' }),
      drift('not-verified', { name: 'charges.list' }),
      drift('not-verified', { name: 'charges.search' }),
    ];
    const found = explained({ ...verifyResult(), findings: [], drift: drifts });
    expect(found.map((one) => [one.kind, one.permission, one.message])).toEqual([
      ['wider-profile', 'payout_write', 'It now grants payout_write.'],
      ['not-verified', null, 'charges.list and charges.search were verified, and are not any more.'],
    ]);
  });

  it('says a hundred identical answers that do not tell in one sentence', () => {
    const findings = Array.from({ length: 100 }, (_, index) =>
      finding('inconclusive', {
        operation: `a.call${index}`,
        message: `The server failed (HTTP 500). Nothing is known about a.call${index}.`,
      }),
    );
    const found = explained({ ...verifyResult({ findings }) });
    expect(found.map(({ message }) => message)).toEqual([
      'The server failed (HTTP 500). Nothing is known about 100 calls: a.call0, a.call1, a.call2 and 97 more.',
    ]);
  });

  it('sorts by what is at stake', () => {
    const held = [...grant.permissions, 'product_read', 'payout_write', 'webhook_write', 'invoice_read'];
    expect(grave(resultFor(held, 'permissions')).map(({ tier }) => tier)).toEqual([
      'self-widening',
      'money-out',
      'personal-data',
      'other',
    ]);
  });

  it('has nothing to say of a key that is dead or missing', () => {
    const stopped = { code: 'KEY_DEAD', message: 'Dead.' } as const;
    const result = verifyResult({ findings: [finding('inconclusive'), finding('over-grant')], stopped });
    expect(explained(result)).toEqual([]);
    expect(explained({ ...result, key: null })).toEqual([]);
  });
});
