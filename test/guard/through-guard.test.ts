import { describe, expect, it } from 'vitest';
import { verifyThroughGuard } from '../../src/audit/verify-through-guard.ts';
import { SecretKey } from '../../src/core/secret-key.ts';
import {
  guardCatalog,
  guardedSandbox,
  probeSession,
  profileGrant,
  REFUND_AGENT,
} from '../support/guard-scene.ts';

describe('verify --through-guard', () => {
  it('case 74: finds each of 20 planted holes, and nothing else', async () => {
    const made = await guardedSandbox();
    const { key } = await made.issue();
    const grant = profileGrant('agent', REFUND_AGENT);
    const session = probeSession(made.url);
    const under = { url: made.url, key: SecretKey.of(key) };
    const { result: whole } = await verifyThroughGuard(grant, under, session);
    expect([whole.findings, whole.stopped]).toEqual([[], undefined]);
    expect(whole.closedByGuard.slice(0, 3).map(({ operation }) => operation)).toEqual([
      'charges.create',
      'charges.update',
      'charges.capture',
    ]);

    const served = made.guard.profiles.get('agent');
    if (served === undefined) throw new Error('not served');
    const shut = guardCatalog.operations.filter(({ name }) => !served.through.own.has(name));
    const holes = Array.from({ length: 20 }, (_, n) => shut[(n * 31) % shut.length]?.name ?? '');
    const own = new Set([...served.through.own, ...holes]);
    made.guard.profiles.replace({ ...served, digest: 'holes', through: { ...served.through, own } });
    const { key: fresh } = await made.issue();
    const { result: found } = await verifyThroughGuard(
      grant,
      { ...under, key: SecretKey.of(fresh) },
      session,
    );
    expect(
      found.findings
        .filter(({ kind }) => kind === 'over-grant')
        .map(({ operation }) => operation)
        .sort(),
    ).toEqual([...holes].sort());
    expect(found.summary.overGrants).toBe(20);
  });
});
