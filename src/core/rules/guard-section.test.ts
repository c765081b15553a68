import { describe, expect, it } from 'vitest';
import { catalog, grantOf, profileFileOf } from '../../../test/support/profiles.ts';
import { letThrough } from '../grant/let-through.ts';
import { guardDocument, guardKeys, guardSection } from '../profile/guard-section.ts';
import type { Profile } from '../profile/profile.ts';
import { readProfile } from '../profile/read-profile.ts';
import { resolveProfile } from '../profile/resolve-profile.ts';
import { checkPolicy } from './policy.ts';
import { readPolicy } from './read-policy.ts';

const BASE = `name: a
permissions:
  refunds: { level: write, why: x }
checks: { allow: [refunds.create] }
accept: [{ operations: [charges.create, charges.capture, charges.update], reason: x }]
`;
const CAPPED = `${BASE}guard:\n  caps: [{ per: run, amount: 100.00 usd }]\n`;

function problems(text: string): string[] {
  const reading = readProfile(text, 'p.yaml', catalog);
  if (!reading.ok) return reading.problems.map(({ location, message }) => `${location?.line}: ${message}`);
  const profile = resolveProfile(reading.profile, () => undefined);
  const { contradictions } = grantOf(profile);
  return contradictions.map(({ location, message }) => `${location?.line}: ${message}`);
}

describe('the guard section', () => {
  it.each<[string, string, RegExp[]]>([
    ['none at all', BASE, []],
    ['a cap', CAPPED, []],
    ['money and no cap', `${BASE}guard: {}\n`, [/^6: No cap says how much refunds\.create may move\.$/]],
    [
      'a cap of another operation',
      `${BASE}guard: { caps: [{ per: run, amount: 1 usd, of: [in] }] }\n`,
      [/No cap says how much refunds\.create/],
    ],
    ['a cap by number alone', `${BASE}guard: { caps: [{ per: run, calls: 3 }] }\n`, [/No cap says how much/]],
    ['money let through by number', `${BASE}guard: { unpriced: { calls: 3, of: [refunds.create] } }\n`, []],
    [
      'widenings let through, without a cap',
      `${BASE}guard: { only: grant, caps: [{ per: run, amount: 1 usd, of: [refunds.create] }] }\n`,
      [/No cap says how much .*charges\.create/],
    ],
    [
      'a cap for what is not let through',
      `${BASE}guard: { caps: [{ per: run, amount: 1 usd }, { per: day, amount: 1 usd, of: [payouts.create] }] }\n`,
      [/^6: payouts\.create is limited under "guard", and is not let through/],
    ],
    ['an unknown key', `${BASE}guard: { cap: [] }\n`, [/^6: Unknown key "cap" in guard/]],
    [
      'an unknown key of a cap',
      `${BASE}guard: { caps: [{ per: run, amout: 1 usd }] }\n`,
      [/limits nothing/, /Unknown key "amout" in guard\.caps\[0\]/],
    ],
    [
      '[case 28] too many decimals',
      `${BASE}guard: { caps: [{ per: run, amount: 1.005 usd }] }\n`,
      [/"1\.005 usd" has 3 decimals, and usd has 2 at most/],
    ],
    [
      '[case 28] half a yen',
      `${BASE}guard: { caps: [{ per: run, amount: [1.00 usd, 1.5 jpy] }] }\n`,
      [/"1\.5 jpy" has 1 decimal/],
    ],
    [
      'a number without a currency',
      `${BASE}guard: { caps: [{ per: run, amount: 500 }] }\n`,
      [/500 is no amount: its currency is missing/],
    ],
    [
      'an unknown period',
      `${BASE}guard: { caps: [{ per: week, amount: 1 usd }] }\n`,
      [/"week" is not valid for guard\.caps\[0\]\.per/],
    ],
    ['a cap of nothing', `${BASE}guard: { caps: [{ per: run }] }\n`, [/limits nothing/]],
    [
      'an unknown operation',
      `${BASE}guard: { caps: [{ per: run, amount: 1 usd, of: [refund.create] }] }\n`,
      [/Unknown operation "refund\.create"/],
    ],
    [
      'an unknown zone',
      `${BASE}guard: { day: Mars/Olympus, caps: [{ per: run, amount: 1 usd }] }\n`,
      [/no time zone/],
    ],
    [
      'unpriced calls without a name',
      `${BASE}guard: { unpriced: { calls: 1 }, caps: [{ per: run, amount: 1 usd }] }\n`,
      [/name the operations under "of"/],
    ],
    ['no account', `${BASE}guard: { accounts: [cus_1], caps: [{ per: run, amount: 1 usd }] }\n`, [/acct_/]],
    ['no duration', `${BASE}guard: { ttl: forever, caps: [{ per: run, amount: 1 usd }] }\n`, [/duration/]],
  ])('%s', (_name, text, expected) => {
    const found = problems(text);
    expect(found).toHaveLength(expected.length);
    expected.forEach((pattern, index) => {
      expect(found[index]).toMatch(pattern);
    });
  });

  it('takes names in any spelling', () => {
    const profile = proprofileFileOf(
      `${BASE}guard: { caps: [{ per: run, amount: 1 usd, of: [POST /v1/refunds] }] }\n`,
    );
    expect(profile.guard?.caps[0]?.of).toEqual(['refunds.create']);
  });

  it('replaces the section that it extends, key by key', () => {
    const child = profileFileOf('name: b\nextends: a\nguard: { repeat: allow, ttl: 1h }\n');
    const { guard } = resolveProfile(child, () => profileFileOf(CAPPED, 'a.yaml'));
    expect(guard).toMatchObject({
      repeat: 'allow',
      ttlMs: 3_600_000,
      caps: [{ per: 'run' }],
      unknown: 'look-up',
    });
    const emptied = profileFileOf('name: b\nextends: a\nguard: { caps: [] }\n');
    expect(resolveProfile(emptied, () => profileFileOf(CAPPED, 'a.yaml')).guard?.caps).toEqual([]);
    expect(
      resolveProfile(profileFileOf('name: b\nextends: a\n'), () => profileFileOf(BASE, 'a.yaml')).guard,
    ).toBeUndefined();
  });

  it('reads back from its document as it was', () => {
    const section = guardSection([
      guardKeys(guardDocument(proprofileFileOf(CAPPED).guard ?? guardSection([]))),
    ]);
    expect(guardDocument(section)).toEqual(guardDocument(proprofileFileOf(CAPPED).guard ?? guardSection([])));
  });

  it('keeps widenings shut, unless it is said otherwise', () => {
    const names = (only: 'asked' | 'checks' | 'grant') => {
      const profile = proprofileFileOf(CAPPED);
      return letThrough(profile, { only }, grantOf(profile), catalog).own;
    };
    expect([...names('checks')]).toEqual(['refunds.create']);
    expect(names('asked').has('refunds.list')).toBe(true);
    expect(names('asked').has('charges.create')).toBe(false);
    expect(names('grant').has('charges.create')).toBe(true);
  });
});

