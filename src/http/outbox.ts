import type { ServerResponse } from 'node:http';

/**
 * Sends the answers that were made in one turn of the event loop together, at its end. A write to a client
 * that sleeps has to wake it up, which costs as much as serving a request; of several in a row only the
 * first does.
 */
export class Outbox {
  #waiting: { readonly response: ServerResponse; readonly body: string | Buffer }[] = [];

  /** Ends `response`, whose head is written, with `body`. */
  end(response: ServerResponse, body: string | Buffer): void {
    if (this.#waiting.push({ response, body }) === 1) setImmediate(() => this.#send());
  }

  #send(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { response, body } of waiting) response.end(body);
  }
}
