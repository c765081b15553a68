import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { catalog, grantOf, profileOf } from '../../../test/support/profiles.ts';
import { allows } from '../catalog/catalog.ts';
import type { Grant } from './grant.ts';

const asking = (text: string): Grant => grantOf(`name: p\n${text}`);

describe('resolveGrant', () => {
  const permissionRows: readonly [name: string, text: string, permissions: readonly string[]][] = [
    ['nothing asked', 'permissions: {}', []],
    ['a read', 'permissions: { charges: read }', ['charge_read']],
    ['a write implies its read', 'permissions: { charges: read, refunds: write }', ['charge_write']],
    ['one permission for two resources', 'permissions: { charges: read, refunds: read }', ['charge_read']],
    [
      'a write whose read is another permission',
      'permissions: { entitlements/features: write }',
      ['entitlement_read', 'feature_write'],
    ],
    [
      'a POST that a read permission grants',
      'permissions: { reporting/report_runs: write }',
      ['report_runs_and_report_types_read'],
    ],
    [
      'a resource that is only written',
      'permissions: { terminal/connection_tokens: write }',
      ['terminal_connection_token_write'],
    ],
    ['a raw permission', 'permissions: { transaction_read: read }', ['transaction_read']],
    ['none takes nothing', 'permissions: { charges: none }', []],
    [
      'two permissions named: the first is asked for',
      'permissions: { subscriptions: read }',
      ['subscription_read'],
    ],
  ];
  it.each(permissionRows)('%s', (_name, text, permissions) => {
    const grant = asking(text);
    expect(grant.permissions).toEqual(permissions);
    expect(grant.contradictions).toEqual([]);
  });

  it('knows what refunds: write widens to, and why', () => {
    const [writing] = asking('permissions: { refunds: write }').widenings.filter((one) => one.canWrite);
    expect(writing).toEqual({
      cause: 'bundled',
      permission: 'charge_write',
      operations: ['charges.create', 'charges.update', 'charges.capture'],
      canWrite: true,
      accepted: false,
    });
  });

  it('tells implied from bundled', () => {
    const causes = asking('permissions: { customers: read }').widenings.map(
      ({ cause, permission, implied }) => [cause, permission, implied],
    );
    expect(causes).toEqual([
      ['bundled', 'customer_read', undefined],
      ['implied', 'customer_read', 'billing_clock_read'],
    ]);
  });

  const acceptRows: readonly [name: string, until: string, accepted: boolean][] = [
    ['no end date', '', true],
    ['ends tomorrow', ', until: 2026-11-24', true],
    ['ends today', ', until: 2026-11-23', true],
    ['ended yesterday', ', until: 2026-11-22', false],
  ];
  it.each(acceptRows)('an acceptance that %s', (_name, until, accepted) => {
    const grant = asking(
      `permissions: { refunds: write }\naccept: [{ operations: [charges.create, charges.update, charges.capture], reason: r${until} }]`,
    );
    expect(grant.widenings.filter((one) => one.canWrite).map((one) => one.accepted)).toEqual([accepted]);
    expect(grant.accepted.has('charges.create')).toBe(accepted);
  });

  const contradictionRows: readonly [name: string, text: string, message: RegExp, hint: RegExp][] = [
    [
      'forbidding what cannot be separated',
      'permissions: { refunds: write }\nchecks: { forbid: [charges.create] }',
      /charges\.create cannot be forbidden to a key with "refunds: write", because Stripe has one permission, charge_write, for both/,
      /accept it by name.*lower "refunds" to read/,
    ],
    [
      'forbidding it although it is accepted',
      'permissions: { refunds: write }\nchecks: { forbid: [charges.create] }\naccept: [{ operations: [charges.create], reason: r }]',
      /cannot be forbidden/,
      /Take it out of "forbid"/,
    ],
    [
      'forbidding what the profile asks',
      'permissions: { charges: read }\nchecks: { forbid: [charges.list] }',
      /the profile itself asks for it with "charges: read"/,
      /drop "charges"/,
    ],
    [
      'forbidding what is implied',
      'permissions: { customers: read }\nchecks: { forbid: [test_helpers.test_clocks.list] }',
      /because customer_read brings billing_clock_read with it/,
      /drop "customers"/,
    ],
    [
      'allowing what is not granted',
      'permissions: { charges: read }\nchecks: { allow: [refunds.create] }',
      /needs charge_write, which this profile does not grant/,
      /Add "refunds: write"/,
    ],
    [
      'allowing what no known permission grants',
      'permissions: { charges: read }\nchecks: { allow: [tax_codes.list] }',
      /no permission is known for GET \/v1\/tax_codes/,
      /correct the catalog/,
    ],
    [
      'allowing and forbidding one call',
      'permissions: { charges: read }\nchecks: { allow: [charges.list], forbid: [charges.list] }',
      /stands under both/,
      /one side/,
    ],
    [
      'only: true with a widening',
      'permissions: { refunds: write }\nonly: true',
      /"only: true" cannot be had: charge_write also allows charges\.create/,
      /Accept these by name/,
    ],
    [
      'a level of unknown permission',
      'permissions: { balance_settings: write }',
      /No permission is known that writes balance_settings/,
      /Drop the line/,
    ],
    [
      'a level that the API does not have',
      'permissions: { terminal/connection_tokens: read }',
      /Nothing in Stripe's API reads terminal\/connection_tokens/,
      /write/,
    ],
  ];
  it.each(contradictionRows)('refuses %s', (_name, text, message, hint) => {
    const [problem] = asking(text).contradictions;
    expect(problem?.message).toMatch(message);
    expect(problem?.hint).toMatch(hint);
    expect(problem?.location?.line).toBeGreaterThan(0);
  });

  it('keeps silent about a profile without contradictions', () => {
    const text =
      'permissions: { charges: read }\nchecks: { allow: [charges.list], forbid: [refunds.create] }';
    expect(asking(text).contradictions).toEqual([]);
  });

  it('has in asked and widenings, together, exactly what the grant allows', () => {
    for (const file of readdirSync('profiles')) {
      const profile = profileOf(readFileSync(`profiles/${file}`, 'utf8'), file);
      const grant = grantOf(profile);
      const said = [...grant.asked, ...grant.widenings.flatMap((one) => one.operations)].sort();
      const allowed = catalog.operations
        .filter((operation) => allows(grant.effective, operation))
        .map((operation) => operation.name)
        .sort();
      expect(said, file).toEqual(allowed);
      expect(grant.contradictions, file).toEqual([]);
      expect(
        grant.widenings.filter((one) => one.canWrite && !one.accepted),
        file,
      ).toEqual([]);
    }
  });
});