describe('the policy about guards', () => {
  const broken = (policyText: string, text: string) => {
    const reading = readPolicy(policyText, 'policy.yaml', catalog);
    if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
    const profile = proprofileFileOf(text);
    const grant = grantOf(profile);
    return checkPolicy(reading.policy, profile, grant, { catalog, today: '2026-11-25' }).map(
      ({ message }) => message,
    );
  };
  it.each<[string, string, string, RegExp[]]>([
    ['caps required, and there', 'guard: { require: caps }', CAPPED, []],
    ['caps required, and no section', 'guard: { require: caps }', BASE, [/has no "guard" section/]],
    ['a lower cap than the most', 'guard: { max: [{ per: run, amount: 150.00 usd }] }', CAPPED, []],
    [
      'a higher cap than the most',
      'guard: { max: [{ per: run, amount: 99.99 usd }] }',
      CAPPED,
      [/move more than 99\.99 usd per run/],
    ],
    [
      'no cap of that kind',
      'guard: { max: [{ per: day, amount: 900.00 usd, of: [out] }] }',
      CAPPED,
      [/more than 900\.00 usd per day of out/],
    ],
    ['a currency that nothing moves', 'guard: { max: [{ per: day, amount: 1 jpy }] }', CAPPED, []],
    [
      'what is never let through',
      'guard: { never: [refunds.create] }',
      CAPPED,
      [/let refunds\.create through/],
    ],
    ['what is never let through, and is not', 'guard: { never: [payouts.create] }', CAPPED, []],
  ])('%s', (_name, policy, text, expected) => {
    const found = broken(policy, text);
    expect(found).toHaveLength(expected.length);
    expected.forEach((pattern, index) => {
      expect(found[index]).toMatch(pattern);
    });
  });
});

function proprofileFileOf(text: string): Profile {
  return resolveProfile(profileFileOf(text), () => undefined);
}
