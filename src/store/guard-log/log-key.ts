import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  importSPKI,
  type JWK,
} from 'jose';
import { EXIT, KeyauditError } from '../../core/error.ts';
import { writePrivateFile } from '../workspace.ts';

/** P-256: what every library verifies, and Node without a warning. */
const ALGORITHM = 'ES256';

/** A key by which checkpoints are checked. */
export interface CheckpointKey {
  readonly key: CryptoKey;
  /** The thumbprint of its public part (RFC 7638), by which one knows it again. */
  readonly id: string;
}

/** One that signs them. */
export interface SigningKey extends CheckpointKey {
  readonly privateKey: CryptoKey;
}

/** Where the private part lies: beside the log, so that who is handed the log is not handed the key. */
function privateFile(folder: string): string {
  return join(dirname(folder), 'log-key.json');
}

/** The public part lies in the log, and goes where it goes. */
function publicFile(folder: string): string {
  return join(folder, 'key.pub.json');
}

/**
 * The key that signs the log's checkpoints, made at the first start; whoever holds the folder may call this.
 * @throws KeyauditError `GUARD_LOG_KEY` (exit 3)
 */
export async function openLogKey(folder: string): Promise<SigningKey> {
  const file = privateFile(folder);
  const known = await signingKeyIn(file).catch((cause: unknown) => {
    throw unusable(file, 'it holds no such key', cause);
  });
  if (known !== undefined) return known;
  if ((await keyIn(publicFile(folder)).catch(() => undefined)) !== undefined)
    throw unusable(file, 'it is gone');
  const { privateKey, publicKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  await writePrivateFile(file, `${JSON.stringify(await exportJWK(privateKey))}\n`);
  await writePrivateFile(publicFile(folder), `${JSON.stringify(await exportJWK(publicKey))}\n`);
  return { privateKey, key: publicKey, id: await calculateJwkThumbprint(await exportJWK(publicKey)) };
}

async function signingKeyIn(file: string): Promise<SigningKey | undefined> {
  const jwk = await jwkIn(file);
  if (jwk === undefined) return undefined;
  const { d: _, ...open } = jwk;
  return { privateKey: await imported(jwk), ...(await checkpointKey(open)) };
}

/**
 * The public key that a log's checkpoints are checked by: the one that lies in it, or one that was kept elsewhere.
 * @param file JWK or PEM; undefined takes the log's own
 * @returns undefined where the log has none
 * @throws KeyauditError `GUARD_LOG_KEY` (exit 2) for a file that was named and holds none
 */
export async function readPublicKey(folder: string, file?: string): Promise<CheckpointKey | undefined> {
  try {
    const key = await keyIn(file ?? publicFile(folder));
    if (key !== undefined || file === undefined) return key;
  } catch (cause) {
    if (file === undefined) return undefined;
    throw notNamed(file, cause);
  }
  throw notNamed(file);
}

async function keyIn(file: string): Promise<CheckpointKey | undefined> {
  const jwk = await jwkIn(file);
  return jwk === undefined ? undefined : checkpointKey(jwk);
}

async function checkpointKey(jwk: JWK): Promise<CheckpointKey> {
  return { key: await imported(jwk), id: await calculateJwkThumbprint(jwk) };
}

async function imported(jwk: JWK): Promise<CryptoKey> {
  return (await importJWK(jwk, ALGORITHM)) as CryptoKey;
}

/** A key as JWK; undefined where there is no file. */
async function jwkIn(file: string): Promise<JWK | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  if (text.trimStart().startsWith('{')) return JSON.parse(text) as JWK;
  return exportJWK(await importSPKI(text, ALGORITHM, { extractable: true }));
}

function unusable(file: string, why: string, cause?: unknown): KeyauditError {
  return new KeyauditError('GUARD_LOG_KEY', `The key of the guard's log, ${file}, cannot be used: ${why}.`, {
    hint: 'Put it back. Without it nobody can go on signing this log; a new one begins in an empty folder, and its caps with it.',
    exitCode: EXIT.undetermined,
    cause,
  });
}

function notNamed(file: string, cause?: unknown): KeyauditError {
  return new KeyauditError('GUARD_LOG_KEY', `${file} holds no public P-256 key.`, {
    hint: 'Give the key.pub.json of the log as it was kept elsewhere, or the same as PEM.',
    cause,
  });
}
