import type { PermissionName } from './catalog.ts';

/** What is at stake when a key holds a permission, worst first. Each permission has the worst tier that it reaches. */
export const RISK_TIERS = ['self-widening', 'money-out', 'money-in', 'personal-data', 'other'] as const;
export type RiskTier = (typeof RISK_TIERS)[number];

export interface Risk {
  readonly tier: RiskTier;
  /** One sentence. */
  readonly why: string;
}

/*
 * The tables below are a judgement, ours and not Stripe's: read off what each permission's operations can do, and
 * where the catalog has no operation for it, off its name. Disagree with a row? Change it here; nothing else decides.
 */

/** Lets the holder make, read or redirect access that this key's own list of permissions does not limit. */
const SELF_WIDENING: Readonly<Record<PermissionName, string>> = {
  api_key_write:
    'Makes and edits API keys, so a key that holds it can give itself or another key any permission.',
  webhook_write: 'Sends a copy of every event, whatever it is about, to an address that the holder chooses.',
  secret_read: 'Reads the secrets that apps keep at Stripe, which open doors elsewhere.',
  secret_write: 'Replaces the secrets that apps keep at Stripe and trust.',
  ephemeral_key_write: 'Makes further keys, which act for a customer or show the details of an issued card.',
  stripecli_session_write:
    'Opens a debugging session, which streams the events and requests of the whole account.',
  account_link_write: "Makes links that open a connected account's onboarding without its owner's login.",
  account_session_write: 'Makes sessions that act as a connected account, payouts included if so configured.',
  edit_link_write: "Makes links that sign in to a connected account's Dashboard.",
  provisioning_account_request_write: 'By its name it asks for new accounts, which this key does not limit.',
  provisioning_project_write:
    'By its name it sets up projects beyond this account, which this key does not limit.',
  provisioning_resource_write:
    'By its name it sets up services beyond this account, which this key does not limit.',
};

/** Can make money leave the account, or decide where it goes. */
const MONEY_OUT: Readonly<Record<PermissionName, string>> = {
  // Moves money both ways. Out is the worse of the two: a wrong charge can be refunded, a wrong refund is gone.
  charge_write: 'Refunds any charge, and as Stripe cannot separate the two, also charges saved cards.',
  payout_write: 'Pays the balance out to a bank account or card.',
  transfer_write: 'Moves money from the balance to connected accounts.',
  top_up_write: 'Pulls money from the bank account behind the Stripe account.',
  application_fee_write: 'Refunds the fees that a platform has collected.',
  credit_note_write: 'Issues credit notes, which can refund what was paid on an invoice.',
  dispute_write: 'Closes disputes, which gives the disputed money up for good.',
  terminal_reader_write: 'Drives card readers, which take payments and also refund them.',
  connected_account_write: 'Changes the bank accounts that connected accounts are paid out to.',
  climate_order_write: 'Orders carbon removal, paid from the balance.',
  issuing_write: 'Covers all of Issuing: cards, limits and approvals that spend the Issuing balance.',
  issuing_card_write: 'Issues cards and changes their limits; they spend the Issuing balance.',
  issuing_authorization_write: 'Approves purchases that spend the Issuing balance.',
  issuing_credit_ledger_write: 'By its name it changes what card holders owe.',
  issuing_card_sensitive_read: 'Reads full card numbers, with which money can be spent.',
  money_management_outbound_payment_write: 'Sends money to third parties.',
  money_management_payout_method_write: 'Changes which bank accounts and cards money can be sent to.',
};

/** Can make somebody pay, or be billed. */
const MONEY_IN: Readonly<Record<PermissionName, string>> = {
  payment_intent_write: 'Creates, confirms, captures and cancels payments, of any amount.',
  subscription_write: 'Starts, changes and cancels subscriptions, which charge saved payment methods.',
  invoice_write: 'Creates, finalises and pays invoices, which charges saved payment methods.',
  quote_write: 'Accepts quotes, which starts the subscription or invoice that they offer.',
  checkout_session_write: 'Makes pages on which customers pay whatever the page asks.',
  payment_links_write: 'Makes and changes public links on which anybody can pay.',
  order_write: 'Creates and pays orders.',
  review_write: 'Approves payments that were held for review as suspicious.',
  rate_card_subscription_write: 'Subscribes customers to prices by usage.',
  billing_meter_event_write: 'Reports usage, for which customers are billed.',
  billing_meter_event_adjustment_write: 'Cancels reported usage, which changes what customers are billed.',
  usage_record_write: 'Reports usage, for which customers are billed.',
  terminal_connection_token_write: 'Lets a device connect to card readers and take payments.',
};

