import type { CallExposure, ExposureReading, Found, MoneyCall, StripeFacts } from './money-call.ts';
import { currencyIn, idIn, inPath, minorIn } from './places.ts';

/** Whether what a call moves is a new total of a payment intent. */
export function isIntentCall({ rule }: MoneyCall): boolean {
  return rule.mode === 'total';
}

/**
 * What a call on a payment intent brings its total to. All calls on one intent count once, by the largest total that
 * any of them can have brought it to.
 */
export function intentExposure(call: MoneyCall, found: Found): ExposureReading {
  const { operation, fields } = call;
  const name = operation.name.replace(/^paymentIntents\./, '');
  if (name === 'create') return created(call);
  const intent = operation.name.startsWith('terminal.') ? fields.payment_intent : call.ids[0];
  if (typeof intent !== 'string' || intent === '') {
    return refused('keyaudit_amount_unknown', 'the call names no payment intent', 'payment_intent');
  }
  const given = amountFor(name, fields);
  if (given === 'unreadable') return unreadable();
  // Nothing is taken by an update: the call that confirms counts it.
  if (name === 'update' && (given === undefined || call.policy.intents === 'confirm'))
    return { kind: 'nothing' };
  const path = `/v1/payment_intents/${inPath(intent)}`;
  if (!found.has(path)) return { kind: 'look-up', lookUp: { method: 'GET', path } };
  const facts = found.get(path);
  const currency = currencyIn(fields.currency) ?? currencyIn(facts?.currency);
  const total = facts === undefined ? undefined : totalAfter(name, given, facts);
  if (facts === undefined || currency === undefined || total === undefined) {
    return refused('keyaudit_amount_unknown', `Stripe did not answer what ${intent} comes to`);
  }
  return priced(call, {
    amount: total,
    currency,
    totalOf: intent,
    object: intent,
    charge: idIn(facts.latest_charge),
    customer: idIn(facts.customer),
    asked: given === undefined ? 'all' : String(given),
  });
}

function created(call: MoneyCall): ExposureReading {
  const { fields, policy } = call;
  const amount = minorIn(fields.amount);
  const currency = currencyIn(fields.currency);
  if (amount === undefined || amount < 0) return unreadable();
  if (currency === undefined) {
    return refused('keyaudit_ambiguous_request', 'the currency is no three letters', 'currency');
  }
  if (fields.confirm !== undefined && fields.confirm !== 'true' && fields.confirm !== 'false') {
    return refused('keyaudit_ambiguous_request', 'confirm is neither true nor false', 'confirm');
  }
  if (fields.confirm !== 'true' && policy.intents === 'confirm') return { kind: 'nothing' };
  const customer = typeof fields.customer === 'string' ? fields.customer : null;
  return priced(call, {
    amount,
    currency,
    totalOf: 'new',
    object: null,
    charge: null,
    customer,
    asked: String(amount),
  });
}

function amountFor(name: string, fields: MoneyCall['fields']): number | undefined | 'unreadable' {
  const names: Readonly<Record<string, string>> = {
    capture: 'amount_to_capture',
    confirm: 'amount_to_confirm',
  };
  const value = fields[names[name] ?? 'amount'];
  if (value === undefined) return undefined;
  const minor = minorIn(value);
  return minor === undefined || minor < 0 ? 'unreadable' : minor;
}

/** What the intent comes to when the call has gone through. */
function totalAfter(name: string, given: number | undefined, facts: StripeFacts): number | undefined {
  const amount = minorIn(facts.amount);
  const received = minorIn(facts.amount_received) ?? 0;
  // A capture adds to what earlier ones of several took.
  if (name === 'capture') return given === undefined ? amount : received + given;
  if (name === 'incrementAuthorization') return given;
  return amount === undefined ? undefined : Math.max(given ?? 0, amount);
}

/** What an intent has come to, by Stripe's own account of it: what was taken, else what is held of it. */
export function intentTotal(facts: StripeFacts): number | undefined {
  const received = minorIn(facts.amount_received) ?? 0;
  if (received > 0) return received;
  switch (facts.status) {
    case 'requires_capture':
      return minorIn(facts.amount_capturable) ?? minorIn(facts.amount);
    case 'canceled':
    case 'requires_payment_method':
      return 0;
    // It may still go through, without a further call.
    default:
      return minorIn(facts.amount);
  }
}

function priced({ rule }: MoneyCall, exposure: Omit<CallExposure, 'direction'>): ExposureReading {
  return { kind: 'priced', exposure: { direction: rule.direction, ...exposure } };
}

function unreadable(): ExposureReading {
  return refused('keyaudit_ambiguous_request', 'the amount is no whole number of minor units', 'amount');
}

function refused(
  code: 'keyaudit_ambiguous_request' | 'keyaudit_amount_unknown',
  why: string,
  param?: string,
): ExposureReading {
  return { kind: 'refused', code, why, param };
}
