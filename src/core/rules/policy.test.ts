import { describe, expect, it } from 'vitest';
import { catalog, grantOf, profileOf, TODAY } from '../../../test/support/profiles.ts';
import { checkKeyAge } from '../result/key-age.ts';
import { checkPolicy, type Policy } from './policy.ts';
import { readPolicy } from './read-policy.ts';

const PROFILE = `name: agent
permissions:
  charges: read
  refunds: { level: write, why: Refunds }
  products: write
connect_permissions:
  payouts: read
accept:
  - operations: [charges.create, charges.update]
    reason: one permission
  - operations: [charges.capture]
    reason: one permission
    until: 2027-01-01
`;

function policyOf(text: string): Policy {
  const reading = readPolicy(text, 'p.yaml', catalog);
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  return reading.policy;
}

/** `line message` of each breach, as far as the first comma or bracket. */
function breaches(policy: string): readonly string[] {
  const profile = profileOf(PROFILE, 'a.yaml');
  const grant = grantOf(profile);
  return checkPolicy(policyOf(policy), profile, grant, { catalog, today: TODAY }).map(
    ({ message, location }) => `${location?.line} ${message.replace(/[,.(].*$/, '').trim()}`,
  );
}

describe('checkPolicy', () => {
  const rows: readonly [name: string, policy: string, expected: readonly string[]][] = [
    ['an empty policy', '{}', []],
    ['an operation that nobody can call', 'deny: { operations: [payouts.create] }', []],
    [
      'an operation that is asked for',
      'deny: { operations: [refunds.create] }',
      ['4 agent could call refunds'],
    ],
    ['an accepted widening', 'deny: { operations: ["POST /v1/charges"] }', ['9 agent could call charges']],
    ['a permission', 'deny: { permissions: [product_write] }', ['5 agent would hold product_write']],
    [
      'a permission by its scope',
      'deny: { permissions: [rak_product_write] }',
      ['5 agent would hold product_write'],
    ],
    ['an implied permission', 'deny: { permissions: [product_read] }', ['5 agent would hold product_read']],
    [
      'a permission with Stripe-Account',
      'deny: { permissions: [payout_read] }',
      ['7 agent would hold payout_read'],
    ],
    ['a permission that it has not', 'deny: { permissions: [payout_write] }', []],
    ['a tier', 'deny: { risks: [money-out] }', ['4 agent would hold charge_write']],
    ['a tier that it does not reach', 'deny: { risks: [self-widening] }', []],
    [
      'an exception',
      'deny: { risks: [money-out] }\nexcept: [{ profile: agent, deny: [charge_write], reason: r }]',
      [],
    ],
    [
      'an exception for the tier',
      'deny: { risks: [money-out] }\nexcept: [{ profile: agent, deny: [money-out], reason: r }]',
      [],
    ],
    [
      'an exception for another profile',
      'deny: { risks: [money-out] }\nexcept: [{ profile: other, deny: [charge_write], reason: r }]',
      ['4 agent would hold charge_write'],
    ],
    [
      'an exception that has ended',
      'deny: { risks: [money-out] }\nexcept: [{ profile: agent, deny: [charge_write], reason: r, until: 2026-11-22 }]',
      ['4 agent would hold charge_write'],
    ],
    [
      'a reason for each write',
      'require: { why: writes }',
      ['5 agent does not say why it needs "products: write"'],
    ],
    [
      'a reason for everything',
      'require: { why: all }',
      [
        '3 agent does not say why it needs "charges: read"',
        '5 agent does not say why it needs "products: write"',
        '7 agent does not say why it needs "payouts: read"',
      ],
    ],
    [
      'an end of each acceptance',
      'require: { until: accepts }',
      ['9 agent accepts a widening without an end'],
    ],
  ];
  it.each(rows)('%s', (_name, policy, expected) => {
    expect(breaches(policy)).toEqual(expected);
  });
});

describe('checkKeyAge', () => {
  const now = new Date('2026-11-23T12:00:00Z');
  const at = (createdAt: string | null, age = '90d') =>
    checkKeyAge(policyOf(`require: { maxKeyAge: ${age} }`), { createdAt }, now)?.kind;

  it.each<[string, string | null, string, string | undefined]>([
    ['young', '2026-11-01T00:00:00Z', '90d', undefined],
    ['to the hour', '2026-11-23T11:00:00Z', '1h', 'key-aging'],
    ['four fifths', '2026-11-23T11:12:00Z', '1h', 'key-aging'],
    ['a second less', '2026-11-23T11:12:01Z', '1h', undefined],
    ['a second over', '2026-11-23T10:59:59Z', '1h', 'key-too-old'],
    ['weeks', '2026-11-08T00:00:00Z', '2w', 'key-too-old'],
    ['old', '2026-01-01T00:00:00Z', '90d', 'key-too-old'],
    ['unknown', null, '90d', 'key-age-unknown'],
  ])('%s', (_name, createdAt, age, expected) => {
    expect(at(createdAt, age)).toBe(expected);
  });

  it('asks nothing where the policy does not', () => {
    expect(checkKeyAge(policyOf('{}'), { createdAt: null }, now)).toBeUndefined();
  });
});

describe('readPolicy', () => {
  const rows: readonly [name: string, text: string, expected: readonly string[]][] = [
    ['an unknown key', 'denyy: {}\n', ['1:1 Unknown key "denyy". Did you mean "deny"?']],
    [
      'an unknown key below',
      'require:\n  maxkeyage: 90d\n',
      ['2:3 Unknown key "maxkeyage" in require. Did you mean "maxKeyAge"?'],
    ],
    [
      'every mistake at once',
      'deny:\n  operations: [payout.create]\n  permissions: [payouts_write]\n  risks: [money-uot]\n',
      [
        '2:16 Unknown operation "payout.create". Did you mean "payouts.create"?',
        '3:17 Unknown permission "payouts_write". Did you mean "payout_write"?',
        '4:11 "money-uot" is not valid for deny.risks[0]. Did you mean "money-out"? Valid: self-widening, money-out, money-in, personal-data.',
      ],
    ],
    [
      'a wrong age',
      'require: { maxKeyAge: 90 days }\n',
      ['1:23 require.maxKeyAge is not valid: a number with d, h or w, such as 90d. '],
    ],
    [
      'an exception without a reason',
      'except:\n  - profile: a\n    deny: [money-in]\n',
      ['2:5 "except[0].reason" is missing. '],
    ],
    [
      'an exception from nothing known',
      'except: [{ profile: a, deny: [charge_wrote], reason: r }]\n',
      ['1:31 Unknown operation, permission or risk tier "charge_wrote". Did you mean "charge_write"?'],
    ],
    ['broken YAML', 'deny: [\n', ['2:1 The YAML is broken']],
    ['a text', 'nothing\n', ['1:1 The file must be a map. ']],
  ];
  it.each(rows)('refuses %s, with its place', (_name, text, expected) => {
    const reading = readPolicy(text, 'p.yaml', catalog);
    const problems = reading.ok ? [] : reading.problems;
    expect(
      problems.map(({ message, location, hint }) =>
        message.startsWith('The YAML is broken')
          ? `${location?.line}:${location?.column} The YAML is broken`
          : `${location?.line}:${location?.column} ${message} ${hint ?? ''}`,
      ),
    ).toEqual(expected);
  });
});
