import { createHmac, randomBytes } from 'node:crypto';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Randomness is fetched by the page: each fetch costs more than serving a request. */
let page = '';
let used = 0;

/** Letters and digits, as in Stripe's ids. */
export function randomText(length: number): string {
  if (used + length > page.length) {
    page = spell(randomBytes(Math.max(length, 4096)));
    used = 0;
  }
  used += length;
  return page.slice(used - length, used);
}

/** Always the same 40 letters and digits for the same seed and text; not to be guessed without the seed. */
export function derivedText(seed: Buffer, text: string): string {
  return spell(createHmac('sha512', seed).update(text).digest().subarray(0, 40));
}

function spell(bytes: Buffer): string {
  return Buffer.from(bytes.map((byte) => ALPHABET.charCodeAt(byte % ALPHABET.length))).toString('latin1');
}
