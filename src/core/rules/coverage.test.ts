import { describe, expect, it } from 'vitest';
import { catalog, grantOf, profileOf } from '../../../test/support/profiles.ts';
import { coverageOf, coverageProblems } from './coverage.ts';

function covered(yaml: string, minimum = 100) {
  const profile = profileOf(`name: agent\n${yaml}`, 'a.yaml');
  const coverage = coverageOf(profile, grantOf(profile), catalog);
  return {
    percent: coverage.percent,
    by: Object.fromEntries(
      coverage.permissions.map(({ permission, connect, exercisedBy }) => [
        `${permission}${connect ? ' with Stripe-Account' : ''}`,
        exercisedBy,
      ]),
    ),
    problems: coverageProblems(coverage, minimum, profile, catalog).map(
      ({ location, hint }) => `${location?.line} ${hint}`,
    ),
  };
}

describe('coverage', () => {
  it.each<[string, string, number, Record<string, readonly string[]>, readonly string[]]>([
    [
      'all of it',
      'permissions: { charges: read, products: write }\nchecks: { allow: [charges.list, products.create] }',
      100,
      { charge_read: ['charges.list'], product_write: ['products.create'] },
      [],
    ],
    [
      'a write that only reads exercise',
      'permissions: { charges: read, products: write }\nchecks: { allow: [charges.list, products.list] }',
      50,
      { charge_read: ['charges.list'], product_write: [] },
      ['2 Name one that needs it, such as products.create.'],
    ],
    [
      'nothing',
      'permissions: { charges: read, products: read, refunds: read }',
      0,
      { charge_read: [], product_read: [] },
      ['2 Name one that needs it, such as charges.list.', '2 Name one that needs it, such as products.list.'],
    ],
    ['an empty grant', 'permissions: {}', 100, {}, []],
    [
      'both sides, each by the calls that its grant allows',
      'permissions: { charges: read }\nconnect_permissions: { products: write, coupons: read }\nchecks: { allow: [charges.list, products.create] }',
      66,
      {
        charge_read: ['charges.list'],
        'coupon_read with Stripe-Account': [],
        'product_write with Stripe-Account': ['products.create'],
      },
      ['3 Name one that needs it, such as coupons.list.'],
    ],
  ])('%s', (_name, yaml, percent, by, problems) => {
    expect(covered(yaml)).toEqual({ percent, by, problems });
  });

  it('complains of nothing at the minimum or above', () => {
    const yaml = 'permissions: { charges: read, products: read }\nchecks: { allow: [charges.list] }';
    expect(covered(yaml, 50).problems).toEqual([]);
    expect(covered(yaml, 51).problems).toHaveLength(1);
  });

  it('leaves out a permission that nothing can tell from the rest of the grant', () => {
    const { percent, by } = covered(
      'permissions: { customers: read, test_helpers/test_clocks: read }\nchecks: { allow: [customers.list] }',
    );
    expect(by).toEqual({ billing_clock_read: [], customer_read: ['customers.list'] });
    expect(percent).toBe(100);
  });
});
