import type { ResourceName } from './catalog.ts';

/** How Stripe's objects are named: the prefix of their ids and the value of `object`. */
export interface ObjectKind {
  readonly prefix: string;
  readonly object: string;
}

/**
 * Id prefixes and `object` values as Stripe's API reference shows them, by resource, and for nested
 * collections by the last collection of the path (`sources` in `/v1/customers/{id}/sources/{id}`).
 * A resource that is missing here gets a prefix made of its name: its ids are only ever compared with
 * ids that cannot exist.
 */
const kinds: Readonly<Record<string, readonly [prefix: string, object: string]>> = {
  account_links: ['aclnk', 'account_link'],
  account_sessions: ['acsess', 'account_session'],
  accounts: ['acct', 'account'],
  'apple_pay/domains': ['apwc', 'apple_pay_domain'],
  application_fees: ['fee', 'application_fee'],
  'application_fees/refunds': ['fr', 'fee_refund'],
  'apps/installs': ['appi', 'apps.install'],
  'apps/secrets': ['appsecret', 'apps.secret'],
  balance: ['bal', 'balance'],
  balance_settings: ['bals', 'balance_settings'],
  balance_transactions: ['txn', 'balance_transaction'],
  'billing/alerts': ['alrt', 'billing.alert'],
  'billing/credit_balance_summary': ['cbsum', 'billing.credit_balance_summary'],
  'billing/credit_balance_transactions': ['cbtxn', 'billing.credit_balance_transaction'],
  'billing/credit_grants': ['credgr', 'billing.credit_grant'],
  'billing/meters': ['mtr', 'billing.meter'],
  'billing/meter_events': ['mtrevt', 'billing.meter_event'],
  'billing/meter_event_adjustments': ['mtrea', 'billing.meter_event_adjustment'],
  'billing_portal/configurations': ['bpc', 'billing_portal.configuration'],
  'billing_portal/sessions': ['bps', 'billing_portal.session'],
  capabilities: ['card_payments', 'capability'],
  charges: ['ch', 'charge'],
  'checkout/sessions': ['cs_test', 'checkout.session'],
  'climate/orders': ['climorder', 'climate.order'],
  'climate/products': ['climsku', 'climate.product'],
  'climate/suppliers': ['climsup', 'climate.supplier'],
  confirmation_tokens: ['ctoken', 'confirmation_token'],
  country_specs: ['ZZ', 'country_spec'],
  coupons: ['coupon', 'coupon'],
  credit_notes: ['cn', 'credit_note'],
  customer_sessions: ['cuss', 'customer_session'],
  customers: ['cus', 'customer'],
  'customers/balance_transactions': ['cbtxn', 'customer_balance_transaction'],
  'customers/cash_balance_transactions': ['ccsbtxn', 'customer_cash_balance_transaction'],
  'customers/sources': ['src', 'source'],
  'customers/tax_ids': ['txi', 'tax_id'],
  disputes: ['dp', 'dispute'],
  'entitlements/active_entitlements': ['ent', 'entitlements.active_entitlement'],
  'entitlements/features': ['feat', 'entitlements.feature'],
  ephemeral_keys: ['ephkey', 'ephemeral_key'],
  events: ['evt', 'event'],
  exchange_rates: ['zzz', 'exchange_rate'],
  external_accounts: ['ba', 'bank_account'],
  file_links: ['link', 'file_link'],
  files: ['file', 'file'],
  'financial_connections/accounts': ['fca', 'financial_connections.account'],
  'financial_connections/sessions': ['fcsess', 'financial_connections.session'],
  'financial_connections/transactions': ['fctxn', 'financial_connections.transaction'],
  'forwarding/requests': ['fwdreq', 'forwarding.request'],
  'identity/verification_reports': ['vr', 'identity.verification_report'],
  'identity/verification_sessions': ['vs', 'identity.verification_session'],
  invoice_payments: ['inpay', 'invoice_payment'],
  invoice_rendering_templates: ['inrtem', 'invoice_rendering_template'],
  invoiceitems: ['ii', 'invoiceitem'],
  invoices: ['in', 'invoice'],
  'issuing/authorizations': ['iauth', 'issuing.authorization'],
  'issuing/cardholders': ['ich', 'issuing.cardholder'],
  'issuing/cards': ['ic', 'issuing.card'],
  'issuing/disputes': ['idp', 'issuing.dispute'],
  'issuing/personalization_designs': ['ipd', 'issuing.personalization_design'],
  'issuing/physical_bundles': ['ics', 'issuing.physical_bundle'],
  'issuing/tokens': ['intok', 'issuing.token'],
  'issuing/transactions': ['ipi', 'issuing.transaction'],
  lines: ['il', 'line_item'],
  mandates: ['mandate', 'mandate'],
  payment_attempt_records: ['par', 'payment_attempt_record'],
  payment_intents: ['pi', 'payment_intent'],
  payment_links: ['plink', 'payment_link'],
  payment_method_configurations: ['pmc', 'payment_method_configuration'],
  payment_method_domains: ['pmd', 'payment_method_domain'],
  payment_methods: ['pm', 'payment_method'],
  payment_records: ['pr', 'payment_record'],
  payouts: ['po', 'payout'],
  persons: ['person', 'person'],
  plans: ['plan', 'plan'],
  prices: ['price', 'price'],
  'product_catalog/trial_offers': ['trof', 'product_catalog.trial_offer'],
  products: ['prod', 'product'],
  'products/features': ['prodft', 'product_feature'],
  promotion_codes: ['promo', 'promotion_code'],
  quotes: ['qt', 'quote'],
  'radar/early_fraud_warnings': ['issfr', 'radar.early_fraud_warning'],
  'radar/payment_evaluations': ['peval', 'radar.payment_evaluation'],
  'radar/value_list_items': ['rsli', 'radar.value_list_item'],
  'radar/value_lists': ['rsl', 'radar.value_list'],
  refunds: ['re', 'refund'],
  'reporting/report_runs': ['frr', 'reporting.report_run'],
  'reporting/report_types': ['balance.summary.0', 'reporting.report_type'],
  reversals: ['trr', 'transfer_reversal'],
  reviews: ['prv', 'review'],
  setup_attempts: ['setatt', 'setup_attempt'],
  setup_intents: ['seti', 'setup_intent'],
  shipping_rates: ['shr', 'shipping_rate'],
  'sigma/scheduled_query_runs': ['sqr', 'scheduled_query_run'],
  sources: ['src', 'source'],
  subscription_items: ['si', 'subscription_item'],
  subscription_schedules: ['sub_sched', 'subscription_schedule'],
  subscriptions: ['sub', 'subscription'],
  'tax/associations': ['taxa', 'tax.association'],
  'tax/calculations': ['taxcalc', 'tax.calculation'],
  'tax/locations': ['taxloc', 'tax.location'],
  'tax/registrations': ['taxreg', 'tax.registration'],
  'tax/settings': ['taxset', 'tax.settings'],
  'tax/transactions': ['tax', 'tax.transaction'],
  tax_codes: ['txcd', 'tax_code'],
  tax_ids: ['txi', 'tax_id'],
  tax_rates: ['txr', 'tax_rate'],
  'terminal/configurations': ['tmc', 'terminal.configuration'],
  'terminal/connection_tokens': ['pst', 'terminal.connection_token'],
  'terminal/locations': ['tml', 'terminal.location'],
  'terminal/onboarding_links': ['tmol', 'terminal.onboarding_link'],
  'terminal/readers': ['tmr', 'terminal.reader'],
  'test_helpers/test_clocks': ['clock', 'test_helpers.test_clock'],
  'three_d_secure/authentications': ['tds', 'three_d_secure.authentication'],
  tokens: ['tok', 'token'],
  topups: ['tu', 'topup'],
  transfers: ['tr', 'transfer'],
  'treasury/credit_reversals': ['credrev', 'treasury.credit_reversal'],
  'treasury/debit_reversals': ['debrev', 'treasury.debit_reversal'],
  'treasury/financial_accounts': ['fa', 'treasury.financial_account'],
  'treasury/inbound_transfers': ['ibt', 'treasury.inbound_transfer'],
  'treasury/outbound_payments': ['obp', 'treasury.outbound_payment'],
  'treasury/outbound_transfers': ['obt', 'treasury.outbound_transfer'],
  'treasury/received_credits': ['rc', 'treasury.received_credit'],
  'treasury/received_debits': ['rd', 'treasury.received_debit'],
  'treasury/transaction_entries': ['trxne', 'treasury.transaction_entry'],
  'treasury/transactions': ['trxn', 'treasury.transaction'],
  webhook_endpoints: ['we', 'webhook_endpoint'],
  'v2/core/account_tokens': ['accttok', 'v2.core.account_token'],
  'v2/core/accounts': ['acct', 'v2.core.account'],
  'v2/core/event_destinations': ['ed_test', 'v2.core.event_destination'],
  'v2/core/events': ['evt', 'v2.core.event'],
  'v2/core/vault/gb_bank_accounts': ['gbba', 'v2.core.vault.gb_bank_account'],
  'v2/core/vault/us_bank_accounts': ['usba', 'v2.core.vault.us_bank_account'],
  'v2/money_management/financial_accounts': ['fa', 'v2.money_management.financial_account'],
  'v2/money_management/payout_methods': ['pyomthd', 'v2.money_management.payout_method'],
};

