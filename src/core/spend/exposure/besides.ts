/**
 * What a parameter that moves or redirects money beside the amount asks for.
 * `account`: names a connected account, which the profile must name too; `counted`: is part of the exposure, or
 * cannot make it larger; `redirect`: decides where money goes, so that the operation must be named as unpriced;
 * `connect`: takes from a connected account, or gives it something back.
 */
export type Beside = 'account' | 'counted' | 'redirect' | 'connect';

const words = (text: string) => text.split(' ');

const KINDS: Readonly<Record<Beside, readonly string[]>> = {
  account: words('transfer_data destination on_behalf_of'),
  counted: words(
    'amount_details capture confirm discounts currency final_capture origin source_transaction quantity quantity_decimal auto_advance paid_out_of_band forgive',
  ),
  redirect: words(
    'cash_balance default_source destination_payment_method destination_payment_method_data external_account forwarding_settings payout_method source to',
  ),
  connect: words(
    'application_fee application_fee_amount application_fee_percent refund_application_fee reverse_transfer',
  ),
};

const kindOf = new Map(
  Object.entries(KINDS).flatMap(([kind, names]) => names.map((name) => [name, kind as Beside] as const)),
);

/** What a parameter of the table's column `besides` asks for; undefined for one that only unpriced calls may carry. */
export function besideKind(name: string): Beside | undefined {
  return kindOf.get(name);
}