describe('Catalog.find', () => {
  const rows: readonly [text: string, name: string | undefined][] = [
    ['paymentIntents.create', 'paymentIntents.create'],
    ['payment_intents.create', 'paymentIntents.create'],
    ['payment_intents create', 'paymentIntents.create'],
    ['POST /v1/payment_intents', 'paymentIntents.create'],
    ['post /v1/payment_intents/:id', 'paymentIntents.update'],
    ['/v1/payment_intents/pi_123', 'paymentIntents.retrieve'],
    ['GET /v1/payment_intents/{intent}?expand[]=x', 'paymentIntents.retrieve'],
    ['POST https://api.stripe.com/v1/refunds', 'refunds.create'],
    ['GET /v1/charges/search', 'charges.search'],
    ['subscription_items.delete', 'subscriptionItems.del'],
    ['GET /v1/payment_intents/', 'paymentIntents.list'],
    ['POST /v1/nothing', undefined],
    ['charges.lst', undefined],
  ];
  it.each(rows)('%s → %s', (text, name) => {
    expect(catalog.find(text)?.name).toBe(name);
  });
});

it('Catalog.allowedTo finds what allows says yes to, in the order of the catalog', () => {
  for (const permission of catalog.permissions) {
    const effective = catalog.closure([permission.name, 'customer_write']);
    const allowed = catalog.operations.filter((operation) => allows(effective, operation));
    expect(catalog.allowedTo(effective)).toEqual(allowed);
  }
});
