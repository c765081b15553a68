import type { ResourceName } from './catalog.ts';

/** How Stripe's objects are named: the prefix of their ids and the value of `object`. */
export interface ObjectKind {
  /** Without the underscore that follows it, `ch`. Empty where ids have none (a country, a coupon), or there is no id. */
  readonly prefix: string;
  readonly object: string;
}

/** A place where objects of one kind live, its path without `/v1/`, ids and `test_helpers/`: `customers/tax_ids`. */
export type Collection = string;

/**
 * Prefix and object name by collection. Object names are stripe-node's; prefixes are those of Stripe's reference and
 * of its examples. A `~` marks a prefix found nowhere public, a plausible one of our own: ids made of it are only ever
 * compared with ids that cannot exist.
 */
const TABLE = `
account                                      acct       account
account_links                                -          account_link
account_sessions                             -          account_session
accounts                                     acct       account
accounts/capabilities                        -          capability
accounts/external_accounts                   ba         bank_account
accounts/login_links                         -          login_link
accounts/persons                             person     person
apple_pay/domains                            apwc       apple_pay_domain
application_fees                             fee        application_fee
application_fees/refunds                     fr         fee_refund
apps/installs                                appinst~   apps.install
apps/secrets                                 appsecret  apps.secret
apps/secrets/find                            appsecret  apps.secret
balance                                      -          balance
balance_settings                             -          balance_settings
balance_transactions                         txn        balance_transaction
billing/alerts                               alrt       billing.alert
billing/credit_balance_summary               -          billing.credit_balance_summary
billing/credit_balance_transactions          cbtxn      billing.credit_balance_transaction
billing/credit_grants                        credgr     billing.credit_grant
billing/feedback_options                     fbopt~     billing.feedback_option
billing/meter_event_adjustments              -          billing.meter_event_adjustment
billing/meter_events                         -          billing.meter_event
billing/meters                               mtr        billing.meter
billing/meters/event_summaries               mtrusg     billing.meter_event_summary
billing_portal/configurations                bpc        billing_portal.configuration
billing_portal/sessions                      bps        billing_portal.session
charges                                      ch         charge
checkout/sessions                            cs         checkout.session
checkout/sessions/line_items                 li         item
climate/orders                               climorder  climate.order
climate/products                             climsku    climate.product
climate/suppliers                            climsup    climate.supplier
confirmation_tokens                          ctoken     confirmation_token
country_specs                                -          country_spec
coupons                                      -          coupon
credit_notes                                 cn         credit_note
credit_notes/lines                           cnli       credit_note_line_item
credit_notes/preview                         cn         credit_note
credit_notes/preview/lines                   cnli       credit_note_line_item
customer_sessions                            -          customer_session
customers                                    cus        customer
customers/balance_transactions               cbtxn      customer_balance_transaction
customers/cash_balance                       -          cash_balance
customers/cash_balance_transactions          ccsbtxn    customer_cash_balance_transaction
customers/discount                           di         discount
customers/funding_instructions               -          funding_instructions
customers/payment_methods                    pm         payment_method
customers/sources                            card       card
customers/tax_ids                            txi        tax_id
disputes                                     du         dispute
entitlements/active_entitlements             ent        entitlements.active_entitlement
entitlements/features                        feat       entitlements.feature
ephemeral_keys                               ephkey     ephemeral_key
events                                       evt        event
exchange_rates                               -          exchange_rate
file_links                                   link       file_link
files                                        file       file
financial_connections/accounts               fca        financial_connections.account
financial_connections/accounts/owners        fcaown     financial_connections.account_owner
financial_connections/sessions               fcsess     financial_connections.session
financial_connections/transactions           fctxn      financial_connections.transaction
forwarding/requests                          fwdreq     forwarding.request
identity/verification_reports                vr         identity.verification_report
identity/verification_sessions               vs         identity.verification_session
invoice_payments                             inpay      invoice_payment
invoice_rendering_templates                  inrtem     invoice_rendering_template
invoiceitems                                 ii         invoiceitem
invoices                                     in         invoice
invoices/lines                               il         line_item
issuing/authorizations                       iauth      issuing.authorization
issuing/cardholders                          ich        issuing.cardholder
issuing/cards                                ic         issuing.card
issuing/disputes                             idp        issuing.dispute
issuing/personalization_designs              ipd~       issuing.personalization_design
issuing/physical_bundles                     ics        issuing.physical_bundle
issuing/tokens                               intok      issuing.token
issuing/transactions                         ipi        issuing.transaction
mandates                                     mandate    mandate
payment_attempt_records                      par        payment_attempt_record
payment_intents                              pi         payment_intent
payment_intents/amount_details_line_items    uli        payment_intent_amount_details_line_item
payment_links                                plink      payment_link
payment_links/line_items                     li         item
payment_method_configurations                pmc        payment_method_configuration
payment_method_domains                       pmd        payment_method_domain
payment_methods                              pm         payment_method
payment_records                              pr         payment_record
payouts                                      po         payout
plans                                        plan       plan
prices                                       price      price
product_catalog/trial_offers                 trof~      product_catalog.trial_offer
products                                     prod       product
products/features                            prodft     product_feature
promotion_codes                              promo      promotion_code
quotes                                       qt         quote
quotes/computed_upfront_line_items           li         item
quotes/line_items                            li         item
quotes/pdf                                   -          file
radar/early_fraud_warnings                   issfr      radar.early_fraud_warning
radar/payment_evaluations                    peval      radar.payment_evaluation
radar/value_list_items                       rsli       radar.value_list_item
radar/value_lists                            rsl        radar.value_list
refunds                                      re         refund
reporting/report_runs                        frr        reporting.report_run
reporting/report_types                       -          reporting.report_type
reviews                                      prv        review
setup_attempts                               setatt     setup_attempt
setup_intents                                seti       setup_intent
shipping_rates                               shr        shipping_rate
sigma/scheduled_query_runs                   sqr        scheduled_query_run
sources                                      src        source
sources/source_transactions                  srctxn     source_transaction
subscription_items                           si         subscription_item
subscription_schedules                       sub_sched  subscription_schedule
subscriptions                                sub        subscription
subscriptions/discount                       di         discount
tax/associations                             taxa       tax.association
tax/associations/find                        taxa       tax.association
tax/calculations                             taxcalc    tax.calculation
tax/calculations/line_items                  tax_li     tax.calculation_line_item
tax/locations                                taxloc     tax.location
tax/registrations                            taxreg     tax.registration
tax/settings                                 -          tax.settings
tax/transactions                             tax        tax.transaction
tax/transactions/line_items                  tax_li     tax.transaction_line_item
tax_codes                                    txcd       tax_code
tax_ids                                      txi        tax_id
tax_rates                                    txr        tax_rate
terminal/configurations                      tmc        terminal.configuration
terminal/connection_tokens                   -          terminal.connection_token
terminal/locations                           tml        terminal.location
terminal/onboarding_links                    -          terminal.onboarding_link
terminal/readers                             tmr        terminal.reader
test_clocks                                  clock      test_helpers.test_clock
three_d_secure/authentications               tdsa~      three_d_secure.authentication
tokens                                       tok        token
topups                                       tu         topup
transfers                                    tr         transfer
transfers/reversals                          trr        transfer_reversal
treasury/credit_reversals                    credrev    treasury.credit_reversal
treasury/debit_reversals                     debrev     treasury.debit_reversal
treasury/financial_accounts                  fa         treasury.financial_account
treasury/financial_accounts/features         -          treasury.financial_account_features
treasury/inbound_transfers                   ibt        treasury.inbound_transfer
treasury/outbound_payments                   obp        treasury.outbound_payment
treasury/outbound_transfers                  obt        treasury.outbound_transfer
treasury/received_credits                    rc         treasury.received_credit
treasury/received_debits                     rd         treasury.received_debit
treasury/transaction_entries                 trxne      treasury.transaction_entry
treasury/transactions                        trxn       treasury.transaction
webhook_endpoints                            we         webhook_endpoint
v2/billing/meter_event_adjustments           mtreadj~   v2.billing.meter_event_adjustment
v2/billing/meter_event_session               bmes       v2.billing.meter_event_session
v2/billing/meter_event_stream                -          v2.billing.meter_event
v2/billing/meter_events                      -          v2.billing.meter_event
v2/commerce/product_catalog/imports          pcimprt~   v2.commerce.product_catalog_import
v2/core/account_links                        -          v2.core.account_link
v2/core/account_tokens                       accttok    v2.core.account_token
v2/core/accounts                             acct       v2.core.account
v2/core/accounts/person_tokens               perstok    v2.core.account_person_token
v2/core/accounts/persons                     person     v2.core.account_person
v2/core/event_destinations                   ed         v2.core.event_destination
v2/core/events                               evt        v2.core.event
v2/core/vault/gb_bank_accounts               gbba       v2.core.vault.gb_bank_account
v2/core/vault/us_bank_accounts               usba       v2.core.vault.us_bank_account
v2/money_management/adjustments              adj~       v2.money_management.adjustment
v2/money_management/financial_accounts       fa         v2.money_management.financial_account
v2/money_management/financial_addresses      finaddr    v2.money_management.financial_address
v2/money_management/inbound_transfers        ibt        v2.money_management.inbound_transfer
v2/money_management/outbound_payments        obp        v2.money_management.outbound_payment
v2/money_management/outbound_setup_intents   osi~       v2.money_management.outbound_setup_intent
v2/money_management/payout_intents           poi~       v2.money_management.payout_intent
v2/money_management/payout_methods           pm~        v2.money_management.payout_method
v2/money_management/payout_methods_bank_account_spec -          v2.money_management.payout_methods_bank_account_spec
v2/money_management/received_credits         rc         v2.money_management.received_credit
v2/money_management/recipient_verifications  rcver~     v2.money_management.recipient_verification
v2/money_management/transaction_entries      trxne      v2.money_management.transaction_entry
v2/money_management/transactions             trxn       v2.money_management.transaction
`;

