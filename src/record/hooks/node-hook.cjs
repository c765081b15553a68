'use strict';
// Loaded into a recorded Node process before its own code (NODE_OPTIONS=--require). It notes each call to
// Stripe that leaves by node:http, node:https or fetch: method, path without ids, names of parameters, status
// and code; never a value, an id or a key. It changes nothing of a call, and never makes one fail.
const http = require('node:http');
const https = require('node:https');
const { dirname, join } = require('node:path');
const { syncBuiltinESMExports } = require('node:module');
const { watchChildren, watchExec, watchWorkers } = require('./node-children.cjs');
const { collector } = require('./node-collector.cjs');
const { codeIn, facts, useWords } = require('./node-facts.cjs');
const { inherited, openNotes } = require('./node-notes.cjs');
const { inWatched, watchedHost, watchSockets } = require('./node-sockets.cjs');

const file = inherited('KEYAUDIT_RECORD_NOTES');
/** What notes calls besides, between this process and Stripe: calls to it are not noted twice. */
const recorder = hostOf(inherited('KEYAUDIT_RECORD_SERVER'));

if (file !== undefined && globalThis[Symbol.for('keyaudit.recording')] === undefined) {
  globalThis[Symbol.for('keyaudit.recording')] = true;
  const note = openNotes(file);
  if (note !== undefined) record(note);
}

function record(note) {
  useWords(join(dirname(file), 'words.json'));
  const hello = () => note({ hello: 'node', version: process.versions.node, pid: process.pid });
  hello();
  watchChildren(note);
  watchExec(note, hello);
  watchWorkers();
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
  const call = () =>
    facts(sent.method, sent.path, {
      type: String(sent.getHeader('content-type') ?? ''),
      account: sent.getHeader('stripe-account') !== undefined,
      body: body.text(),
    });
  let isNoted = false;
  const once = (answer) => {
    if (isNoted || !isForStripe()) return;
    isNoted = true;
    note(call(), answer);
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
        if (status < 400) note(call, { status });
        else {
          const text = await response
            .clone()
            .text()
            .catch(() => '');
          note(call, { status, code: codeIn(text) });
        }
      },
      () => note(call, { failed: true }),
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

/** Most calls of an agent go to one place with one key. */
let lastAsked = {};

/** A call to Stripe's hosts, or anywhere with a key of Stripe's form, such as to a stand-in. */
function isStripe(host, authorization) {
  if (host !== lastAsked.host || authorization !== lastAsked.authorization) {
    lastAsked = { host, authorization, answer: goesToStripe(host, authorization) };
  }
  return lastAsked.answer;
}

function goesToStripe(host, authorization) {
  if (host === recorder) return false;
  if (/(^|\.)stripe\.com(:\d+)?$/i.test(host)) return true;
  const [, scheme, value = ''] = /^(bearer|basic)\s+(\S+)/i.exec(authorization) ?? [];
  if (scheme === undefined) return false;
  const key = scheme.toLowerCase() === 'basic' ? Buffer.from(value, 'base64').toString('latin1') : value;
  return /^(sk|rk|rkcs)_/.test(key);
}
