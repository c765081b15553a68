import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { resolve } from 'node:path';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { EXIT, KeyauditError } from '../../core/error.ts';
import { readTextFile } from '../files/read-text-file.ts';
import { COMMAND_TIMEOUT_MS, endOf } from '../secrets/store-command.ts';

export interface VerifyingKey {
  readonly key: KeyObject;
  readonly algorithm: 'EdDSA' | 'ES256';
  /** The thumbprint of its public part (RFC 7638). */
  readonly keyId: string;
}

/** A private key; nothing prints it. */
export type SigningKey = VerifyingKey;

/**
 * The key that signs: a file, or `exec:COMMAND` that prints one; PEM (PKCS #8) or JWK, Ed25519 or P-256.
 * @throws KeyauditError `ATTEST_KEY_UNUSABLE`
 */
export async function readSigningKey(source: string, cwd: string): Promise<SigningKey> {
  const text = await readSource(source, cwd);
  return usable(source, text, 'private');
}

/** The public key of who signed, from a file or a command. @throws KeyauditError `ATTEST_KEY_UNUSABLE` */
export async function readVerifyingKey(source: string, cwd: string): Promise<VerifyingKey> {
  const text = await readSource(source, cwd);
  return usable(source, text, 'public');
}

async function readSource(source: string, cwd: string): Promise<string> {
  if (source.startsWith('exec:')) return printedBy(source.slice('exec:'.length), cwd);
  return readTextFile(resolve(cwd, source)).catch((cause: NodeJS.ErrnoException) => {
    throw unusable(source, `cannot be read (${cause.code ?? 'unknown error'})`, cause);
  });
}

/** What a command of the user's prints; what it says beside that stays unsaid, since it could repeat the key. */
async function printedBy(command: string, cwd: string): Promise<string> {
  const { execa } = await import('execa');
  const run = await execa(command, {
    shell: true,
    cwd,
    reject: false,
    timeout: COMMAND_TIMEOUT_MS,
    stdin: 'ignore',
    stderr: 'ignore',
    maxBuffer: 1_000_000,
  });
  if (run.exitCode === 0 && run.stdout.trim() !== '') return run.stdout;
  throw unusable('exec:', `is no key (${endOf(run)})`);
}

async function usable(source: string, text: string, part: 'private' | 'public'): Promise<VerifyingKey> {
  let key: KeyObject;
  try {
    const input = text.trimStart().startsWith('{')
      ? ({ key: JSON.parse(text) as JsonWebKey, format: 'jwk' } as const)
      : text;
    key = part === 'private' ? createPrivateKey(input) : createPublicKey(input);
  } catch (cause) {
    throw unusable(source, `holds no ${part} key`, cause);
  }
  const algorithm = algorithmOf(key);
  if (algorithm === undefined) throw unusable(source, 'holds a key that is neither Ed25519 nor P-256');
  const publicPart = part === 'private' ? createPublicKey(key) : key;
  return {
    key,
    algorithm,
    keyId: await calculateJwkThumbprint(publicPart.export({ format: 'jwk' }) as JWK),
  };
}

function algorithmOf({
  asymmetricKeyType,
  asymmetricKeyDetails,
}: KeyObject): VerifyingKey['algorithm'] | undefined {
  if (asymmetricKeyType === 'ed25519') return 'EdDSA';
  return asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1'
    ? 'ES256'
    : undefined;
}

function unusable(source: string, why: string, cause?: unknown): KeyauditError {
  return new KeyauditError(
    'ATTEST_KEY_UNUSABLE',
    `${source.startsWith('exec:') ? 'What the command prints' : source} ${why}.`,
    {
      hint: 'Give an Ed25519 or P-256 key as PEM or JWK: "openssl genpkey -algorithm ed25519 -out attest.pem" makes one.',
      exitCode: EXIT.usage,
      // The cause of a key that cannot be read may quote it.
      cause: cause instanceof Error && 'code' in cause ? cause.code : undefined,
    },
  );
}
