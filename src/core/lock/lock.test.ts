import { describe, expect, it } from 'vitest';
import { catalog, grantOf, profileOf } from '../../../test/support/profiles.ts';
import { probeResult, verifyResult } from '../../../test/support/verify-report-factory.ts';
import type { ProbeResult } from '../verdict/finding.ts';
import { driftFrom, type LockedProfile, lockProfile, mergeLock, type Verified } from './lock.ts';

const report = {
  target: 'sandbox',
  catalog: catalog.source,
  apiVersion: catalog.apiVersion,
  depth: 'permissions',
} as const;

const BASE = `name: agent
permissions:
  charges: read
  products: read
checks:
  allow: [charges.list]
  forbid: [refunds.create]
`;

/** The verdicts that the key of a profile gives, with these changed (undefined: not probed). */
function verified(
  yaml: string,
  changes: Readonly<Record<string, ProbeResult['observed'] | undefined>> = {},
  result: Parameters<typeof verifyResult>[0] = {},
): Verified {
  const profile = profileOf(yaml, 'profiles/agent.yaml');
  const grant = grantOf(profile);
  const verdicts: Record<string, ProbeResult['observed'] | undefined> = {
    'charges.list': 'allowed',
    'products.list': 'allowed',
    'refunds.create': 'forbidden',
    'payouts.create': 'forbidden',
    'accounts.reject': 'impossible',
    ...changes,
  };
  const passed = Object.entries(verdicts).flatMap(([operation, observed]) =>
    observed === undefined ? [] : [probeResult({ operation, observed })],
  );
  return { profile, grant, digest: `sha256:${yaml.length}`, result: verifyResult({ passed, ...result }) };
}

const locked = lockProfile(verified(BASE), report);
const drift = (now: Verified, before: LockedProfile = locked) =>
  driftFrom(before, now, report, {
    catalog,
    locate: (path) => ({ file: `lock:${path.map(String).join('.')}`, line: 1, column: 1 }),
  }).map(({ kind, weight, name, location }) => [weight, kind, name, location.file]);

describe('drift from the lock', () => {
  const rows: readonly [name: string, now: Verified, expected: readonly (readonly string[])[]][] = [
    ['none', verified(BASE), []],
    [
      'a wider key',
      verified(BASE, { 'payouts.create': 'allowed' }),
      [['fails', 'wider-key', 'payouts.create', 'profiles/agent.yaml']],
    ],
    [
      'a key that can what no restricted key could',
      verified(BASE, { 'accounts.reject': 'allowed' }),
      [['fails', 'wider-key', 'accounts.reject', 'profiles/agent.yaml']],
    ],
    [
      'a key that can what the lock never asked',
      verified(BASE, { 'topups.create': 'allowed' }),
      [['fails', 'wider-key', 'topups.create', 'profiles/agent.yaml']],
    ],
    [
      'a deeper run that shows what the locked grant allows anyway',
      verified(BASE, { 'charges.retrieve': 'allowed', 'topups.create': 'forbidden' }),
      [],
    ],
    [
      'a narrower key',
      verified(BASE, { 'products.list': 'forbidden' }),
      [['warns', 'narrower', 'products.list', 'lock:operations.products.list']],
    ],
    [
      'an operation that is no longer verified',
      verified(BASE, { 'payouts.create': undefined }),
      [['fails', 'not-verified', 'payouts.create', 'lock:operations.payouts.create']],
    ],
    ['an inconclusive probe, which is a finding', verified(BASE, { 'payouts.create': 'inconclusive' }), []],
    [
      'a run that ended early',
      verified(BASE, { 'payouts.create': undefined }, { stopped: { code: 'KEY_DEAD', message: 'Dead.' } }),
      [],
    ],
    ['no key', verified(BASE, {}, { key: null, passed: [] }), []],
    [
      'another key',
      verified(
        BASE,
        {},
        {
          key: {
            id: null,
            mode: 'live',
            fingerprint: 'sha256:new',
            variable: 'K',
            place: 'environment',
            createdAt: null,
            expiresAt: null,
            account: null,
            madeFor: null,
          },
        },
      ),
      [
        ['note', 'changed', 'fingerprint', 'lock:fingerprint'],
        ['note', 'changed', 'mode', 'lock:mode'],
      ],
    ],
    [
      'a profile with other words',
      verified(`${BASE}description: another text\n`),
      [['note', 'changed', 'digest', 'lock:digest']],
    ],
    [
      'a wider profile',
      verified(BASE.replace('products: read', 'products: write')),
      [['fails', 'wider-profile', 'product_write', 'profiles/agent.yaml']],
    ],
    [
      'a narrower profile',
      verified(BASE.replace('  products: read\n', '')),
      [['warns', 'narrower', 'product_read', 'lock:permissions.1']],
    ],
    [
      'a forbid that is gone',
      verified(BASE.replace('  forbid: [refunds.create]\n', '')),
      [['fails', 'wider-profile', 'refunds.create', 'lock:forbid.0']],
    ],
    [
      'a promise more',
      verified(`${BASE}widening: strict\n`),
      [['warns', 'narrower', 'widening: strict', 'lock:']],
    ],
  ];
  it.each(rows)('%s', (_name, now, expected) => {
    expect(drift(now)).toEqual(expected);
  });

  it('finds a widening that only a newer catalog knows', () => {
    const [first, ...rest] = locked.widenings ?? [];
    if (first === undefined) throw new Error('the base profile has no widening');
    const older = {
      ...locked,
      catalog: 'stripe-node 1.0.0',
      widenings: [{ ...first, operations: first.operations.slice(1) }, ...rest],
    };
    expect(drift(verified(BASE), older)).toEqual([
      ['fails', 'new-widening', first.operations[0], 'profiles/agent.yaml'],
      ['note', 'changed', 'catalog', 'lock:catalog'],
    ]);
  });
});

