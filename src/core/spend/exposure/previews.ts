import type { ExposureReading, Found, LookUp, MoneyCall } from './money-call.ts';
import { currencyIn, idIn, minorIn } from './places.ts';
import type { FormFields, FormValue } from './strict-form.ts';

/** What `POST /v1/invoices/create_preview` takes of a subscription's own parameters. */
const DETAILS: ReadonlySet<string> = new Set([
  'billing_cycle_anchor',
  'cancel_at',
  'cancel_at_period_end',
  'items',
  'proration_behavior',
  'proration_date',
  'start_date',
  'trial_end',
]);
/** Taken beside them. */
const BESIDE: ReadonlySet<string> = new Set(['currency', 'customer', 'discounts']);
/** These change nothing that is billed now. */
const IDLE: ReadonlySet<string> = new Set([
  'collection_method',
  'days_until_due',
  'default_payment_method',
  'description',
  'expand',
  'metadata',
  'off_session',
  'payment_behavior',
]);

/** Whether Stripe can be asked beforehand what a call would bill: it says nothing that a preview does not take. */
export function isPreviewed({ operation, fields }: MoneyCall): boolean {
  return (
    /^subscriptions\.(?:create|update)$/.test(operation.name) &&
    Object.keys(fields).every((name) => DETAILS.has(name) || BESIDE.has(name) || IDLE.has(name))
  );
}

/** What a subscription would bill, by a preview of its invoice: an upper bound. */
export function previewExposure(call: MoneyCall, found: Found): ExposureReading {
  const lookUp = previewOf(call);
  const key = `${lookUp.path}?${lookUp.body}`;
  if (!found.has(key)) return { kind: 'look-up', lookUp };
  const facts = found.get(key);
  const amount = minorIn(facts?.amount_due) ?? minorIn(facts?.total);
  const currency = currencyIn(facts?.currency);
  if (facts === undefined || amount === undefined || currency === undefined) {
    return {
      kind: 'refused',
      code: 'keyaudit_amount_unknown',
      why: 'Stripe did not answer what the change would bill',
    };
  }
  const customer =
    idIn(facts.customer) ?? (typeof call.fields.customer === 'string' ? call.fields.customer : null);
  const object = call.ids[0] ?? customer;
  const exposure = {
    direction: call.rule.direction,
    amount: Math.max(0, amount),
    currency,
    object,
    charge: null,
    customer,
    asked: String(amount),
  };
  return { kind: 'priced', exposure };
}

function previewOf({ ids, fields }: MoneyCall): LookUp {
  const form: string[] = [];
  const [subscription] = ids;
  if (subscription !== undefined) form.push(`subscription=${encodeURIComponent(subscription)}`);
  for (const [name, value] of Object.entries(fields)) {
    if (DETAILS.has(name)) put(form, `subscription_details[${name}]`, value);
    else if (BESIDE.has(name)) put(form, name, value);
  }
  return { method: 'POST', path: '/v1/invoices/create_preview', body: form.join('&') };
}

function put(form: string[], name: string, value: FormValue): void {
  if (typeof value === 'string') form.push(`${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  else if (Array.isArray(value)) for (const one of value) put(form, `${name}[]`, one);
  else for (const [inner, one] of Object.entries(value as FormFields)) put(form, `${name}[${inner}]`, one);
}