const kindByCollection: ReadonlyMap<Collection, ObjectKind> = new Map(
  TABLE.trim()
    .split('\n')
    .map((line) => {
      const [collection = '', prefix = '', object = ''] = line.split(/\s+/);
      return [collection, { prefix: prefix.replace(/[~-]/g, ''), object }] as const;
    }),
);

/** Every collection of the table, in its order. */
export const COLLECTIONS: readonly Collection[] = [...kindByCollection.keys()];

/** @param path a path template: `/v1/customers/{id}/tax_ids` is `customers/tax_ids` */
export function collectionOf(path: string): Collection {
  const known = collections.get(path);
  if (known !== undefined) return known;
  const found = path
    .replace(/^\/v1\//, '')
    .replace(/^\//, '')
    .split('/')
    .filter((segment) => segment !== '{id}' && segment !== 'test_helpers')
    .join('/');
  if (collections.size < MOST_KEPT) collections.set(path, found);
  return found;
}

/** By path template, since the sandbox asks for the same few at each request; no caller can make it grow for ever. */
const collections = new Map<string, Collection>();
const MOST_KEPT = 2_000;

/** What a collection holds, or undefined for one that is not in the table (a path that ends in a verb, say). */
export function objectKindOf(collection: Collection): ObjectKind | undefined {
  return kindByCollection.get(collection);
}

/** The collections that hold objects of a kind, by the kind's name in `object`. */
export function collectionsHolding(object: string): readonly Collection[] {
  return collectionsByObject.get(object) ?? [];
}

const collectionsByObject: ReadonlyMap<string, readonly Collection[]> = (() => {
  const found = new Map<string, Collection[]>();
  for (const [collection, { object }] of kindByCollection) {
    found.set(object, [...(found.get(object) ?? []), collection]);
  }
  return found;
})();

/** The collections whose ids a path template holds, one for each `{id}`, first to last. */
export function idCollectionsOf(path: string): readonly Collection[] {
  const known = idCollections.get(path);
  if (known !== undefined) return known;
  const segments = path.split('/');
  const found = segments.flatMap((segment, index) =>
    segment === '{id}' ? [collectionOf(segments.slice(0, index).join('/'))] : [],
  );
  idCollections.set(path, found);
  return found;
}

const idCollections = new Map<string, readonly Collection[]>();

/** The kind of object that a resource holds, with a prefix made of its name where such ids have none. */
export function objectKind(resource: ResourceName): ObjectKind {
  const name = resource.replace(/^.*\//, '').replace(/s$/, '');
  const known = kindByCollection.get(collectionOf(resource));
  return {
    prefix: known?.prefix || name,
    object: known?.object ?? resource.replace(/\//g, '.').replace(/s$/, ''),
  };
}

/** The kind of object that each `{id}` of a path stands for, first to last; each has a prefix. */
export function objectKindsInPath(path: string): readonly ObjectKind[] {
  return idCollectionsOf(path).map(objectKind);
}

/**
 * The resource that a parameter of this name refers to by id: `charge` → `charges`; undefined for any
 * other parameter.
 */
export function referencedResource(parameter: string): ResourceName | undefined {
  return references.get(parameter);
}

const references: ReadonlyMap<string, ResourceName> = new Map(
  Object.entries({
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
  }),
);
