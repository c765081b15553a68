import {
  type CatalogData,
  isWrite,
  type OperationName,
  type Parameter,
} from '../../src/core/catalog/catalog.ts';
import {
  AMOUNT_MODES,
  DIRECTIONS,
  MONEY_CLASSES,
  MONEY_PROVENANCES,
  type MoneyRule,
  PLACE_ROOTS,
  type Place,
} from '../../src/core/catalog/money-rule.ts';

/** A hand-kept row of `money.tsv`: the rule, and the parameters that look like money and move none here. */
export interface MoneyRow extends MoneyRule {
  readonly aside: readonly string[];
}

export const MONEY_COLUMNS = [
  'operation',
  'class',
  'direction',
  'amount',
  'currency',
  'object',
  'mode',
  'when_unset',
  'besides',
  'aside',
  'repeat_is_suspect',
  'provenance',
  'note',
] as const;

const CLASS_LETTERS = 'ABCDENT';

/** @throws on a cell that its column does not know */
export function moneyRow(cells: readonly string[]): MoneyRow {
  const [operation = '', letter = '', direction = '', amount = '', currency = '', object = '', mode = ''] =
    cells;
  const [unset = '', besides = '', aside = '', repeat = '', provenance = '', note = ''] = cells.slice(7);
  return {
    operation,
    moneyClass: oneOf(MONEY_CLASSES, MONEY_CLASSES[CLASS_LETTERS.indexOf(letter)] ?? letter, 'class'),
    direction: oneOf(DIRECTIONS, direction, 'direction'),
    amount: places(amount),
    currency: places(currency),
    object: places(object),
    mode: oneOf(AMOUNT_MODES, mode, 'mode'),
    whenUnset: unset === '-' ? '' : unset,
    besides: words(besides),
    aside: words(aside),
    repeatIsSuspect: oneOf(['yes', 'no'], repeat, 'repeat_is_suspect') === 'yes',
    provenance: oneOf(MONEY_PROVENANCES, provenance, 'provenance'),
    note: note === '-' ? '' : note,
  };
}

/**
 * What does not fit between `money.tsv` and the catalog: a write without a row, a row without a write, a place that
 * the SDK does not declare, and a declared parameter that looks like money and that its row does not speak of.
 */
export function moneyProblems(
  rows: readonly MoneyRow[],
  { operations }: Pick<CatalogData, 'operations'>,
  parameters: ReadonlyMap<OperationName, readonly Parameter[]>,
): string[] {
  const writes = new Map(operations.filter(isWrite).map((operation) => [operation.name, operation]));
  const names = rows.map(({ operation }) => operation);
  return [
    ...[...writes.keys()]
      .filter((name) => !names.includes(name))
      .map((name) => `money.tsv has no row for ${name}`),
    ...names
      .filter((name) => !writes.has(name))
      .map((name) => `money.tsv has a row for ${name}, which is no write of the catalog`),
    ...names
      .filter((name, index) => names.indexOf(name) !== index)
      .map((name) => `money.tsv has two rows for ${name}`),
    ...rows.flatMap((row) =>
      rowProblems(row, parameters.get(row.operation) ?? [], writes.get(row.operation)?.path ?? '').map(
        (problem) => `money.tsv, ${row.operation}, ${problem}`,
      ),
    ),
  ];
}

