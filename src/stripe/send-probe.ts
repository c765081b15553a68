import { randomUUID } from 'node:crypto';
import type Stripe from 'stripe';
import { isBeyondSdk } from '../core/catalog/beyond-sdk.ts';
import { isWrite } from '../core/catalog/catalog.ts';
import type { Probe } from '../core/probe/probe.ts';

/** Sends by the official SDK; each write has a fresh idempotency key. */
export function sendProbe(
  { operation, path, body, multipart, account }: Probe,
  client: Stripe,
): Promise<unknown> {
  const write = isWrite(operation);
  if (multipart === true) {
    // rawRequest sends no multipart; the SDK's own method for files does.
    const file = { data: Buffer.from('keyaudit probe'), name: 'keyaudit-probe.txt', type: 'text/plain' };
    const params = { ...body, file } as unknown as Stripe.FileCreateParams;
    return client.files.create(params, { idempotencyKey: freshKey(), stripeAccount: account });
  }
  const options: Stripe.RawRequestOptions = {
    ...(write ? { idempotencyKey: freshKey() } : {}),
    ...(account === undefined ? {} : accountHeader(operation.path, account)),
    ...(isBeyondSdk(operation) && operation.version !== undefined ? { apiVersion: operation.version } : {}),
    ...(operation.host === 'api' ? {} : { apiBase: operation.host.replace('-', '_') as 'files' }),
  };
  return client.rawRequest(operation.method, path, body as Record<string, unknown> | undefined, options);
}

/** v2 knows a connected account as a context. @see https://docs.stripe.com/api-v2-overview */
function accountHeader(path: string, account: string): Stripe.RequestOptions {
  return path.startsWith('/v2/') ? { stripeContext: account } : { stripeAccount: account };
}

function freshKey(): string {
  return `keyaudit-${randomUUID()}`;
}
