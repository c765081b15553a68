/**
 * Fields whose number may have a fraction; every other `number` of the declarations is an integer. The
 * declarations do not tell them apart, Stripe's OpenAPI description does: `"type": "number"`.
 * @see https://github.com/stripe/openapi
 */
export const DECIMAL_NUMBERS: ReadonlySet<string> = new Set([
  'aggregated_value',
  'amount_percent',
  'application_fee_percent',
  'effective_percentage',
  'exchange_rate',
  'height',
  'latitude',
  'length',
  'longitude',
  'percent_off',
  'percent_ownership',
  'percentage',
  'rates',
  'score',
  'tax_percent',
  'weight',
  'width',
]);
