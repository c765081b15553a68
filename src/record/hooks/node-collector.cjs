'use strict';
// Beside node-hook.cjs: what a body says, as it passes.

/** Up to 1 MiB of text: more than any form that Stripe takes. */
function collector() {
  const chunks = [];
  let size = 0;
  return {
    add(chunk, encoding) {
      if (chunk === undefined || chunk === null || size > 1_048_576) return;
      // A text cannot change any more, bytes can.
      const kept =
        typeof chunk !== 'string'
          ? Buffer.from(chunk)
          : isText(encoding)
            ? chunk
            : Buffer.from(chunk, asEncoding(encoding));
      size += kept.length;
      chunks.push(kept);
    },
    text: () =>
      chunks.every((chunk) => typeof chunk === 'string')
        ? chunks.join('')
        : Buffer.concat(chunks.map((chunk) => Buffer.from(chunk))).toString('utf8'),
  };
}

function isText(encoding) {
  return typeof encoding !== 'string' || /^utf-?8$/i.test(encoding);
}

function asEncoding(encoding) {
  return typeof encoding === 'string' && Buffer.isEncoding(encoding) ? encoding : 'utf8';
}

module.exports = { collector };
