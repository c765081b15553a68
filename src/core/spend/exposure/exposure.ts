import type { Direction } from '../../catalog/money-rule.ts';
import { besideKind } from './besides.ts';
import { invoiceItemAmount } from './invoice-items.ts';
import type {
  CallExposure,
  ExposureReading,
  ExposureRefusal,
  Found,
  MoneyCall,
  StripeFacts,
} from './money-call.ts';
import { intentExposure, isIntentCall } from './payment-intents.ts';
import { currencyIn, idIn, inPath, minorIn, pathIn, valuesAt } from './places.ts';
import { isPreviewed, previewExposure } from './previews.ts';
import { isRefundCall, refundExposure } from './refunds.ts';

/**
 * What a write can move before it is sent, by the money rule of its operation. Asks for one look-up after the other
 * until it knows; what cannot be read, or not be found, is refused, never guessed.
 */
export function exposureOf(call: MoneyCall, found: Found): ExposureReading {
  const { rule, fields } = call;
  const beside = besidesOf(call);
  if (beside !== undefined) return beside;
  switch (rule.moneyClass) {
    case 'none':
    case 'test':
      return { kind: 'nothing' };
    case 'redirects':
      return unpriced('it decides where money goes');
    case 'afterwards':
      if (isNamed(call)) return unpriced('its amount is known afterwards');
      return isPreviewed(call)
        ? previewExposure(call, found)
        : unpriced('its amount is known afterwards or never');
    case 'undoes':
      return undoing(call, found);
    case 'request':
    case 'object':
      if (isIntentCall(call)) return intentExposure(call, found);
      if (isRefundCall(call)) return refundExposure(call, found);
      if (rule.moneyClass === 'object') return byObject(call, found, directionOf(call));
      return byRequest(call, found);
  }
  return refuse(
    'keyaudit_amount_unknown',
    `nothing is known of ${String(Object.keys(fields).length)} fields`,
  );
}

/** The parameters beside the amount that decide where money goes; undefined where none is in the way. */
function besidesOf(call: MoneyCall): ExposureReading | undefined {
  const { rule, fields, policy } = call;
  // What is let through by name is let through with all that the call can say, accounts apart.
  const isFree = rule.moneyClass === 'afterwards' || isNamed(call);
  for (const name of rule.besides) {
    const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (value === undefined) continue;
    const kind = besideKind(name);
    if (kind === 'account') {
      const accounts = typeof value === 'string' ? [value] : valuesAt(value, 'destination').map(String);
      const stranger = accounts.find((one) => !policy.accounts.includes(one));
      if (stranger !== undefined || (accounts.length === 0 && policy.accounts.length === 0))
        return refuse(
          'keyaudit_operation_not_allowed',
          `${name} sends money to a connected account that the profile does not name under "guard.accounts"`,
          name,
        );
    } else if (kind === 'connect' && policy.accounts.length === 0) {
      return refuse(
        'keyaudit_operation_not_allowed',
        `${name} is about a connected account, and the profile names none under "guard.accounts"`,
        name,
      );
    } else if (kind === 'redirect' && !isFree) return unpriced(`${name} decides where money goes`);
    else if (kind === undefined && !isFree) return unpriced(`what ${name} moves cannot be told`);
  }
  // The account that a transfer goes to stands in no column of its own.
  const to = call.operation.name === 'transfers.create' ? fields.destination : undefined;
  if (typeof to === 'string' && !policy.accounts.includes(to)) {
    return refuse(
      'keyaudit_operation_not_allowed',
      'destination is a connected account that the profile does not name under "guard.accounts"',
      'destination',
    );
  }
  return undefined;
}

function isNamed({ policy, operation }: MoneyCall): boolean {
  return policy.unpriced.includes(operation.name);
}

/** `invoices.pay` gives up the claim instead of charging when it says so. */
function directionOf({ rule, fields }: MoneyCall): Direction {
  return fields.paid_out_of_band === 'true' || fields.forgive === 'true' ? 'gives-up' : rule.direction;
}

function undoing(call: MoneyCall, found: Found): ExposureReading {
  const { rule } = call;
  if (rule.mode === 'unknown') return unpriced('what it gives up cannot be told');
  // What it undoes goes back to its counters on evidence, and by itself it moves nothing.
  if (rule.note.startsWith('undoes what had been counted')) return { kind: 'nothing' };
  return byObject(call, found, rule.direction);
}

