import { createHmac, randomBytes } from 'node:crypto';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Letters and digits, as in Stripe's ids. */
export function randomText(length: number): string {
  return spell(randomBytes(length));
}

/** Always the same 40 letters and digits for the same seed and text; not to be guessed without the seed. */
export function derivedText(seed: Buffer, text: string): string {
  return spell(createHmac('sha512', seed).update(text).digest().subarray(0, 40));
}

function spell(bytes: Buffer): string {
  let text = '';
  for (const byte of bytes) text += ALPHABET.charAt(byte % ALPHABET.length);
  return text;
}
