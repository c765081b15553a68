import { z } from 'zod';
import { boundedHttpClient } from './bounded-http-client.ts';
import { createStripeClient, type StripeClientOptions } from './stripe-client.ts';

const answerSchema = z.object({ object: z.literal('account'), id: z.string().regex(/^acct_\w{1,100}$/) });

/**
 * The account that a secret key is of, by `GET /v1/account`; undefined where it is not said: the key may not ask, or
 * nobody answers as Stripe does. What follows from that is up to the next request.
 */
export async function askOwnAccount(
  options: Pick<StripeClientOptions, 'key' | 'apiBase' | 'apiVersion'>,
): Promise<string | undefined> {
  const client = createStripeClient({ ...options, httpClient: boundedHttpClient(options.apiBase) });
  try {
    return answerSchema.parse(await client.rawRequest('GET', '/v1/account')).id;
  } catch {
    return undefined;
  }
}
