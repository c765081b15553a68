import { describe, expect, it } from 'vitest';
import { formPairs, parseForm } from './form-body.ts';

describe('forms', () => {
  const rows: readonly [form: string, fields: unknown][] = [
    ['a=1&b=', { a: '1', b: '' }],
    ['a[b]=1&a[c][d]=2', { a: { b: '1', c: { d: '2' } } }],
    ['a[]=x&a[]=y', { a: ['x', 'y'] }],
    ['a[0]=x&a[1]=y', { a: ['x', 'y'] }],
    // Each form in which clients send an array of objects.
    ['items[][a]=1&items[][b]=2', { items: [{ a: '1', b: '2' }] }],
    [
      'items[][a]=1&items[][b]=2&items[][a]=3&items[][b]=4',
      {
        items: [
          { a: '1', b: '2' },
          { a: '3', b: '4' },
        ],
      },
    ],
    ['items[0][a]=1&items[0][b]=2&items[1][a]=3', { items: [{ a: '1', b: '2' }, { a: '3' }] }],
    ['items[][a]=1&items[][t][]=x&items[][t][]=y', { items: [{ a: '1', t: ['x', 'y'] }] }],
    [
      'items[][p][a]=1&items[][p][b]=2&items[][p][a]=3',
      { items: [{ p: { a: '1', b: '2' } }, { p: { a: '3' } }] },
    ],
    [
      'items[][l][][a]=1&items[][l][][b]=2&items[][l][][a]=3',
      { items: [{ l: [{ a: '1', b: '2' }, { a: '3' }] }] },
    ],
    ['__proto__[a]=1', JSON.parse('{"__proto__":{"a":"1"}}')],
    ['items[][__proto__]=1&items[][a]=2', { items: [JSON.parse('{"__proto__":"1","a":"2"}')] }],
    ['items[][toString]=1&items[][valueOf]=2', { items: [{ toString: '1', valueOf: '2' }] }],
    // An index far beyond the end makes no holes.
    ['a[0]=x&a[4000000000]=y', { a: ['x', 'y'] }],
  ];
  it.each(rows)('%s', (form, fields) => {
    expect(JSON.stringify(parseForm(form))).toBe(JSON.stringify(fields));
  });

  it('come back from pairs as they were', () => {
    const text = 'a=1&b[c]=2&d[]=x&d[]=y&e[][f]=1&e[][g]=2';
    const fields = parseForm(text);
    const again = parseForm(new URLSearchParams(formPairs(fields)).toString());
    expect(JSON.stringify(again)).toBe(JSON.stringify(fields));
  });
});
