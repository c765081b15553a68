import { createHash } from 'node:crypto';
import { type Answer, errorAnswer } from '../http/answer.ts';

interface Kept {
  readonly digest: string;
  /** Undefined while the first request is still served. */
  answer?: Answer & { readonly requestId: string };
}

/** Older answers are forgotten. */
const MOST_KEPT = 10_000;
const LONGEST_KEY = 255;

/**
 * Replays the answer of a request sent again with the same `Idempotency-Key`.
 * @see https://docs.stripe.com/api/idempotent_requests
 */
export class IdempotencyCache {
  readonly #kept = new Map<string, Kept>();

  /**
   * @param scope account and mode
   * @param content what must be the same: URL and body
   */
  async once(
    key: string,
    { scope, content, requestId }: { scope: string; content: string; requestId: string },
    serve: () => Promise<Answer>,
  ): Promise<Answer> {
    if (key.length > LONGEST_KEY) {
      return idempotencyError(400, `Idempotency key cannot be longer than ${LONGEST_KEY} characters.`);
    }
    const id = `${scope} ${key}`;
    const digest = createHash('sha256').update(content).digest('base64');
    const known = this.#kept.get(id);
    if (known !== undefined) return replay(known, digest, key);
    const kept: Kept = { digest };
    this.#kept.set(id, kept);
    this.#forget();
    try {
      const answer = await serve();
      // What failed before it began, a refusal or a bad parameter, may be tried again.
      if (isBeforeExecution(answer)) this.#kept.delete(id);
      else kept.answer = { ...answer, body: JSON.parse(JSON.stringify(answer.body)), requestId };
      return answer;
    } catch (error) {
      this.#kept.delete(id);
      throw error;
    }
  }

  /** For a sandbox that begins anew: what the answers speak of is gone. */
  clear(): void {
    this.#kept.clear();
  }

  #forget(): void {
    const oldest = this.#kept.keys().next().value;
    if (this.#kept.size > MOST_KEPT && oldest !== undefined) this.#kept.delete(oldest);
  }
}

function replay({ digest, answer }: Kept, wanted: string, key: string): Answer {
  if (digest !== wanted) {
    return idempotencyError(
      400,
      `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
    );
  }
  if (answer === undefined) {
    return errorAnswer(409, {
      code: 'idempotency_key_in_use',
      type: 'idempotency_error',
      message:
        'There is currently another in-progress request using this Idempotent Key. Please try again later.',
    });
  }
  const { requestId, ...kept } = answer;
  return {
    ...kept,
    headers: { ...kept.headers, 'idempotent-replayed': 'true', 'original-request': requestId },
  };
}

function idempotencyError(status: number, message: string): Answer {
  return errorAnswer(status, { type: 'idempotency_error', message });
}

function isBeforeExecution({ status }: Answer): boolean {
  return (
    status === 400 || status === 401 || status === 403 || status === 404 || status === 409 || status === 429
  );
}
