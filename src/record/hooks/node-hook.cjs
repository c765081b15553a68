'use strict';
// Loaded into a recorded Node process before its own code (NODE_OPTIONS=--require). It notes each call to
// Stripe that leaves by node:http, node:https or fetch: method, path without ids, names of parameters, status
// and code; never a value, an id or a key. It changes nothing of a call, and never makes one fail.
const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const { dirname, join } = require('node:path');
const { syncBuiltinESMExports } = require('node:module');
const { watchChildren } = require('./node-children.cjs');
const { inWatched, watchedHost, watchSockets } = require('./node-sockets.cjs');

const file = process.env.KEYAUDIT_RECORD_NOTES;
/** What notes calls besides, between this process and Stripe: calls to it are not noted twice. */
const recorder = hostOf(process.env.KEYAUDIT_RECORD_SERVER);
let words;

if (file !== undefined && globalThis[Symbol.for('keyaudit.recording')] === undefined) {
  globalThis[Symbol.for('keyaudit.recording')] = true;
  const fd = open(file);
  if (fd !== undefined) record(fd);
}

/** Words of Stripe's own; any other text may be an id, a name or a key, and is not kept. */
function readWords(path) {
  try {
    const lists = JSON.parse(fs.readFileSync(path, 'utf8'));
    return Object.fromEntries(Object.entries(lists).map(([name, list]) => [name, new Set(list)]));
  } catch {
    return {
      segments: new Set(),
      parameters: new Set(),
      fields: new Set(),
      codes: new Set(),
      currencies: new Set(),
    };
  }
}

function open(path) {
  try {
    // Appended, never made: a notes file that is gone means that nobody records any more.
    return fs.openSync(path, fs.constants.O_WRONLY | fs.constants.O_APPEND);
  } catch {
    return undefined;
  }
}

function record(fd) {
  words = readWords(join(dirname(file), 'words.json'));
  const note = (value) => {
    try {
      fs.writeSync(fd, `${JSON.stringify(value)}\n`);
    } catch {
      // The agent's work goes on.
    }
  };
  note({ hello: 'node', version: process.versions.node, pid: process.pid });
  watchChildren(note);
  patch(http, note);
  patch(https, note);
  patchFetch(note);
  watchSockets(note, (host, method, path, headers, body) =>
    isStripe(host, headers.get('authorization') ?? '')
      ? facts(method, path, {
          type: headers.get('content-type') ?? '',
          account: headers.has('stripe-account'),
          body,
        })
      : undefined,
  );
  syncBuiltinESMExports();
}

/** `request` and `get` of one module; both end in the module's own `request`. */
function patch(module, note) {
  const { request } = module;
  const watched = function (...args) {
    const sent = request.apply(this, args);
    try {
      watch(sent, note);
    } catch {
      // As above.
    }
    return sent;
  };
  module.request = watched;
  module.get = function (...args) {
    const sent = watched.apply(this, args);
    sent.end();
    return sent;
  };
}

function watch(sent, note) {
  const isForStripe = () => {
    const host = String(sent.getHeader('host') ?? sent.host ?? '');
    return isStripe(host, String(sent.getHeader('authorization') ?? ''));
  };
  watchedHost(sent.host ?? '');
  const body = collector();
  const { write, end } = sent;
  sent.write = function (chunk, encoding, done) {
    body.add(chunk, encoding);
    return write.call(this, chunk, encoding, done);
  };
  sent.end = function (chunk, encoding, done) {
    if (typeof chunk !== 'function') body.add(chunk, encoding);
    return end.call(this, chunk, encoding, done);
  };
  const call = (answer) => ({
    ...facts(sent.method, sent.path, {
      type: String(sent.getHeader('content-type') ?? ''),
      account: sent.getHeader('stripe-account') !== undefined,
      body: body.text(),
    }),
    ...answer,
  });
  let isNoted = false;
  const once = (answer) => {
    if (isNoted || !isForStripe()) return;
    isNoted = true;
    note(call(answer));
  };
  sent.prependOnceListener('response', (response) => {
    const { statusCode } = response;
    if (statusCode < 400) {
      once({ status: statusCode });
      return;
    }
    // The reader's own chunks are looked at as they pass; reading here would take them away.
    const answered = collector();
    const { emit } = response;
    response.emit = function (event, ...args) {
      if (event === 'data') answered.add(args[0]);
      if (event === 'end' || event === 'close') once({ status: statusCode, code: codeIn(answered.text()) });
      return emit.call(this, event, ...args);
    };
  });
  sent.prependOnceListener('close', () => once({ failed: true }));
}