describe('mergeLock', () => {
  const names = (lock: ReturnType<typeof mergeLock>) => Object.keys(lock.profiles);
  const b = mergeLock(undefined, new Map([['b', locked]]), { whole: false });

  it('keeps other entries, sorted, unless the whole is made anew', () => {
    expect(names(mergeLock(b, new Map([['a', locked]]), { whole: false }))).toEqual(['a', 'b']);
    expect(names(mergeLock(b, new Map([['a', locked]]), { whole: true }))).toEqual(['a']);
  });
});

const PLATFORM = `name: agent
permissions:
  charges: read
connect_permissions:
  products: read
`;

describe('drift on the Connect side', () => {
  const on = (changes: Readonly<Record<string, ProbeResult['observed'] | undefined>>): Verified => {
    const seen = verified(PLATFORM);
    const verdicts = { 'products.list': 'allowed', 'payouts.create': 'forbidden', ...changes } as const;
    const connect = Object.entries(verdicts).flatMap(([operation, observed]) =>
      observed === undefined ? [] : [probeResult({ operation, observed, connect: true })],
    );
    return { ...seen, result: { ...seen.result, probes: [...seen.result.probes, ...connect] } };
  };
  const before = lockProfile(on({}), report);

  it('is compared call by call, and tells the two sides apart', () => {
    expect(before.connectOperations).toEqual({ 'payouts.create': 'forbidden', 'products.list': 'allowed' });
    expect(drift(on({}), before)).toEqual([]);
    expect(drift(on({ 'payouts.create': 'allowed' }), before)).toEqual([
      ['fails', 'wider-key', 'payouts.create', 'profiles/agent.yaml'],
    ]);
    expect(drift(on({ 'topups.create': 'allowed' }), before)).toEqual([
      ['fails', 'wider-key', 'topups.create', 'profiles/agent.yaml'],
    ]);
    // What the own side may do says nothing of this one.
    expect(drift(on({ 'charges.list': 'allowed' }), before)).toEqual([
      ['fails', 'wider-key', 'charges.list', 'profiles/agent.yaml'],
    ]);
    expect(drift(on({ 'products.list': 'forbidden' }), before)).toEqual([
      ['warns', 'narrower', 'products.list', 'lock:connectOperations.products.list'],
    ]);
    // It is still asked on the own side.
    expect(drift(on({ 'payouts.create': undefined }), before)).toEqual([
      ['fails', 'not-verified', 'payouts.create', 'lock:connectOperations.payouts.create'],
    ]);
    expect(drift(on({ 'products.retrieve': 'allowed' }), before)).toEqual([]);
  });

  it('says in words which side it is', () => {
    const [change] = driftFrom(before, on({ 'payouts.create': 'allowed' }), report, {
      catalog,
      locate: () => ({ file: 'lock', line: 1, column: 1 }),
    });
    expect(change?.message).toBe('The key can now call payouts.create with Stripe-Account.');
  });
});
