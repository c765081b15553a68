import type { Chance } from './chance.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** What no reader expects at its place; of the same type where it is to get past a schema. */
function odd(before: unknown, url: string, chance: Chance): Json {
  const all = odds(url);
  const alike = all.filter(
    (value) => typeof value === typeof before && Array.isArray(value) === Array.isArray(before),
  );
  return chance.of(alike.length > 0 && chance.is(0.85) ? alike : all);
}

/** @param url of a server that nobody named */
function odds(url: string): readonly Json[] {
  return [
    null,
    true,
    0,
    -1,
    1e308,
    2 ** 53,
    '',
    ' ',
    'a'.repeat(100_000),
    '\u001b[2J\u001b]0;x\u0007',
    '\ud800',
    '\u202e',
    '::stop-commands::x',
    '../../../../tmp/keyaudit-escaped',
    '/tmp/keyaudit-escaped',
    'exec:touch keyaudit-escaped',
    'env-file:../keyaudit-escaped',
    '2026-99-99T00:00:00Z',
    url,
    `${url}/v2/iam/api_keys`,
    [],
    {},
    [[]],
    JSON.parse('{ "__proto__": { "polluted": true }, "constructor": { "prototype": 1 } }') as Json,
    JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`) as Json,
    'mk_1another',
    'rotate',
    'retiring',
    'publishing',
    'creating',
    'running',
    'stripe',
    'live',
    'acct_1another',
    '2020-01-01T00:00:00.000Z',
    '9999-12-31T23:59:59.999Z',
    `.keyaudit/${'x'.repeat(300)}`,
    'mk_1\u001b[31m\n::error::x',
    1e15,
  ];
}

/** A value with something odd at one place, or at a few. */
export function hostileJson(value: unknown, url: string, chance: Chance): unknown {
  let changed = value;
  for (let times = 1 + chance.upTo(2); times > 0; times--) changed = change(changed, url, chance);
  return changed;
}

function change(value: unknown, url: string, chance: Chance): unknown {
  if (typeof value !== 'object' || value === null || chance.is(0.05)) return odd(value, url, chance);
  if (Array.isArray(value)) {
    if (value.length === 0) return [odd(undefined, url, chance)];
    const at = chance.upTo(value.length);
    if (chance.upTo(5) === 0) return [...value, ...value];
    return value.map((part, index) => (index === at ? change(part, url, chance) : part));
  }
  const names = Object.keys(value);
  const name = names.length === 0 || chance.upTo(10) === 0 ? 'unheardOf' : chance.of(names);
  const before = (value as Record<string, unknown>)[name];
  if (chance.upTo(6) === 0) return Object.fromEntries(Object.entries(value).filter(([own]) => own !== name));
  return { ...value, [name]: change(before, url, chance) };
}

/** A text that is broken off, repeated, or has a few odd bytes. */
export function hostileText(text: string, chance: Chance): string {
  const at = chance.upTo(text.length + 1);
  switch (chance.upTo(5)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text + text;
    case 2:
      return `${text.slice(0, at)}${chance.of(['\0', '\ufeff', '}', ']', '"', '\u2028', '\n---\n', '&a', '*a'])}${text.slice(at)}`;
    case 3:
      return chance.of(['', ' ', 'null', '[]', '{}', '\ufeff', '\0'.repeat(1_000), '{'.repeat(10_000)]);
    default:
      return text.slice(0, at) + text.slice(at + 1 + chance.upTo(20));
  }
}
