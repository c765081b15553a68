import { KeyauditError } from './error.ts';

export type KeyKind = 'secret' | 'restricted' | 'publishable' | 'webhook-secret' | 'unknown';
export type Mode = 'test' | 'live';

const REDACTED = '[redacted]';

/**
 * A secret that cannot be printed by accident: string conversion, JSON and `console.log` all show
 * `rk_test_[redacted]`. Only `stripe/`, `store/` and the sandbox call {@link SecretKey.reveal}.
 */
export class SecretKey {
  readonly #value: string;
  readonly kind: KeyKind;
  readonly mode: Mode | undefined;

  private constructor(value: string) {
    this.#value = value;
    const match = /^(sk|rk|pk|whsec)_(?:(?:org|guard)_)?(?:(test|live)_)?/.exec(value);
    const kinds: Record<string, KeyKind> = {
      sk: 'secret',
      rk: 'restricted',
      pk: 'publishable',
      whsec: 'webhook-secret',
    };
    this.kind = kinds[match?.[1] ?? ''] ?? 'unknown';
    this.mode = match?.[2] as Mode | undefined;
  }

  /**
   * Whether it may only be used where `--live` was said. A key whose form is not known could be anything, so it
   * counts as live.
   */
  get countsAsLive(): boolean {
    return this.mode !== 'test';
  }

  /**
   * Takes the text as a key, trimmed.
   * @throws KeyauditError `KEY_EMPTY`, or `KEY_MALFORMED` for text that no HTTP header could carry, or too long.
   */
  static of(text: string): SecretKey {
    const value = text.trim();
    // What is refused below was meant to be a key all the same.
    for (const part of value.split(/\s+/)) announce(part);
    if (value === '') throw new KeyauditError('KEY_EMPTY', 'The key is empty.');
    if (!/^[\x21-\x7e]+$/.test(value)) {
      throw new KeyauditError('KEY_MALFORMED', 'The key holds blanks or characters that no key has.');
    }
    if (value.length > LONGEST_KEY) {
      throw new KeyauditError('KEY_MALFORMED', `The key has ${value.length} characters, which no key has.`);
    }
    return new SecretKey(value);
  }

  /** Told of every secret that the process has seen and will see; the output redactor listens here. */
  static onCreate(listener: (value: string) => void): void {
    listeners.push(listener);
    for (const value of seen) listener(value);
  }

  /** The secret itself. Never pass it to anything that prints. */
  reveal(): string {
    return this.#value;
  }

  /** `rk_test_[redacted]` */
  toString(): string {
    const prefix = /^(?:sk|rk|pk)_(?:(?:org|guard)_)?(?:test|live)_|^whsec_/.exec(this.#value)?.[0] ?? '';
    return `${prefix}${REDACTED}`;
  }

  toJSON(): string {
    return this.toString();
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** Keys of Stripe have up to some 250 characters; a server takes some 16,000 of headers altogether. */
const LONGEST_KEY = 4_000;

function announce(value: string): void {
  seen.add(value);
  for (const listener of listeners) listener(value);
}

const listeners: ((value: string) => void)[] = [];
/** So that it does not matter whether the redactor or the first key is there first. */
const seen = new Set<string>();
