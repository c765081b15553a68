import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { EXIT, KeyauditError } from '../../core/error.ts';

/** Stripe asks for 2048 bits or more. */
const RSA_BITS = 2048;
const KEY_ALGORITHMS: readonly string[] = ['RSA-OAEP', 'RSA-OAEP-256'];
const CONTENT_ALGORITHMS: readonly string[] = ['A256GCM'];

/** A key pair for one answer, never written down. */
export interface TransportKey {
  readonly publicPem: string;
  readonly privateKey: KeyObject;
}

/** Makes a one-time RSA key pair; the asynchronous form runs on the thread pool, off the main thread. */
export async function createTransportKey(): Promise<TransportKey> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: RSA_BITS });
  return { publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(), privateKey };
}

/**
 * Opens the secret of a live key: a compact JWE (RFC 7516) by RSA-OAEP or RSA-OAEP-256 with A256GCM.
 * @throws KeyauditError `JWE_ALGORITHM` for any other algorithm, named; `JWE_BROKEN` when it does not open
 */
export async function decryptSecret(
  sealed: { readonly ciphertext: string; readonly format: string },
  privateKey: KeyObject,
): Promise<string> {
  if (sealed.format !== 'jwe_compact') throw refused(`format ${sealed.format}`);
  const { compactDecrypt, decodeProtectedHeader } = await import('jose');
  const { alg, enc } = headerOf(() => decodeProtectedHeader(sealed.ciphertext));
  if (!KEY_ALGORITHMS.includes(alg)) throw refused(`algorithm ${alg}`);
  if (!CONTENT_ALGORITHMS.includes(enc)) throw refused(`encryption ${enc}`);
  try {
    const { plaintext } = await compactDecrypt(sealed.ciphertext, privateKey, {
      keyManagementAlgorithms: [...KEY_ALGORITHMS],
      contentEncryptionAlgorithms: [...CONTENT_ALGORITHMS],
    });
    return new TextDecoder().decode(plaintext);
  } catch {
    throw broken();
  }
}

function headerOf(decode: () => { alg?: unknown; enc?: unknown }): { alg: string; enc: string } {
  try {
    const { alg, enc } = decode();
    return { alg: String(alg), enc: String(enc) };
  } catch {
    throw broken();
  }
}

function refused(what: string): KeyauditError {
  return new KeyauditError(
    'JWE_ALGORITHM',
    `Stripe sealed the key's secret with ${what}, which keyaudit does not take.`,
    {
      hint: `It takes jwe_compact by ${KEY_ALGORITHMS.join(' or ')} with ${CONTENT_ALGORITHMS.join(', ')}.`,
      exitCode: EXIT.undetermined,
    },
  );
}

function broken(): KeyauditError {
  return new KeyauditError(
    'JWE_BROKEN',
    "The sealed secret of the key does not open with this request's key pair.",
    {
      exitCode: EXIT.undetermined,
    },
  );
}