/** An amount that stands on the object alone. */
function byObject(call: MoneyCall, found: Found, direction: Direction): ExposureReading {
  const asked = objectOf(call, found);
  if ('kind' in asked) return asked;
  return fromObject(call, asked.facts, direction, asked.id, 'all');
}

function fromObject(
  { rule }: MoneyCall,
  facts: StripeFacts,
  direction: Direction,
  object: string,
  asked: string,
): ExposureReading {
  const paths = rule.amount.flatMap((place) => pathIn(place, 'object') ?? []);
  const [value] = paths.flatMap((path) => valuesAt(facts, path));
  const amount = minorIn(value);
  const currency = currencyIn(
    firstAt(
      facts,
      rule.currency.flatMap((place) => pathIn(place, 'object') ?? []),
    ),
  );
  if (amount === undefined || currency === undefined) {
    return refuse('keyaudit_amount_unknown', `Stripe does not say the amount of ${object}`);
  }
  const exposure = { direction, amount: Math.abs(amount), currency, object, asked, ...partiesOf(facts) };
  return { kind: 'priced', exposure };
}

/** An amount that stands, or can stand, in the request. */
function byRequest(call: MoneyCall, found: Found): ExposureReading {
  const { rule, fields, operation } = call;
  const amount = amountIn(call);
  if (typeof amount === 'object') return amount;
  if (amount === undefined && /^(?:moves nothing|unchanged)$/.test(rule.whenUnset))
    return { kind: 'nothing' };
  if (amount === undefined && rule.whenUnset === 'no limit')
    return unpriced('without a limit it commits all');
  const given = rule.currency.flatMap((place) => pathIn(place, 'body') ?? []);
  const written = given.flatMap((path) => valuesAt(fields, path));
  const own = currencyIn(written[0]);
  if (written.length > 0 && own === undefined) {
    return refuse('keyaudit_ambiguous_request', 'the currency is no three letters', 'currency');
  }
  const object = objectInRequest(call);
  if (amount !== undefined && own !== undefined) {
    return priced(call, { amount: Math.abs(amount), currency: own, object, asked: String(amount) });
  }
  if (amount === undefined && rule.whenUnset === '') {
    return refuse('keyaudit_amount_unknown', 'the call names no amount', 'amount');
  }
  const looked = objectOf(call, found);
  if ('kind' in looked) return looked;
  const currency = own ?? currencyIn(looked.facts.currency) ?? currencyIn(looked.facts.default_currency);
  if (currency === undefined)
    return refuse('keyaudit_amount_unknown', `Stripe does not say the currency of ${looked.id}`);
  const rest = amount === undefined ? restOf(operation.name, looked.facts) : Math.abs(amount);
  if (rest === undefined)
    return refuse('keyaudit_amount_unknown', `Stripe does not say the amount of ${looked.id}`);
  return priced(call, {
    amount: rest,
    currency,
    object: object ?? looked.id,
    asked: amount === undefined ? 'all' : String(amount),
    ...partiesOf(looked.facts),
  });
}

function priced(call: MoneyCall, facts: Omit<CallExposure, 'direction'>): ExposureReading {
  // A charge counts once, when it is made or when it is captured.
  const totalOf =
    call.operation.name === 'charges.create'
      ? 'new'
      : call.operation.name === 'charges.capture'
        ? facts.object
        : null;
  const exposure = { direction: call.rule.direction, ...facts, ...(totalOf === null ? {} : { totalOf }) };
  return { kind: 'priced', exposure };
}

/** The sum of what the request says in the places of the amount; undefined where it says nothing. */
function amountIn(call: MoneyCall): number | undefined | ExposureReading {
  const { rule, fields } = call;
  const ofItems = invoiceItemAmount(call);
  if (ofItems !== undefined) return ofItems;
  const paths = rule.amount.flatMap((place) => pathIn(place, 'body') ?? []);
  let sum: number | undefined;
  for (const path of paths) {
    for (const value of valuesAt(fields, path)) {
      const minor = minorIn(value);
      if (minor === undefined) {
        // Lines and their like are no amount: the object is the bound.
        if (typeof value === 'object' || path === 'metric_tons') continue;
        return refuse('keyaudit_ambiguous_request', `${path} is no whole number of minor units`, path);
      }
      if (minor < 0 && rule.mode !== 'signed') {
        return refuse('keyaudit_ambiguous_request', `${path} is negative`, path);
      }
      sum = (sum ?? 0) + Math.abs(minor);
    }
  }
  return sum;
}

