import { describe, expect, it } from 'vitest';
import { formatAmount, readAmount } from './amount.ts';

describe('readAmount', () => {
  it.each([
    ['50.00 usd', 5000, 'usd', '50.00 usd'],
    ['50 usd', 5000, 'usd', '50.00 usd'],
    ['0.5 USD', 50, 'usd', '0.50 usd'],
    ['0 usd', 0, 'usd', '0.00 usd'],
    ['0.01 eur', 1, 'eur', '0.01 eur'],
    ['500 jpy', 500, 'jpy', '500 jpy'],
    ['5 isk', 500, 'isk', '5.00 isk'],
    ['5.00 ugx', 500, 'ugx', '5.00 ugx'],
    ['12.34 huf', 1234, 'huf', '12.34 huf'],
    ['12.34 twd', 1234, 'twd', '12.34 twd'],
    ['1.5 bhd', 1500, 'bhd', '1.500 bhd'],
    ['1.250 kwd', 1250, 'kwd', '1.250 kwd'],
    ['0.010 tnd', 10, 'tnd', '0.010 tnd'],
    ['90071992547409.91 usd', Number.MAX_SAFE_INTEGER, 'usd', '90071992547409.91 usd'],
  ])('reads %s', (text, minor, currency, written) => {
    expect(readAmount(text)).toEqual({ minor, currency });
    expect(formatAmount({ minor, currency })).toBe(written);
    expect(readAmount(written)).toEqual({ minor, currency });
  });

  it.each([
    ['500', /is no amount; write a number and a currency/],
    ['usd 500', /is no amount/],
    ['5e2 usd', /is no amount/],
    ['-5 usd', /is no amount/],
    ['+5 usd', /is no amount/],
    [' 5 usd', /is no amount/],
    ['5 usd\n', /is no amount/],
    ['5  usd', /is no amount/],
    ['1,000.00 usd', /is no amount/],
    ['5. usd', /is no amount/],
    ['.5 usd', /is no amount/],
    ['５ usd', /is no amount/],
    ['NaN usd', /is no amount/],
    ['Infinity usd', /is no amount/],
    ['5 dollars', /is no amount/],
    ['1.005 usd', /has 3 decimals, and usd has 2 at most/],
    ['5.0 jpy', /has 1 decimals?, and jpy has none/],
    ['1.0005 bhd', /has 4 decimals, and bhd has 3 at most/],
    ['1.001 bhd', /is no multiple of 0\.010 bhd/],
    ['1.50 isk', /is no multiple of 1\.00 isk/],
    ['1.50 ugx', /is no multiple of 1\.00 ugx/],
    ['90071992547409.92 usd', /larger than can be counted exactly/],
    ['9999999999999999 usd', /is no amount/],
  ])('does not read %j', (text, problem) => {
    expect(readAmount(text)).toEqual({ problem: expect.stringMatching(problem) });
  });
});