/** The kind of object that a resource holds. */
export function objectKind(resource: ResourceName): ObjectKind {
  const known = kinds[resource] ?? kinds[resource.replace(/^.*\//, '')];
  if (known !== undefined) return { prefix: known[0], object: known[1] };
  const name = resource.replace(/^.*\//, '').replace(/s$/, '');
  return {
    prefix: name.replace(/[^a-z]/g, '').slice(0, 8),
    object: resource.replace(/\//g, '.').replace(/s$/, ''),
  };
}

/** The kind of object that each `{id}` of a path stands for, first to last. */
export function objectKindsInPath(path: string): readonly ObjectKind[] {
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== 'v1');
  return segments.flatMap((segment, index) => {
    if (segment !== '{id}') return [];
    const before = segments.slice(0, index);
    const collection = before.at(-1) ?? '';
    const statics = before.filter((one) => one !== '{id}' && one !== 'test_helpers');
    const candidates = [
      statics.join('/'),
      collection,
      ...(before[0] === 'test_helpers' ? [before.join('/')] : []),
    ];
    const known = candidates.find((name) => kinds[name] !== undefined);
    return [objectKind(known ?? statics.join('/'))];
  });
}

/**
 * The resource that a parameter of this name refers to by id: `charge` → `charges`; undefined for any
 * other parameter.
 */
export function referencedResource(parameter: string): ResourceName | undefined {
  return references[parameter];
}

const references: Readonly<Record<string, ResourceName>> = {
  account: 'accounts',
  authorization: 'issuing/authorizations',
  card: 'issuing/cards',
  cardholder: 'issuing/cardholders',
  charge: 'charges',
  coupon: 'coupons',
  credit_note: 'credit_notes',
  customer: 'customers',
  destination_payment: 'charges',
  entitlement_feature: 'entitlements/features',
  file: 'files',
  financial_account: 'treasury/financial_accounts',
  invoice: 'invoices',
  mandate: 'mandates',
  meter: 'billing/meters',
  original_transaction: 'tax/transactions',
  payment_intent: 'payment_intents',
  payment_method: 'payment_methods',
  payment_record: 'payment_records',
  payout: 'payouts',
  price: 'prices',
  product: 'products',
  promotion_code: 'promotion_codes',
  received_credit: 'treasury/received_credits',
  received_debit: 'treasury/received_debits',
  setup_intent: 'setup_intents',
  subscription: 'subscriptions',
  subscription_item: 'subscription_items',
  transaction: 'treasury/transactions',
  transfer: 'transfers',
  value_list: 'radar/value_lists',
};