/** What Stripe takes when no amount is given, by what is left on the object. */
function restOf(operation: string, facts: StripeFacts): number | undefined {
  const number = (name: string) => minorIn(valuesAt(facts, name)[0]);
  const less = (whole: string, gone: string) => {
    const [all, used] = [number(whole), number(gone) ?? 0];
    return all === undefined ? undefined : Math.max(0, all - used);
  };
  switch (operation) {
    case 'applicationFees.createRefund':
      return less('amount', 'amount_refunded');
    case 'transfers.createReversal':
      return less('amount', 'amount_reversed');
    case 'creditNotes.create':
      return number('total');
    case 'issuing.authorizations.approve':
      return number('pending_request.amount');
    case 'charges.capture':
    case 'transfers.create':
      return number('amount');
    default:
      return undefined;
  }
}

/** The object that the amount stands on: that of the path, or the one that a parameter names. */
function objectOf(
  call: MoneyCall,
  found: Found,
): { readonly id: string; readonly facts: StripeFacts } | ExposureReading {
  const where = objectPath(call, found);
  if (where === undefined)
    return refuse('keyaudit_amount_unknown', 'the call names no object to look its amount up on');
  if (!found.has(where.path)) return { kind: 'look-up', lookUp: { method: 'GET', path: where.path } };
  const facts = found.get(where.path);
  return facts === undefined
    ? refuse('keyaudit_amount_unknown', `Stripe did not answer what ${where.id} comes to`)
    : { id: where.id, facts };
}

/** Where a parameter names the object, and under which path it lies. */
const BY_PARAMETER: Readonly<Record<string, readonly [parameter: string, path: string]>> = {
  'creditNotes.create': ['invoice', '/v1/invoices'],
  'transfers.create': ['source_transaction', '/v1/charges'],
  'treasury.creditReversals.create': ['received_credit', '/v1/treasury/received_credits'],
  'treasury.debitReversals.create': ['received_debit', '/v1/treasury/received_debits'],
  'invoiceItems.create': ['customer', '/v1/customers'],
};

function objectPath(
  { operation, ids, fields }: MoneyCall,
  found: Found,
): { readonly id: string; readonly path: string } | undefined {
  const by = BY_PARAMETER[operation.name];
  if (by !== undefined) {
    const id = fields[by[0]];
    return typeof id === 'string' && id !== '' ? { id, path: `${by[1]}/${inPath(id)}` } : undefined;
  }
  if (operation.name === 'customers.create') return { id: 'the account', path: '/v1/account' };
  const [id] = ids;
  if (id === undefined) return undefined;
  const path = `${operation.path.slice(0, operation.path.indexOf('{id}'))}${inPath(id)}`;
  const facts = found.get(path);
  // A customer without a currency of its own has the account's.
  if (operation.resource === 'customers' && facts !== undefined && currencyIn(facts.currency) === undefined) {
    return { id, path: '/v1/account' };
  }
  if (operation.name === 'reviews.approve' && facts !== undefined) {
    const charge = idIn(facts.charge);
    return charge === null ? undefined : { id: charge, path: `/v1/charges/${inPath(charge)}` };
  }
  return { id, path };
}

function objectInRequest({ rule, ids, fields }: MoneyCall): string | null {
  for (const place of rule.object) {
    if (place === 'path:id') return ids[0] ?? null;
    const path = pathIn(place, 'body');
    const [value] = path === undefined ? [] : valuesAt(fields, path);
    if (typeof value === 'string' && value !== '') return value;
  }
  return null;
}

function partiesOf(facts: StripeFacts): Pick<CallExposure, 'charge' | 'customer'> {
  const own = facts.object === 'charge' ? idIn(facts.id) : idIn(facts.charge);
  return { charge: own, customer: facts.object === 'customer' ? idIn(facts.id) : idIn(facts.customer) };
}

function firstAt(facts: StripeFacts, paths: readonly string[]): unknown {
  return paths.flatMap((path) => valuesAt(facts, path))[0];
}

function unpriced(why: string): ExposureReading {
  return { kind: 'unpriced', why };
}

function refuse(code: ExposureRefusal, why: string, param?: string): ExposureReading {
  return { kind: 'refused', code, why, param };
}