/** Shows or changes what is about people. */
const PERSONAL_DATA: Readonly<Record<PermissionName, string>> = {
  customer_read: 'Customers carry names, emails, addresses and phone numbers.',
  customer_write: 'Changes and deletes customers with their contact data, and credits their balance.',
  customer_limited_read: 'Shows part of what customers carry; which part is not public.',
  customer_session_write: "Makes secrets that show a customer's saved payment methods in a browser.",
  customer_portal_write: "Makes links that open a customer's billing portal without a login.",
  charge_read: "Charges carry the payer's billing details.",
  payment_intent_read: 'Payment intents carry shipping addresses and receipt emails.',
  payment_method_read: "Payment methods carry the owner's billing details.",
  payment_method_write: 'Attaches, detaches and edits payment methods with their billing details.',
  payment_records_read: 'Payment records carry billing and shipping details.',
  confirmation_token_read: 'Confirmation tokens carry the billing details of a payment about to be made.',
  confirmation_token_client_read:
    'Confirmation tokens carry the billing details of a payment about to be made.',
  source_read: "Sources carry the owner's contact details.",
  token_read: 'Tokens stand for cards, bank accounts and persons, and show part of them.',
  mandate_read: 'Mandates say when and from which address a person agreed to be debited.',
  checkout_session_read: 'Checkout sessions carry what the customer typed: name, email, address.',
  invoice_read: "Invoices carry the customer's name, email and address.",
  tax_calculations_and_transactions_read: "Tax calculations carry the customer's address and tax numbers.",
  order_read: 'Orders carry billing and shipping details.',
  tax_id_read: 'Tax numbers identify people and businesses.',
  tax_id_write: 'Tax numbers identify people and businesses.',
  dispute_read: 'Disputes carry evidence: names, emails, addresses, letters.',
  review_read: "Reviews carry the payer's network address and place.",
  event_read: 'Events carry copies of objects of every kind, without the permission for each.',
  balance_transaction_source_read: 'Shows what is behind each movement of the balance, charges with it.',
  report_runs_and_report_types_read: 'Runs reports, which can list customers by name and email.',
  report_runs_and_report_types_write: 'Runs reports, which can list customers by name and email.',
  file_read: 'Files are identity documents, dispute evidence and the like.',
  file_write: 'Makes public links to files, which are identity documents, dispute evidence and the like.',
  identity_product_read: 'Identity checks carry names, birth dates, documents and selfies.',
  identity_product_write: 'Starts and redacts identity checks.',
  user_email_read: "Shows the email address of the Dashboard's user.",
  connected_account_read: 'Connected accounts carry the names, addresses and birth dates of their people.',
  accounts_kyc_basic_read: 'Shows who is behind a connected account.',
  accounts_kyc_id_numbers_read: 'Shows identification numbers of the people behind a connected account.',
  accounts_kyc_raw_bank_details_read: 'Shows the bank details of connected accounts in full.',
  v2_account_storer_read: 'Accounts carry the identity of businesses and their people.',
  v2_account_storer_write: 'Creates and changes accounts with the identity of businesses and their people.',
  recipient_verification_read: 'Says whether a name belongs to a bank account.',
  money_management_payout_method_read:
    'Payout methods show part of the bank accounts and cards of recipients.',
  inbound_transfer_read: 'Inbound transfers carry the billing details of the bank account debited.',
  outbound_payment_read: 'Outbound payments carry the billing details of who is paid.',
  outbound_transfer_read: 'Outbound transfers carry the billing details of the bank account paid.',
  received_credit_read: 'Received credits carry the details of who paid.',
  received_debit_read: 'Received debits carry the details of who debited.',
  issuing_read:
    'Covers all of Issuing: card holders with names, addresses and birth dates, and their purchases.',
  issuing_cardholder_read: 'Card holders carry names, addresses and birth dates.',
  issuing_cardholder_write: 'Creates and changes card holders with names, addresses and birth dates.',
  issuing_card_read: 'Cards carry their holder and shipping address.',
  issuing_authorization_read: 'Authorizations show what a card holder buys, and where.',
  issuing_transaction_read: 'Transactions show what a card holder buys, and where.',
  issuing_token_read: 'Tokens show the device that a card was added to.',
  issuing_token_network_data_read: 'Shows the device and network address that a card was added from.',
};

