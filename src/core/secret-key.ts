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
    const match = /^(sk|rk|pk|whsec)_(?:(test|live)_)?/.exec(value);
    const kinds: Record<string, KeyKind> = {
      sk: 'secret',
      rk: 'restricted',
      pk: 'publishable',
      whsec: 'webhook-secret',
    };
    this.kind = kinds[match?.[1] ?? ''] ?? 'unknown';
    this.mode = match?.[2] as Mode | undefined;
    for (const listener of listeners) listener(value);
  }

  /**
   * Takes the text as a key, trimmed.
   * @throws KeyauditError `KEY_EMPTY`, or `KEY_MALFORMED` for text that no HTTP header could carry.
   */
  static of(text: string): SecretKey {
    const value = text.trim();
    if (value === '') throw new KeyauditError('KEY_EMPTY', 'The key is empty.');
    if (!/^[\x21-\x7e]+$/.test(value)) {
      throw new KeyauditError('KEY_MALFORMED', 'The key holds blanks or characters that no key has.');
    }
    return new SecretKey(value);
  }

  /** Told of every secret the process sees from now on; the output redactor listens here. */
  static onCreate(listener: (value: string) => void): void {
    listeners.push(listener);
  }

  /** The secret itself. Never pass it to anything that prints. */
  reveal(): string {
    return this.#value;
  }

  /** `rk_test_[redacted]` */
  toString(): string {
    const prefix = /^(?:sk|rk|pk)_(?:test|live)_|^whsec_/.exec(this.#value)?.[0] ?? '';
    return `${prefix}${REDACTED}`;
  }

  toJSON(): string {
    return this.toString();
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

const listeners: ((value: string) => void)[] = [];
