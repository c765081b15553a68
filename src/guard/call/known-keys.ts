import { createHash } from 'node:crypto';

/** What an idempotency key stood for, whether or not its call moved money. */
interface Known {
  readonly profile: string;
  readonly content: string;
}

/** Older ones are forgotten; those of calls that move money are in the book as well. */
const MOST_KNOWN = 20_000;

/** What is said of an idempotency key before its call is looked at further. */
export type KeyVerdict = 'new' | 'known' | 'other-content' | 'other-profile' | 'in-flight';

/** The idempotency keys of calls that are on their way, and of the latest ones. */
export class KnownKeys {
  readonly #inFlight = new Set<string>();
  readonly #known = new Map<string, Known>();

  /** Takes the key for a call, unless it is taken. @param known what the book says of it */
  begin(digest: string, call: Known, known: Known | undefined): KeyVerdict {
    const before = known ?? this.#known.get(digest);
    if (before !== undefined && before.profile !== call.profile) return 'other-profile';
    if (before !== undefined && before.content !== call.content) return 'other-content';
    if (this.#inFlight.has(digest)) return 'in-flight';
    this.#inFlight.add(digest);
    this.#known.delete(digest);
    this.#known.set(digest, call);
    if (this.#known.size > MOST_KNOWN) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    return before === undefined ? 'new' : 'known';
  }

  end(digest: string): void {
    this.#inFlight.delete(digest);
  }

  /** The call of the key was never sent: it may come with other content. */
  forget(digest: string): void {
    this.#known.delete(digest);
  }
}

/** A digest of texts that keeps them apart. */
export function digestOf(...parts: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length} `).update(part);
  return hash.digest('base64url');
}
