import type { ExposureReading, Found, MoneyCall, StripeFacts } from './money-call.ts';
import { currencyIn, idIn, inPath, minorIn } from './places.ts';

/** Whether a call refunds a charge. */
export function isRefundCall({ operation: { name } }: MoneyCall): boolean {
  return name === 'refunds.create' || name === 'terminal.readers.refundPayment';
}

/**
 * What a refund takes: its amount, or the whole rest of the charge. Its currency is the charge's, so the charge is
 * looked up; by payment intent through the charges, which whoever may refund may read.
 */
export function refundExposure({ fields, rule }: MoneyCall, found: Found): ExposureReading {
  const amount = fields.amount === undefined ? undefined : minorIn(fields.amount);
  if (fields.amount !== undefined && (amount === undefined || amount < 0)) {
    return refused('keyaudit_ambiguous_request', 'amount is no whole number of minor units', 'amount');
  }
  const { charge, payment_intent: intent } = fields;
  if (fields.origin !== undefined || (charge === undefined && intent === undefined)) {
    return fromBalance(fields, amount, rule.direction);
  }
  const path = pathTo(charge, intent);
  if (path === undefined) return refused('keyaudit_ambiguous_request', 'charge or payment_intent is no id');
  if (!found.has(path)) return { kind: 'look-up', lookUp: { method: 'GET', path } };
  const facts = chargeIn(found.get(path));
  const currency = currencyIn(facts?.currency);
  const whole = minorIn(facts?.amount_captured) ?? minorIn(facts?.amount);
  const id = facts === undefined ? null : idIn(facts.id);
  if (facts === undefined || currency === undefined || whole === undefined || id === null) {
    return refused('keyaudit_amount_unknown', 'Stripe did not answer what is left of the charge');
  }
  const rest = Math.max(0, whole - (minorIn(facts.amount_refunded) ?? 0));
  const exposure = {
    direction: rule.direction,
    amount: amount ?? rest,
    currency,
    object: id,
    charge: id,
    customer: idIn(facts.customer),
    asked: amount === undefined ? 'all' : String(amount),
  };
  return { kind: 'priced', exposure };
}

/** A customer's cash balance: the request itself must say all of it. */
function fromBalance(
  fields: MoneyCall['fields'],
  amount: number | undefined,
  direction: MoneyCall['rule']['direction'],
): ExposureReading {
  const currency = currencyIn(fields.currency);
  const { customer } = fields;
  if (amount === undefined || currency === undefined || typeof customer !== 'string') {
    return refused(
      'keyaudit_amount_unknown',
      'a refund names a charge or a payment intent, or else a customer, an amount and a currency',
    );
  }
  const object = customer;
  return {
    kind: 'priced',
    exposure: { direction, amount, currency, object, charge: null, customer, asked: String(amount) },
  };
}

function pathTo(charge: unknown, intent: unknown): string | undefined {
  if (charge !== undefined)
    return typeof charge === 'string' && charge !== '' ? `/v1/charges/${inPath(charge)}` : undefined;
  return typeof intent === 'string' && intent !== ''
    ? `/v1/charges?payment_intent=${inPath(intent)}&limit=100`
    : undefined;
}

/** The charge itself, or of a list the one that went through. */
function chargeIn(facts: StripeFacts | undefined): StripeFacts | undefined {
  if (facts === undefined || facts.object !== 'list') return facts;
  if (!Array.isArray(facts.data) || facts.has_more === true) return undefined;
  const charges = (facts.data as unknown[]).filter(
    (one): one is StripeFacts =>
      typeof one === 'object' && one !== null && (one as StripeFacts).status === 'succeeded',
  );
  return charges.length === 1 ? charges[0] : undefined;
}

function refused(
  code: 'keyaudit_ambiguous_request' | 'keyaudit_amount_unknown',
  why: string,
  param?: string,
): ExposureReading {
  return { kind: 'refused', code, why, param };
}
