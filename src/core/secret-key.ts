import { KeyauditError } from './error.ts';
import { keyTextFault, wordsOf } from './key-text.ts';

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

  /** Whether it is of an organisation: such a key acts for the account alone that `Stripe-Context` names. */
  get isOfOrganisation(): boolean {
    return /^(?:sk|rk)_org_/.test(this.#value);
  }

  /**
   * Takes the text as a key, trimmed.
   * @param where begins a sentence, `The variable STRIPE_KEY`: what is wrong is said of it
   * @throws KeyauditError `KEY_EMPTY`, or `KEY_MALFORMED` for text that is more than a key, or none.
   */
  static of(text: string, where?: string): SecretKey {
    const value = text.trim();
    // What is refused below was meant to be a key all the same.
    for (const part of wordsOf(value)) announce(part);
    if (value === '') {
      throw new KeyauditError('KEY_EMPTY', where === undefined ? 'The key is empty.' : `${where} is empty.`);
    }
    const fault = keyTextFault(value);
    if (fault === undefined) return new SecretKey(value);
    throw new KeyauditError('KEY_MALFORMED', `${where ?? 'The key'} holds ${fault.what}.`, {
      hint: fault.hint,
    });
  }

  /**
   * The same of an environment variable. Blanks at its ends are refused too: whatever else reads the variable would
   * send them along.
   */
  static ofVariable(name: string, text: string): SecretKey {
    const key = SecretKey.of(text, `The variable ${name}`);
    if (text === text.trim()) return key;
    const what = /^\s*\S+[ \t]+$|^[ \t]+\S+\s*$/.test(text) ? 'blanks' : 'a line break';
    throw new KeyauditError('KEY_MALFORMED', `The variable ${name} holds ${what} beside the key.`, {
      hint: 'Set it to the key alone; an agent that reads it would send the rest along.',
    });
  }

  /**
   * Tells of every secret that is read from now on, one that is refused too; the redactor of a run listens here.
   * @returns ends it
   */
  static onCreate(listener: (value: string) => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** The secret itself. Never pass it to anything that prints. */
  reveal(): string {
    return this.#value;
  }

  /** `rk_test_[redacted]` */
  toString(): string {
    const prefix =
      /^(?:sk|rk|pk)_(?:(?:org|guard)_)?(?:test|live)_|^(?:sk|rk)_org_|^whsec_/.exec(this.#value)?.[0] ?? '';
    return `${prefix}${REDACTED}`;
  }

  toJSON(): string {
    return this.toString();
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

function announce(value: string): void {
  for (const listener of listeners) listener(value);
}

const listeners = new Set<(value: string) => void>();
