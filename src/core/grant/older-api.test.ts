import { describe, expect, it } from 'vitest';
import { catalog } from '../../../test/support/profiles.ts';
import { BeyondSdk } from '../catalog/beyond-sdk.ts';
import { beyondSdkRows } from '../catalog/data/beyond-sdk.ts';
import { Expansions } from '../catalog/expansion.ts';
import { OlderVersions } from '../catalog/older-versions.ts';
import { OlderApi } from './older-api.ts';
import { smallestGrant } from './smallest-grant.ts';

const beyondSdk = new BeyondSdk(beyondSdkRows, catalog);
const older = new OlderApi(catalog, beyondSdk);
const expansions = new Expansions(catalog, beyondSdk);
const ask = (call: string) => smallestGrant([call], catalog, expansions, older);

describe('calls that the version of the catalog does not have', () => {
  it.each<[call: string, permissions: readonly string[], remark: RegExp]>([
    ['GET /v1/skus', ['sku_read'], /newer API versions do not have .*2020-08-27/],
    [
      'POST /v1/orders/or_1/pay',
      ['order_write'],
      /^API versions before 2022-08-01 alone .* inferred from POST/,
    ],
    ['GET /v1/invoices/upcoming', ['invoice_read'], /before 2025-03-31 alone/],
    ['https://api.stripe.com/v1/invoices/upcoming/lines', ['invoice_read'], /before 2025-03-31 alone/],
    ['POST /v1/subscription_items/{id}/usage_records', ['usage_record_write'], /2025-02-24\.acacia/],
    ['GET /v2/billing/profiles', ['billing_profile_read'], /preview .*2026-08-26\.preview/],
    ['orders.list', ['order_read'], /preview .*have not had it since 2022-11-15/],
    [
      'GET /v1/charges?expand[]=data.invoice',
      ['charge_read', 'invoice_read'],
      /"data\.invoice" .* before 2025-03-31/,
    ],
    [
      'GET /v1/invoices/in_1?expand[]=payment_intent.payment_method',
      ['invoice_read', 'payment_intent_read', 'payment_method_read'],
      /before 2025-03-31 alone/,
    ],
    [
      'GET /v1/payment_intents?expand[]=data.charges',
      ['charge_read', 'payment_intent_read'],
      /before 2022-11-15/,
    ],
  ])('%s is answered, with a remark on the version', (call, permissions, remark) => {
    const grant = ask(call);
    expect(grant.unresolved).toEqual([]);
    expect(grant.permissions).toEqual(permissions);
    expect(grant.endpoints[0]?.remarks?.join(' ')).toMatch(remark);
  });

  it.each([
    ['GET /v1/invoices/in_1', 'invoices.retrieve'],
    ['GET /v1/charges?expand[]=data.customer', 'charges.list'],
    ['invoices.createPreview', 'invoices.createPreview'],
  ])('%s is of today, and needs no remark', (call, name) => {
    const [endpoint] = ask(call).endpoints;
    expect(endpoint).toMatchObject({ operation: name });
    expect(endpoint?.remarks).toBeUndefined();
  });

  it('say which version had it where no permission is known, and stay unresolved where there never was one', () => {
    expect(ask('GET /v1/issuer_fraud_records').unresolved[0]?.reason).toMatch(
      /API versions before 2022-08-01 alone/,
    );
    expect(ask('GET /v1/charges?expand[]=data.nonsense').unresolved[0]?.reason).toMatch(/nothing to expand/);
    expect(ask('GET /v1/nothing_like_it').unresolved[0]?.reason).toMatch(/no such endpoint/);
  });

  it('are all answered with their version', () => {
    const calls = [...new OlderVersions().callsBefore.keys()];
    expect(calls.length).toBeGreaterThan(15);
    for (const call of calls) {
      const { endpoints, unresolved } = ask(call);
      const said = [...(endpoints[0]?.remarks ?? []), ...unresolved.map(({ reason }) => reason)].join(' ');
      expect(said, call).toMatch(/API versions? |Stripe-Version \d{4}/);
    }
  });
});