const NOTHING_KNOWN = 'As far as is known it moves no money, widens no access and shows no personal data.';

/** Looked at, and none of the above as far as is known. A name that no table has is not judged at all. */
const OTHER: readonly PermissionName[] = `
  adjustment_read apple_pay_domain_read apple_pay_domain_write application_fee_read balance_read
  billing_analytics_meter_usage_read billing_cadence_read billing_clock_read billing_clock_write
  billing_intent_read billing_meter_event_read billing_meter_read billing_meter_write billing_profile_read
  billing_profile_write billing_settings_read billing_settings_write
  capital_for_platforms_financing_offer_read capital_for_platforms_financing_offer_write
  capital_for_platforms_financing_summary_read capital_for_platforms_financing_transaction_read
  climate_order_read confirmation_token_client_write coupon_read coupon_write credit_note_read
  customer_portal_read customer_session_read datastore_read datastore_write elements_write
  entitlement_read feature_write fee_domain_resources_read financial_account_read funding_instruction_read
  issuing_credit_ledger_read issuing_dispute_read issuing_dispute_write issuing_token_write
  issuing_transaction_write issuing_verification_write mandate_write
  money_management_financial_account_read money_management_financial_account_write
  money_management_outbound_payment_read payment_links_read payment_method_configurations_read
  payment_method_configurations_write payment_method_domain_read payment_method_domain_write
  payment_records_write payout_intent_read payout_read plan_read plan_write product_catalog_import_read
  product_catalog_import_write product_read product_write promotion_code_read promotion_code_write
  provisioning_account_request_read provisioning_project_read provisioning_resource_read quote_read
  rate_card_write setup_intent_read setup_intent_write shipping_rate_read shipping_rate_write sku_read
  sku_write source_write subscription_read
  tax_calculations_and_transactions_write tax_locations_read tax_locations_write tax_rate_read
  tax_rate_write tax_settings_read tax_settings_write terminal_configuration_read
  terminal_configuration_write terminal_location_read terminal_location_write terminal_reader_read
  token_write top_up_read transaction_read transfer_read treasury_transaction_read usage_record_read
  webhook_read
`
  .trim()
  .split(/\s+/);

/** Every judgement, once for each permission of the catalog; a test holds the two together. */
export const JUDGEMENTS: readonly (readonly [PermissionName, Risk])[] = [
  ...judged('self-widening', SELF_WIDENING),
  ...judged('money-out', MONEY_OUT),
  ...judged('money-in', MONEY_IN),
  ...judged('personal-data', PERSONAL_DATA),
  ...OTHER.map((name): [PermissionName, Risk] => [name, { tier: 'other', why: NOTHING_KNOWN }]),
];

const RISKS: ReadonlyMap<PermissionName, Risk> = new Map(JUDGEMENTS);

/** What is at stake when a key holds this permission of Stripe's. Never undefined: what nobody judged is `other`. */
export function riskOf(permission: PermissionName): Risk {
  return RISKS.get(permission) ?? { tier: 'other', why: 'Not judged: the catalog has no such permission.' };
}

function judged(tier: RiskTier, reasons: Readonly<Record<PermissionName, string>>): [PermissionName, Risk][] {
  return Object.entries(reasons).map(([name, why]) => [name, { tier, why }]);
}
