'use strict';
// Beside node-hook.cjs: calls by the package undici, and connections to Stripe that no watched call made, by
// channels on which Node itself and undici tell of them.
const { AsyncLocalStorage } = require('node:async_hooks');
const { subscribe } = require('node:diagnostics_channel');

const STRIPE = /(^|\.)stripe\.com(:\d+)?$/i;
/** Holds while a call is made that another hook notes. */
const inWatched = new AsyncLocalStorage();
const hosts = new Set();

/** A host that a watched call goes to: connections to it are known. */
function watchedHost(host) {
  hosts.add(bare(host));
}

function bare(host) {
  return String(host).replace(/:\d+$/, '').toLowerCase();
}

/** @param factsOf what node-hook.cjs keeps of a call; undefined for one that is not for Stripe */
function watchSockets(note, factsOf) {
  const calls = new WeakMap();
  subscribe('undici:request:create', ({ request }) => {
    if (inWatched.getStore() === true) return;
    try {
      const host = new URL(request.origin).host;
      watchedHost(host);
      const call = factsOf(
        host,
        request.method,
        request.path,
        headersOf(request.headers),
        bodyOf(request.body),
      );
      if (call !== undefined) calls.set(request, call);
    } catch {
      // The agent's work goes on.
    }
  });
  const once = (request, answer) => {
    const call = calls.get(request);
    if (call === undefined) return;
    calls.delete(request);
    note(call, answer);
  };
  subscribe('undici:request:headers', ({ request, response }) =>
    once(request, { status: response.statusCode }),
  );
  subscribe('undici:request:error', ({ request }) => once(request, { failed: true }));
  const missed = new Set();
  subscribe('net.client.socket', ({ socket }) => {
    socket.once('lookup', (_error, _address, _family, host) => {
      const name = bare(host);
      if (!STRIPE.test(name) || hosts.has(name) || missed.has(name)) return;
      missed.add(name);
      note({ missed: name });
    });
  });
}

/** undici has them as one text, or as names and values in turn. */
function headersOf(headers) {
  const pairs = new Map();
  const list = Array.isArray(headers)
    ? headers
    : String(headers ?? '')
        .split('\r\n')
        .filter((line) => line.includes(':'))
        .flatMap((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]);
  for (let index = 0; index + 1 < list.length; index += 2) {
    pairs.set(String(list[index]).toLowerCase(), String(list[index + 1]));
  }
  return pairs;
}

function bodyOf(body) {
  if (typeof body === 'string') return body;
  return body instanceof Uint8Array ? Buffer.from(body).toString('utf8') : '';
}

module.exports = { inWatched, watchedHost, watchSockets };
