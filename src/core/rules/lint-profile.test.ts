import { describe, expect, it } from 'vitest';
import { catalog, grantOf, profileOf } from '../../../test/support/profiles.ts';
import { lintProfile } from './lint-profile.ts';

function lint(yaml: string): readonly string[] {
  const profile = profileOf(`name: agent\nenv: AGENT_KEY\n${yaml}`, 'a.yaml');
  return lintProfile(profile, grantOf(profile), catalog, '2026-11-25').map(
    ({ message, location }) => `${location?.line} ${message}`,
  );
}

describe('lint of the Connect side', () => {
  it.each<[what: string, yaml: string, expected: RegExp]>([
    [
      'a permission that Stripe marks "(Direct)"',
      'permissions: { charges: read }\nconnect_permissions:\n  account_links: write',
      /^5 Stripe's permissions reference marks account_link_write "\(Direct\)", which, it says, does not cover calls with Stripe-Account\.$/,
    ],
    [
      'a risky grant without a why',
      'permissions: { charges: read }\nconnect_permissions:\n  payouts: write',
      /^5 payouts: write is a risky grant \(money-out\) without a "why"\.$/,
    ],
    [
      'a permission that no check exercises',
      'permissions: { charges: read }\nconnect_permissions:\n  coupons: read\nchecks: { allow: [charges.list] }',
      /^5 No check under "allow" exercises coupons: read\.$/,
    ],
    [
      'a widening that nobody accepts',
      'connect_permissions:\n  refunds: write',
      /^1 charge_write with Stripe-Account also allows .*charges\.create/,
    ],
  ])('%s', (_what, yaml, expected) => {
    expect(lint(yaml)).toContainEqual(expect.stringMatching(expected));
  });

  it('says nothing of a "(Direct)" permission among the own ones, nor of one that is not marked', () => {
    const said = lint('permissions:\n  account_links: write\nconnect_permissions:\n  products: read');
    expect(said.filter((one) => one.includes('(Direct)'))).toEqual([]);
  });
});