function rowProblems(row: MoneyRow, parameters: readonly Parameter[], path: string): string[] {
  const declared = new Set(parameters.map(({ name }) => name));
  const spokenOf = [...bodyNames(row), ...row.besides, ...row.aside];
  const movesNone = row.moneyClass === 'none' || row.moneyClass === 'test';
  const all = [...row.amount, ...row.currency, ...row.object];
  return [
    ...spokenOf
      .filter((name) => !declared.has(name))
      .map((name) => `names the parameter ${name}, which the SDK does not declare`),
    ...(row.moneyClass === 'test' ? [] : [...declared])
      .filter((name) => LOOKS_LIKE_MONEY.has(name) && !spokenOf.includes(name))
      .map((name) => `says nothing of the parameter ${name}`),
    ...(all.some((place) => place.startsWith('path:')) && !path.includes('{id}')
      ? ['points at an id in the path, which has none']
      : []),
    ...(row.moneyClass === 'request' && !row.amount.some((place) => place.startsWith('body:'))
      ? ['is of class A and has no amount in the request']
      : []),
    ...(row.moneyClass === 'object' && !row.amount.some((place) => place.startsWith('object:'))
      ? ['is of class B and has no amount on an object']
      : []),
    ...(row.amount.length > 0 && row.currency.length === 0 ? ['has an amount without a currency'] : []),
    ...((row.direction === 'none') !== movesNone ? ['is at odds about whether it moves money'] : []),
    ...((row.mode === 'none') !== movesNone ? ['has a mode that does not fit its class'] : []),
    ...((row.moneyClass === 'redirects') !== (row.direction === 'redirect')
      ? ['is at odds about redirecting']
      : []),
    ...(row.moneyClass === 'test' && !/test_helpers/.test(path) ? ['is no test helper'] : []),
    ...(row.provenance === 'declared' && bodyNames(row).length + row.besides.length === 0
      ? ['names no parameter, so nothing of it is declared']
      : []),
  ];
}

/** Top-level parameters that the places of a row stand in: `body:lines[].amount` → `lines`. */
function bodyNames({ amount, currency, object }: MoneyRule): string[] {
  return [...amount, ...currency, ...object].flatMap((place) => /^body:(\w+)/.exec(place)?.slice(1) ?? []);
}

function places(cell: string): Place[] {
  return cell === '-' ? [] : cell.split('|').map(place);
}

function place(text: string): Place {
  if (!new RegExp(`^(${PLACE_ROOTS.join('|')}):\\w+(\\[\\])?(\\.\\w+(\\[\\])?)*$`).test(text)) {
    throw new Error(`"${text}" is no place such as body:amount`);
  }
  return text as Place;
}

function words(cell: string): string[] {
  return cell === '-' ? [] : cell.split(' ');
}

function oneOf<Value extends string>(values: readonly Value[], text: string, column: string): Value {
  const found = values.find((value) => value === text);
  if (found === undefined) throw new Error(`${column} "${text}" is none of ${values.join(', ')}`);
  return found;
}

/** Names of parameters that move, bill, give up or redirect money somewhere in the API, or set how much. */
const LOOKS_LIKE_MONEY: ReadonlySet<string> = new Set([
  'add_invoice_items',
  'amount',
  'amount_decimal',
  'amount_details',
  'amount_off',
  'amount_requested',
  'amount_to_capture',
  'amount_to_confirm',
  'application_fee',
  'application_fee_amount',
  'application_fee_percent',
  'auto_advance',
  'automatically_finalizes_at',
  'backdate_start_date',
  'balance',
  'capture',
  'cash_balance',
  'confirm',
  'credit_amount',
  'currency_options',
  'custom_unit_amount',
  'default_source',
  'destination',
  'destination_payment_method',
  'destination_payment_method_data',
  'discounts',
  'external_account',
  'final_capture',
  'fixed_amount',
  'flat_amount',
  'forgive',
  'forwarding_settings',
  'invoice_creation',
  'invoice_now',
  'items',
  'line_items',
  'metric_tons',
  'on_behalf_of',
  'optional_items',
  'out_of_band_amount',
  'paid_out_of_band',
  'payment_intent_data',
  'payout_method',
  'pending_invoice_items_behavior',
  'percent_off',
  'phases',
  'price_data',
  'prorate',
  'proration_behavior',
  'quantity',
  'quantity_decimal',
  'recipient',
  'refund_amount',
  'refund_application_fee',
  'refunds',
  'reverse_transfer',
  'source_transaction',
  'spending_controls',
  'submit',
  'subscription_data',
  'transfer_data',
  'trial_end',
  'unit_amount',
  'unit_amount_decimal',
]);
