import { z } from 'zod';
import { boundedHttpClient } from './bounded-http-client.ts';
import { createStripeClient, type StripeClientOptions } from './stripe-client.ts';

type Asker = Pick<StripeClientOptions, 'key' | 'apiBase' | 'apiVersion'>;

const accountSchema = z.object({ object: z.literal('account'), id: z.string().regex(/^acct_\w{1,100}$/) });
const listSchema = z.object({ data: z.array(accountSchema) });

/**
 * The account that a secret key is of, by `GET /v1/account`; undefined where it is not said: the key may not ask, or
 * nobody answers as Stripe does. What follows from that is up to the next request.
 */
export async function askOwnAccount(options: Asker): Promise<string | undefined> {
  return accountSchema.safeParse(await ask('/v1/account', options)).data?.id;
}

/** One account that is connected to that of a secret key, by `GET /v1/accounts`; undefined where none is shown. */
export async function askConnectedAccount(options: Asker): Promise<string | undefined> {
  return listSchema.safeParse(await ask('/v1/accounts?limit=1', options)).data?.data[0]?.id;
}

async function ask(path: string, options: Asker): Promise<unknown> {
  const client = createStripeClient({ ...options, httpClient: boundedHttpClient(options.apiBase) });
  return client.rawRequest('GET', path).catch(() => undefined);
}
