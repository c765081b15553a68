import type { Answer } from '../../../http/answer.ts';
import type { Fields } from '../../../http/form-body.ts';
import type { StripeObject } from '../object-store.ts';
import { type EffectContext, makeBeside } from './effect.ts';
import { decline } from './money-refusals.ts';

/** What a card of Stripe's does, known by its last four digits. */
interface Manner {
  readonly declines?: string;
  /** Fails at the charge alone: it can be attached. */
  readonly failsLater?: true;
  readonly asks?: 'always' | 'off_session';
  readonly disputed?: 'fraudulent' | 'product_not_received' | 'inquiry';
  readonly refund?: 'fails' | 'pending';
}

/**
 * Stripe's test cards by what they are called in `pm_card_…` and `tok_…`; any other name is a plain Visa.
 * @see https://docs.stripe.com/testing
 */
const CARDS: readonly (readonly [name: string, last4: string, manner: Manner])[] = [
  ['chargeDeclined', '0002', { declines: '' }],
  ['visa_chargeDeclined', '0002', { declines: '' }],
  ['chargeDeclinedInsufficientFunds', '9995', { declines: 'insufficient_funds' }],
  ['visa_chargeDeclinedInsufficientFunds', '9995', { declines: 'insufficient_funds' }],
  ['chargeDeclinedLostCard', '9987', { declines: 'lost_card' }],
  ['visa_chargeDeclinedLostCard', '9987', { declines: 'lost_card' }],
  ['chargeDeclinedStolenCard', '9979', { declines: 'stolen_card' }],
  ['visa_chargeDeclinedStolenCard', '9979', { declines: 'stolen_card' }],
  ['chargeDeclinedExpiredCard', '0069', { declines: 'expired_card' }],
  ['chargeDeclinedIncorrectCvc', '0127', { declines: 'incorrect_cvc' }],
  ['chargeDeclinedProcessingError', '0119', { declines: 'processing_error' }],
  ['chargeDeclinedFraudulent', '0019', { declines: 'fraudulent' }],
  ['visa_chargeDeclinedVelocityLimitExceeded', '6975', { declines: 'card_velocity_exceeded' }],
  ['chargeDeclinedVelocityLimitExceeded', '6975', { declines: 'card_velocity_exceeded' }],
  ['radarBlock', '0019', { declines: 'fraudulent' }],
  ['chargeCustomerFail', '0341', { declines: '', failsLater: true }],
  ['createDispute', '0259', { disputed: 'fraudulent' }],
  ['createDisputeProductNotReceived', '2685', { disputed: 'product_not_received' }],
  ['createDisputeInquiry', '1976', { disputed: 'inquiry' }],
  ['threeDSecure2Required', '3220', { asks: 'always' }],
  ['threeDSecureRequired', '3063', { asks: 'always' }],
  ['authenticationRequired', '3184', { asks: 'always' }],
  ['authenticationRequiredOnSetup', '3155', { asks: 'off_session' }],
  [
    'authenticationRequiredChargeDeclinedInsufficientFunds',
    '8260',
    { asks: 'always', declines: 'insufficient_funds' },
  ],
  ['threeDSecureRequiredChargeDeclined', '3178', { asks: 'always', declines: '' }],
  ['refundFail', '5126', { refund: 'fails' }],
  ['pendingRefund', '7726', { refund: 'pending' }],
  ['bypassPending', '0077', {}],
  ['visa_debit', '5556', {}],
  ['mastercard', '4444', {}],
  ['mastercard_debit', '8210', {}],
  ['mastercard_prepaid', '5100', {}],
  ['amex', '8431', {}],
  ['discover', '1117', {}],
  ['diners', '0004', {}],
  ['jcb', '0505', {}],
  ['unionpay', '0005', {}],
];

const byName = new Map(CARDS.map(([name, last4]) => [name, last4]));
const byDigits = new Map(CARDS.map(([, last4, manner]) => [last4, manner]));
const BRANDS = ['amex', 'diners', 'discover', 'jcb', 'mastercard', 'unionpay'];

/** A card's fields as payment methods and charges have them. */
export interface CardFields {
  readonly brand: string;
  readonly last4: string;
  readonly funding: string;
  readonly exp_month: number;
  readonly exp_year: number;
  readonly country: string;
}

/** The name within `pm_card_visa` and `tok_visa`, which stand for objects that Stripe makes on the spot in test mode. */
function testName(token: unknown): string | undefined {
  return /^(?:pm_card_|tok_)([A-Za-z]\w*)$/.exec(String(token))?.[1];
}

