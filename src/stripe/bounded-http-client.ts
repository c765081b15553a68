import type http from 'node:http';
import Stripe from 'stripe';
import { agentFor } from '../http/in-process.ts';

/** Ten times what the largest page of Stripe's has; a longer answer is none of Stripe's. */
export const MOST_ANSWER_CHARACTERS = 16_000_000;

/** Longest for a request and its whole answer, in ms; the SDK's own limit begins again with every byte. */
const LONGEST_REQUEST_MS = 90_000;

/**
 * An HTTP client for the SDK whose answers come to an end: none is longer than 16 million characters, and none takes
 * longer than 90 s, however it drips. Each request has a connection of its own.
 * @param apiBase says whether connections are encrypted
 */
export function boundedHttpClient(
  apiBase: string,
  { longestMs = LONGEST_REQUEST_MS }: { readonly longestMs?: number } = {},
): Stripe.HttpClient {
  // One for its methods; requests are made by one each, whose connections can be cut.
  const client = Stripe.createNodeHttpClient() as Stripe.HttpClient;
  client.makeRequest = async (...request) => {
    const agent = agentFor(apiBase, { keepAlive: false });
    let isOver = false;
    const timer = setTimeout(() => {
      isOver = true;
      agent.destroy();
    }, longestMs);
    const tooLate = (error: unknown) => {
      clearTimeout(timer);
      return isOver ? Stripe.HttpClient.makeTimeoutError() : error;
    };
    try {
      const response = await Stripe.createNodeHttpClient(agent).makeRequest(...request);
      const raw = response.getRawResponse() as http.IncomingMessage;
      raw.once('close', () => clearTimeout(timer));
      const toJson = response.toJSON.bind(response);
      response.toJSON = () => {
        boundAnswer(raw);
        return toJson().then(objectOf);
      };
      return response;
    } catch (error) {
      throw tooLate(error);
    }
  };
  return client;
}

/** The SDK writes into what it has read, and comes to no end over a string or a number. @throws TypeError */
function objectOf(json: unknown): object {
  if (typeof json === 'object' && json !== null) return json;
  throw new TypeError('the answer is no object');
}

/** Breaks an answer off that is longer than any of Stripe's. Call when it begins to be read. */
export function boundAnswer(raw: http.IncomingMessage): void {
  let length = 0;
  raw.on('data', (chunk: string | Buffer) => {
    length += chunk.length;
    if (length > MOST_ANSWER_CHARACTERS) raw.destroy(new Error('The answer is longer than any of Stripe’s.'));
  });
}
