import { type Currency, decimalsOf, stepOf } from './currency.ts';

/** An amount of one currency, in its minor units as on Stripe's wire: a whole number, at least 0. */
export interface Amount {
  readonly minor: number;
  readonly currency: Currency;
}

/** Why a text is no amount, as the end of a sentence that starts with it. */
export interface NoAmount {
  readonly problem: string;
}

/**
 * Reads an amount as a person writes it: `50.00 usd`. A number alone is none, since 500 is 5 dollars or 500 yen; nor is
 * one with more decimals than its currency has, or with a sign, an exponent, a group separator or digits of another
 * script.
 */
export function readAmount(text: string): Amount | NoAmount {
  const match = /^(\d{1,15})(?:\.(\d+))? ([A-Za-z]{3})$/.exec(text);
  if (match === null) return { problem: 'is no amount; write a number and a currency, such as "50.00 usd"' };
  const [, whole = '', fraction = '', code = ''] = match;
  const currency = code.toLowerCase();
  const decimals = decimalsOf(currency);
  if (fraction.length > decimals) {
    const has = decimals === 0 ? 'none' : `${decimals} at most`;
    return {
      problem: `has ${fraction.length} decimal${fraction.length === 1 ? '' : 's'}, and ${currency} has ${has}`,
    };
  }
  const minor = Number(whole + fraction.padEnd(decimals, '0'));
  if (!Number.isSafeInteger(minor)) return { problem: 'is larger than can be counted exactly' };
  const step = stepOf(currency);
  if (minor % step !== 0) {
    return { problem: `is no multiple of ${formatAmount({ minor: step, currency })}, the smallest step` };
  }
  return { minor, currency };
}

/** `80.00 usd`, `500 jpy`, `1.500 bhd`: every decimal that the currency has, so that it reads back as the same. */
export function formatAmount({ minor, currency }: Amount): string {
  const decimals = decimalsOf(currency);
  const digits = String(minor).padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  return decimals === 0 ? `${whole} ${currency}` : `${whole}.${digits.slice(-decimals)} ${currency}`;
}