/** Whether an id is one that stands for a payment method of Stripe's making. */
export function isTestMethod(id: string): boolean {
  return id.startsWith('pm_card_');
}

function cardNamed(name: string, now: number): CardFields {
  const last4 = byName.get(name) ?? '4242';
  return cardWith(last4, BRANDS.find((brand) => name.startsWith(brand)) ?? 'visa', name, now);
}

function cardWith(last4: string, brand: string, name: string, now: number): CardFields {
  const funding = name.includes('debit') ? 'debit' : name.includes('prepaid') ? 'prepaid' : 'credit';
  const year = new Date(now).getUTCFullYear() + 1;
  return { brand, last4, funding, exp_month: 12, exp_year: year, country: 'US' };
}

/** The card of a token, of a source or of what a form spells out. */
export function cardOf(
  source: unknown,
  { store, now }: Pick<EffectContext, 'store' | 'now'>,
): CardFields | undefined {
  if (typeof source === 'object' && source !== null) return cardInForm(source as Fields, { store, now });
  const id = String(source);
  const kept =
    store.find('payment_methods', id) ??
    store.find('customers/sources', id) ??
    store.find('tokens', id) ??
    store.find('sources', id);
  const card = kept?.object === 'card' ? kept : kept?.card;
  if (typeof card === 'object' && card !== null && (card as Fields).last4 !== '') return card as CardFields;
  const name = testName(id);
  return name === undefined ? undefined : cardNamed(name, now);
}

function cardInForm(card: Fields, context: Pick<EffectContext, 'store' | 'now'>): CardFields | undefined {
  if (card.token !== undefined) return cardOf(card.token, context);
  const number = String(card.number ?? '').replace(/\D/g, '');
  if (number === '') return undefined;
  const made = cardWith(number.slice(-4), brandOf(number), '', context.now);
  const month = Number(card.exp_month ?? made.exp_month);
  return { ...made, exp_month: month, exp_year: Number(card.exp_year ?? made.exp_year) };
}

function brandOf(number: string): string {
  const known: readonly (readonly [RegExp, string])[] = [
    [/^3[47]/, 'amex'],
    [/^(?:30|36|38)/, 'diners'],
    [/^(?:2|5)/, 'mastercard'],
    [/^35/, 'jcb'],
    [/^62/, 'unionpay'],
    [/^6/, 'discover'],
  ];
  return known.find(([pattern]) => pattern.test(number))?.[1] ?? 'visa';
}

function mannerOf(card: Pick<CardFields, 'last4'> | undefined): Manner {
  return byDigits.get(card?.last4 ?? '') ?? {};
}

/** HTTP 402 where a charge on the card is declined. */
export function declined(card: CardFields | undefined): Answer | undefined {
  const { declines } = mannerOf(card);
  return declines === undefined ? undefined : decline(declines);
}

/** HTTP 402 where the card cannot even be kept for later. */
export function cannotAttach(card: CardFields | undefined): Answer | undefined {
  const { failsLater, asks } = mannerOf(card);
  return failsLater === true || asks !== undefined ? undefined : declined(card);
}

/** Whether the customer must be asked before money moves. */
export function mustAuthenticate(card: CardFields | undefined, offSession: boolean): boolean {
  const { asks } = mannerOf(card);
  return asks === 'always' || (asks === 'off_session' && offSession);
}

export function disputeReason(card: CardFields | undefined): Manner['disputed'] {
  return mannerOf(card).disputed;
}

export function refundManner(card: CardFields | undefined): Manner['refund'] {
  return mannerOf(card).refund;
}

/** The card that a charge was made on, as the charge tells it. */
export function cardOfCharge({ payment_method_details: details }: StripeObject): CardFields | undefined {
  const card = (details as { card?: CardFields } | null | undefined)?.card;
  return card ?? undefined;
}

/** The payment method that stands behind `pm_card_visa`: each use makes one. */
export function makeTestMethod(token: string, context: EffectContext): StripeObject {
  const card = cardNamed(testName(token) ?? 'visa', context.now);
  return makeBeside('payment_methods', { type: 'card', card }, context);
}

/** The id of the payment method that a parameter names; a test token becomes one. */
export function methodIn(value: unknown, context: EffectContext): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  return isTestMethod(value) ? makeTestMethod(value, context).id : value;
}
