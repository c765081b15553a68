import type { ExposureReading, MoneyCall } from './money-call.ts';
import { minorIn } from './places.ts';
import type { FormFields } from './strict-form.ts';

const OPERATIONS = /^(?:invoiceItems\.(?:create|update)|invoices\.(?:addLines|updateLines|updateLineItem))$/;

/**
 * The amount of invoice items: as it is, or unit price times quantity, rounded up; the sum of all lines. By a price
 * of the catalogue of products it stands in no request, and is refused. Undefined for other calls.
 */
export function invoiceItemAmount({ operation, fields }: MoneyCall): number | ExposureReading | undefined {
  if (!OPERATIONS.test(operation.name)) return undefined;
  const lines = typeof fields.lines === 'object' ? Object.values(fields.lines) : [fields];
  let sum = 0;
  let isGiven = false;
  for (const line of lines) {
    if (typeof line !== 'object' || Array.isArray(line)) return unreadable('lines');
    const amount = amountOfLine(line);
    if (amount === 'unreadable') return unreadable('amount');
    if (amount === undefined) continue;
    isGiven = true;
    sum += amount;
  }
  if (isGiven) return sum;
  return /(?:update|updateLineItem|updateLines|addLines)$/.test(operation.name)
    ? undefined
    : unreadable('amount');
}

function amountOfLine(line: FormFields): number | 'unreadable' | undefined {
  const price = typeof line.price_data === 'object' && !Array.isArray(line.price_data) ? line.price_data : {};
  // `unit_amount` until 2025-03-31.basil.
  const unit = line.unit_amount ?? line.unit_amount_decimal ?? price.unit_amount ?? price.unit_amount_decimal;
  const quantity = line.quantity ?? line.quantity_decimal ?? '1';
  if (line.pricing !== undefined || line.price !== undefined) return 'unreadable';
  if (line.amount !== undefined) {
    if (unit !== undefined) return 'unreadable';
    const amount = minorIn(line.amount);
    return amount === undefined ? 'unreadable' : Math.abs(amount);
  }
  if (unit === undefined) {
    // Of another quantity the unit is not known.
    return line.quantity === undefined && line.quantity_decimal === undefined ? undefined : 'unreadable';
  }
  const [each, times] = [decimalIn(unit), decimalIn(quantity)];
  if (each === undefined || times === undefined) return 'unreadable';
  const all = Math.ceil(Math.abs(each * times));
  return Number.isSafeInteger(all) ? all : 'unreadable';
}

function decimalIn(value: unknown): number | undefined {
  return typeof value === 'string' && /^-?(?:0|[1-9]\d{0,11})(?:\.\d{1,12})?$/.test(value)
    ? Number(value)
    : undefined;
}

function unreadable(param: string): ExposureReading {
  return {
    kind: 'refused',
    code: 'keyaudit_amount_unknown',
    why: 'its amount stands neither in the request nor on an object',
    param,
  };
}
