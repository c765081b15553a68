'use strict';
// Beside node-hook.cjs: what is kept of a call: words of Stripe's own, and never a value, an id or a key.
const fs = require('node:fs');

let words;

/** Words of Stripe's own; any other text may be an id, a name or a key, and is not kept. */
function useWords(path) {
  try {
    const lists = JSON.parse(fs.readFileSync(path, 'utf8'));
    words = Object.fromEntries(Object.entries(lists).map(([name, list]) => [name, new Set(list)]));
  } catch {
    words = {
      segments: new Set(),
      parameters: new Set(),
      fields: new Set(),
      codes: new Set(),
      currencies: new Set(),
    };
  }
}

/** What is kept of a call. */
function facts(method, path, { type, account, body }) {
  const [pathname = '', query = ''] = String(path).split('?', 2);
  const plain = body === '' ? query : query === '' && /form-urlencoded/i.test(type) ? body : undefined;
  if (plain !== undefined && !NEEDS_READING.test(plain)) {
    const kind = [upper(method), pathname, account, plain.replace(/=[^&]*/g, '')].join('\n');
    return remembered(kinds, kind, () => ({
      method: upper(method),
      path: templateOf(pathname),
      account,
      names: namesOf(plain),
      expand: [],
    }));
  }
  const names = new Set();
  const expand = new Set();
  const money = {};
  read(query, names, expand, money);
  if (/json/i.test(type)) readJson(body, names, expand, money);
  else if (/multipart/i.test(type)) {
    for (const [, name] of body.matchAll(/form-data; name="([^"\r\n]{1,200})"/g)) names.add(topOf(name));
  } else read(body, names, expand, money);
  return {
    method: upper(method),
    path: templateOf(pathname),
    account,
    names: [...names].slice(0, 100),
    expand: [...expand].slice(0, 20),
    ...money,
  };
}

function upper(method) {
  return String(method ?? 'GET').toUpperCase();
}

/** An agent makes few kinds of calls and many of each: what a kind comes to is remembered. */
const kinds = new Map();
const MOST_REMEMBERED = 500;

function remembered(known, text, make) {
  const before = known.get(text);
  if (before !== undefined) return before;
  const made = make(text);
  if (known.size < MOST_REMEMBERED) known.set(text, made);
  return made;
}

function templateOf(pathname) {
  return pathname.split('/').map(withoutId).join('/');
}

/** Fields whose value is looked at, or that are encoded. */
const NEEDS_READING = /[%+]|(?:^|&)(?:amount|currency|expand|include)/;

/** Names of a form that needs no reading. */
function namesOf(text) {
  const all = text.split('&').filter((field) => field !== '');
  return [...new Set(all.map((field) => topOf(field.split('=', 1)[0])))].slice(0, 100);
}

/** What is no word of Stripe's paths becomes `{id}`. */
function withoutId(segment) {
  return words.segments.has(segment) ? segment : '{id}';
}

function isExpandPath(path) {
  return (
    typeof path === 'string' && path.length <= 200 && path.split('.').every((one) => words.fields.has(one))
  );
}

function read(text, names, expand, money) {
  if (text === '') return;
  for (const [name, value] of new URLSearchParams(text)) {
    const top = topOf(name);
    if (top === 'expand') {
      if (isExpandPath(value)) expand.add(value);
      continue;
    }
    names.add(top);
    keep(name, value, money);
  }
}

function readJson(text, names, expand, money) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    if (name === 'expand' || name === 'include') {
      for (const path of Array.isArray(inner) ? inner : []) if (isExpandPath(path)) expand.add(path);
      continue;
    }
    names.add(topOf(name));
    if (name === 'amount' && typeof inner === 'object' && inner !== null) {
      keep('amount', String(inner.value), money);
      keep('currency', String(inner.currency), money);
    } else keep(name, String(inner), money);
  }
}

/** Where the amount of a call stands. */
const AMOUNTS = new Set(['amount', 'amount_to_capture', 'amount_to_confirm']);

/** Amount and currency alone: what a cap is proposed from. */
function keep(name, value, money) {
  if (AMOUNTS.has(name) && /^\d{1,15}$/.test(value)) money.amount = Number(value);
  if (name === 'currency' && words.currencies.has(value.toLowerCase())) money.currency = value.toLowerCase();
}

/** `metadata[order]` is `metadata`: what lies in brackets may be somebody's data. */
function topOf(name) {
  const top = name.split('[', 1)[0] ?? '';
  return words.parameters.has(top) ? top : '(other)';
}

function codeIn(text) {
  try {
    const { error } = JSON.parse(text);
    const code = error?.code ?? error?.type;
    return words.codes.has(code) ? code : undefined;
  } catch {
    return undefined;
  }
}

module.exports = { codeIn, facts, useWords };
