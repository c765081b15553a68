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

/** Replaces every secret that this process has seen, in any of its forms. */
export function redact(text: string): string {
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

/** A writer that redacts each write; renderers write whole lines, so no secret spans two writes of theirs. */
export function redactedWriter(write: (text: string) => void): (text: string) => void {
  return (text) => write(redact(text));
}
