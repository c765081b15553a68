import { type Answer, errorAnswer } from '../http/answer.ts';
import { Forwarder } from '../http/forward.ts';
import { type RawRequest, withoutHopByHop } from '../http/raw-request.ts';

/** A key that stripe-mock takes; it opens nothing. */
export const STRIPE_MOCK_KEY = 'sk_test_123';

/** The server behind the gate. It sees what the caller sent, the key apart; its answer comes back as it is. */
export class ServerBehind {
  readonly #origin: string;
  readonly #forwarder: Forwarder;

  constructor(url: string) {
    this.#origin = new URL(url).origin;
    this.#forwarder = new Forwarder({ origin: this.#origin });
  }

  async send(raw: RawRequest): Promise<Answer> {
    const sent = await this.#forwarder.forward(raw, {
      headers: [['authorization', `Bearer ${STRIPE_MOCK_KEY}`]],
    });
    if (sent.kind !== 'answered') {
      const message = `The server behind the gate, ${this.#origin}, did not answer.`;
      return errorAnswer(502, { type: 'api_error', message });
    }
    const headers: Record<string, string | string[]> = {};
    for (const [name, value] of withoutHopByHop(sent.headers)) {
      const lower = name.toLowerCase();
      const known = headers[lower];
      headers[lower] = known === undefined ? value : [known, value].flat();
    }
    return { status: sent.status, body: undefined, raw: sent.body, headers };
  }

  close(): Promise<void> {
    return this.#forwarder.close();
  }
}
