import { createHash, createHmac } from 'node:crypto';

/** The signing secret of an endpoint: always the same for its id, which nobody else knows. */
export function webhookSecret(endpointId: string): string {
  return `whsec_${createHash('sha256').update(`webhook ${endpointId}`).digest('base64url').slice(0, 32)}`;
}

/**
 * The value of `Stripe-Signature`.
 * @param timestamp in seconds since 1970
 * @see https://docs.stripe.com/webhooks#verify-manually
 */
export function webhookSignature(secret: string, body: string, timestamp: number): string {
  const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
  return `t=${timestamp},v1=${signature}`;
}
