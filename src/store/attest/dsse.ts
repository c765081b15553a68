import { sign, verify } from 'node:crypto';
import { z } from 'zod';
import type { SigningKey, VerifyingKey } from './attest-key.ts';

const base64 = z
  .string()
  .max(64_000_000)
  .regex(/^[A-Za-z0-9+/_-]+={0,2}$/);

const envelopeSchema = z.object({
  payloadType: z.string().max(200),
  payload: base64,
  signatures: z
    .array(z.object({ keyid: z.string().max(500).optional(), sig: base64 }))
    .min(1)
    .max(20),
});

/** A signed payload: https://github.com/secure-systems-lab/dsse/blob/master/envelope.md */
export type Envelope = z.infer<typeof envelopeSchema>;

/** Signs a payload under its type. ECDSA signatures are DER, as other implementations read them. */
export function signEnvelope(payload: string, payloadType: string, key: SigningKey): Envelope {
  const body = Buffer.from(payload, 'utf8');
  const data = preAuthEncoding(payloadType, body);
  const signature = sign(key.algorithm === 'ES256' ? 'sha256' : null, data, key.key);
  return {
    payloadType,
    payload: body.toString('base64'),
    signatures: [{ keyid: key.keyId, sig: signature.toString('base64') }],
  };
}

/** The payload whose signature by this key holds; undefined where none does. */
export function openEnvelope(
  { payload, payloadType, signatures }: Envelope,
  expectedType: string,
  { key, algorithm }: VerifyingKey,
): string | undefined {
  if (payloadType !== expectedType) return undefined;
  const body = Buffer.from(payload, 'base64');
  const data = preAuthEncoding(payloadType, body);
  const holds = signatures.some(({ sig }) =>
    verify(algorithm === 'ES256' ? 'sha256' : null, data, key, Buffer.from(sig, 'base64')),
  );
  return holds ? body.toString('utf8') : undefined;
}

/** Reads an envelope; undefined where it is none. */
export function readEnvelope(text: string): Envelope | undefined {
  try {
    const envelope = envelopeSchema.safeParse(JSON.parse(text));
    return envelope.success ? envelope.data : undefined;
  } catch {
    return undefined;
  }
}

/** What is signed: type and payload with their lengths, so that neither can pass for part of the other. */
function preAuthEncoding(payloadType: string, body: Buffer): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${body.length} `;
  return Buffer.concat([Buffer.from(head, 'utf8'), body]);
}