function patchFetch(note) {
  const { fetch } = globalThis;
  if (typeof fetch !== 'function') return;
  const watched = async function fetched(input, init) {
    const answered = inWatched.run(true, () => fetch.call(this, input, init));
    let call;
    try {
      call = fetchCall(input, init);
    } catch {
      call = undefined;
    }
    if (call === undefined) return answered;
    answered.then(
      async (response) => {
        const { status } = response;
        if (status < 400) note({ ...call, status });
        else {
          const text = await response
            .clone()
            .text()
            .catch(() => '');
          note({ ...call, status, code: codeIn(text) });
        }
      },
      () => note({ ...call, failed: true }),
    );
    return answered;
  };
  Object.defineProperty(globalThis, 'fetch', {
    value: watched,
    writable: true,
    configurable: true,
    enumerable: true,
  });
}

function fetchCall(input, init) {
  const isRequest = typeof input === 'object' && input !== null && 'url' in input;
  const url = new URL(isRequest ? input.url : String(input));
  const headers = new Headers(init?.headers ?? (isRequest ? input.headers : undefined));
  watchedHost(url.host);
  if (!isStripe(url.host, headers.get('authorization') ?? '')) return undefined;
  const body = init?.body;
  return facts(init?.method ?? (isRequest ? input.method : 'GET'), `${url.pathname}${url.search}`, {
    type: headers.get('content-type') ?? '',
    account: headers.has('stripe-account'),
    body:
      typeof body === 'string' || body instanceof URLSearchParams
        ? String(body)
        : body instanceof Uint8Array
          ? Buffer.from(body).toString('utf8')
          : '',
  });
}

function hostOf(url) {
  return url !== undefined && URL.canParse(url) ? new URL(url).host : undefined;
}

/** A call to Stripe's hosts, or anywhere with a key of Stripe's form, such as to a stand-in. */
function isStripe(host, authorization) {
  if (host === recorder) return false;
  if (/(^|\.)stripe\.com(:\d+)?$/i.test(host)) return true;
  const [, scheme, value = ''] = /^(bearer|basic)\s+(\S+)/i.exec(authorization) ?? [];
  if (scheme === undefined) return false;
  const key = scheme.toLowerCase() === 'basic' ? Buffer.from(value, 'base64').toString('latin1') : value;
  return /^(sk|rk|rkcs)_/.test(key);
}

/** What is kept of a call. */
function facts(method, path, { type, account, body }) {
  const [pathname = '', query = ''] = String(path).split('?', 2);
  const names = new Set();
  const expand = new Set();
  const money = {};
  read(query, names, expand, money);
  if (/json/i.test(type)) readJson(body, names, expand, money);
  else if (/multipart/i.test(type)) {
    for (const [, name] of body.matchAll(/form-data; name="([^"\r\n]{1,200})"/g)) names.add(topOf(name));
  } else read(body, names, expand, money);
  return {
    method: String(method ?? 'GET').toUpperCase(),
    path: pathname.split('/').map(withoutId).join('/'),
    account,
    names: [...names].slice(0, 100),
    expand: [...expand].slice(0, 20),
    ...money,
  };
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

/** Up to 1 MiB of text: more than any form that Stripe takes. */
function collector() {
  const chunks = [];
  let size = 0;
  return {
    add(chunk, encoding) {
      if (chunk === undefined || chunk === null || size > 1_048_576) return;
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk, asEncoding(encoding)) : Buffer.from(chunk);
      size += bytes.length;
      chunks.push(bytes);
    },
    text: () => Buffer.concat(chunks).toString('utf8'),
  };
}

function asEncoding(encoding) {
  return typeof encoding === 'string' && Buffer.isEncoding(encoding) ? encoding : 'utf8';
}
