import { SecretKey } from '../core/secret-key.ts';

/** Every form in which a secret could show: raw, base64, base64url and URL-encoded. */
const forms = new Set<string>();
let pattern: RegExp | undefined;

const REPLACEMENT = '[redacted]';
/** Shorter texts are no secrets, and replacing them would garble the output. */
const SHORTEST_SECRET = 12;

SecretKey.onCreate((secret) => {
  if (secret.length < SHORTEST_SECRET) return;
  const bytes = Buffer.from(secret, 'utf8');
  for (const form of [
    secret,
    bytes.toString('base64'),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    encodeURIComponent(secret),
  ]) {
    forms.add(form);
  }
  pattern = undefined;
});

/** What reads like a key, whether it was ever taken as one: an argument that a message repeats, say. */
const KEY_SHAPED = /\b((?:sk|rk)_(?:test|live)_|whsec_)[A-Za-z0-9]{8,}/g;

/** Replaces every secret that this process has seen, in any of its forms, and whatever reads like a key. */
export function redact(text: string): string {
  return redactShapes(redactKnown(text));
}

function redactShapes(text: string): string {
  return text.replace(KEY_SHAPED, `$1${REPLACEMENT}`);
}

function redactKnown(text: string): string {
  if (forms.size === 0) return text;
  pattern ??= new RegExp(
    [...forms]
      .sort((a, b) => b.length - a.length)
      .map((form) => form.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('|'),
    'g',
  );
  return text.replace(pattern, REPLACEMENT);
}

/** A writer behind the redactor. */
export interface RedactedWriter {
  write(text: string): void;
  /** Writes what was held back; call at the end. */
  flush(): void;
}

/**
 * A writer that redacts, also where a secret comes in several writes: an end that could be the beginning
 * of a secret waits for what follows.
 */
export function redactedWriter(write: (text: string) => void): RedactedWriter {
  let held = '';
  return {
    write: (text) => {
      const whole = redactKnown(held + text);
      held = possibleBeginning(whole);
      const ready = redactShapes(whole.slice(0, whole.length - held.length));
      if (ready !== '') write(ready);
    },
    flush: () => {
      if (held !== '') write(redactShapes(held));
      held = '';
    },
  };
}

/** The longest end of a text that begins a secret in one of its forms. */
function possibleBeginning(text: string): string {
  let longest = 0;
  for (const form of forms) {
    for (let length = Math.min(form.length - 1, text.length); length > longest; length--) {
      if (text.endsWith(form.slice(0, length))) longest = length;
    }
  }
  return longest === 0 ? '' : text.slice(-longest);
}
