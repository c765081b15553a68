import { describe, expect, it } from 'vitest';
import { catalogData } from '../../catalog/data/catalog.ts';
import { parametersOf } from '../../catalog/parameters.ts';
import { minorIn } from './places.ts';
import { LARGEST_FORM, NO_PARAMETER, readStrictForm } from './strict-form.ts';

const read = (text: string | Uint8Array) =>
  readStrictForm(typeof text === 'string' ? Buffer.from(text) : text);

it('no operation has a parameter of a name that is read as a header elsewhere', () => {
  const all = catalogData.operations.flatMap(({ name }) => parametersOf(name).map((one) => one.name));
  expect(all.length).toBeGreaterThan(1_000);
  expect(all.filter((name) => NO_PARAMETER.test(name))).toEqual([]);
});

describe('readStrictForm', () => {
  it.each<[string, object]>([
    ['', {}],
    ['amount=100&currency=usd', { amount: '100', currency: 'usd' }],
    ['metadata%5Border%5D=a+b%26c', { metadata: { order: 'a b&c' } }],
    ['expand[]=charge&expand[]=customer', { expand: ['charge', 'customer'] }],
    ['expand[0]=charge&expand[1]=customer', { expand: { 0: 'charge', 1: 'customer' } }],
    ['items[0][price]=p&items[0][quantity]=2', { items: { 0: { price: 'p', quantity: '2' } } }],
    ['amount=', { amount: '' }],
    ['a=b=c', { a: 'b=c' }],
    ['description=%F0%9F%99%82', { description: '🙂' }],
  ])('reads %s', (text, fields) => {
    const reading = read(text);
    expect(reading.ok).toBe(true);
    expect(JSON.parse(JSON.stringify(reading.ok && reading.fields))).toEqual(fields);
  });

  it.each<[string, string | Uint8Array, RegExp]>([
    ['a value that stands twice', 'amount=1&amount=100000', /more than once/],
    ['a value beside a list', 'amount=1&amount[]=100000', /both as a value and as a map/],
    ['a list beside a value', 'amount[]=1&amount=2', /both as|more than once/],
    ['a value beside a map', 'amount[0]=1&amount=2', /more than once/],
    ['a list beside a map', 'a[]=1&a[b]=2', /both as a list and as a map/],
    ['a name in disguise', '%61mount=1', /written with escapes/],
    ['a name with a plus', 'a+mount=1', /written with escapes/],
    ['no name', '=1', /no name/],
    ['no value', 'amount', /no name or no "="/],
    ['a list of maps without numbers', 'lines[][amount]=1', /list of maps without numbers/],
    ['a broken escape', 'amount=%zz', /its value is no text/],
    ['a zero byte', 'currency=usd%00', /its value is no text/],
    ['no UTF-8', new Uint8Array([0x61, 0x3d, 0xff]), /no UTF-8/],
    ['a method', '_method=delete', /no parameter of the API/],
    ['an account beside the header', 'charge=ch_1&_stripe_account=acct_theirs', /no parameter of the API/],
    ['a version beside the header', '_stripe_version=2018-11-08', /no parameter of the API/],
    ['a key beside the header', 'key=sk_test_x', /no parameter of the API/],
    ['a prototype', '__proto__[amount]=1', /none of the API|no parameter of the API/],
    ['an inner prototype', 'a[__proto__][amount]=1', /no parameter of the API/],
    ['odd brackets', 'a[b]c=1', /none of the API/],
    ['13 levels of brackets', `a${'[b]'.repeat(13)}=1`, /nests deeper/],
    ['100,000 fields', Array.from({ length: 100_000 }, (_, n) => `a${n}=1`).join('&'), /more fields/],
    ['2 MiB', new Uint8Array(2 * LARGEST_FORM), /larger than any call/],
  ])('refuses %s', (_name, text, why) => {
    const reading = read(text);
    expect(reading.ok ? '' : reading.why).toMatch(why);
  });

  it.each([
    '1e5',
    '+1',
    '-',
    '０',
    '１００',
    '0100',
    ' 100',
    '100.0',
    '1_000',
    '0x10',
    '',
    '-0',
    '1000000000000000',
  ])('takes %j for no amount', (text) => expect(minorIn(text)).toBeUndefined());
});
