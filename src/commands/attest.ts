import { resolve } from 'node:path';
import { parseDuration } from '../core/duration.ts';
import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import { judgeAttestation } from '../core/result/attestation/judge-attestation.ts';
import { PAYLOAD_TYPE, readStatement, type Statement } from '../core/result/attestation/statement.ts';
import { attestationJson, renderAttestationTable } from '../report/attestation.ts';
import type { CommandContext } from '../session/context.ts';
import { printResult, requireFormat } from '../session/result-output.ts';
import { openSession, type Session } from '../session/session.ts';
import { readVerifyingKey } from '../store/attest/attest-key.ts';
import { openEnvelope, readEnvelope } from '../store/attest/dsse.ts';
import { digestOf } from '../store/files/digest.ts';
import { wholeProfileDigest } from '../store/files/profile-digest.ts';
import { readTextFile } from '../store/files/read-text-file.ts';
import { findKey } from '../store/find-key.ts';
import { fingerprintOf } from '../store/notes/key-records.ts';

export interface VerifyAttestationOptions {
  readonly file: string;
  /** The public key of who signed: a file, or `exec:COMMAND`. */
  readonly key: string;
  /** Older statements are refused, such as `90d`. */
  readonly maxAge: string;
  /** The variable that holds the key; then the statement must be of this key. */
  readonly keyEnv?: string;
  /** What the key's fingerprint must be. */
  readonly fingerprint?: string;
}

/** `keyaudit attest verify FILE`: checks signature, age and digests of what `verify --attest` wrote. */
export async function verifyAttestation(
  options: VerifyAttestationOptions,
  context: CommandContext,
): Promise<ExitCode> {
  requireFormat(context.globals.format, ['table', 'json']);
  const session = await openSession(context);
  const { file, maxAge } = options;
  const key = await readVerifyingKey(options.key, session.cwd);
  const statement = await openStatement(file, key, session);
  const atHand = {
    now: session.now().toISOString(),
    maxAge,
    maxAgeMs: parseDuration(maxAge),
    profiles: await profileDigests(statement, session),
    fingerprints: await fingerprints(statement, options, session),
    files: await fileDigests(statement, session),
  };
  const judgement = judgeAttestation(statement, atHand);
  const report = { file, keyId: key.keyId, statement, ...judgement };
  await printResult(session, {
    json: attestationJson(report),
    table: (output) => renderAttestationTable(report, output),
  });
  return judgement.refusals.length === 0 ? EXIT.ok : EXIT.findings;
}

/** @throws KeyauditError `ATTESTATION_UNREADABLE` (2), `ATTESTATION_TAMPERED` (1) */
async function openStatement(
  file: string,
  key: Awaited<ReturnType<typeof readVerifyingKey>>,
  { cwd }: Pick<Session, 'cwd'>,
): Promise<Statement> {
  const text = await readTextFile(resolve(cwd, file)).catch((cause: NodeJS.ErrnoException) => {
    throw new KeyauditError('ATTESTATION_UNREADABLE', `${file} cannot be read (${cause.code}).`, { cause });
  });
  const envelope = readEnvelope(text);
  if (envelope === undefined) {
    throw new KeyauditError('ATTESTATION_UNREADABLE', `${file} is no DSSE envelope.`, {
      hint: '"keyaudit verify PROFILE --attest FILE" writes one.',
    });
  }
  const payload = openEnvelope(envelope, PAYLOAD_TYPE, key);
  if (payload === undefined) {
    throw new KeyauditError(
      'ATTESTATION_TAMPERED',
      `The signature of ${file} does not hold: it was changed, or somebody else signed it.`,
      {
        hint: `Believe nothing that it says. The key given is ${key.keyId}; signed by ${envelope.signatures.map(({ keyid }) => keyid ?? 'nobody named').join(', ')}.`,
        exitCode: EXIT.findings,
      },
    );
  }
  const statement = readStatement(payload);
  if (typeof statement !== 'string') return statement;
  throw new KeyauditError(
    'ATTESTATION_UNREADABLE',
    `${file} is signed, but no statement of keyaudit: ${statement}.`,
  );
}

async function profileDigests(
  { predicate }: Statement,
  { library }: Pick<Session, 'library'>,
): Promise<ReadonlyMap<string, string>> {
  const digests = new Map<string, string>();
  for (const { profile, file } of predicate.results) {
    for (const named of [profile, /[\\/]/.test(file) ? file : `./${file}`]) {
      if (digests.has(profile)) break;
      const found = await library.profile(named).catch((error: unknown) => {
        if (error instanceof KeyauditError && error.code === 'PROFILE_UNKNOWN') return undefined;
        throw error;
      });
      if (found?.name === profile) digests.set(profile, wholeProfileDigest(found));
    }
  }
  return digests;
}

/** The fingerprint of each key at hand: what was named, else what lies where the profile's key does. */
async function fingerprints(
  { predicate }: Statement,
  { keyEnv, fingerprint }: VerifyAttestationOptions,
  { env, cwd, records, library }: Session,
): Promise<ReadonlyMap<string, string>> {
  const isNamed = keyEnv !== undefined || fingerprint !== undefined;
  if (isNamed && predicate.results.length > 1) {
    throw new KeyauditError('USAGE', 'One key is named, but the attestation is about several.');
  }
  const known = new Map<string, string>();
  for (const { profile } of predicate.results) {
    if (fingerprint !== undefined) {
      known.set(profile, fingerprint);
      continue;
    }
    const own = await library.profile(profile).catch(() => undefined);
    const found = await findKey({
      profile,
      variable: own?.env ?? '',
      keyEnv,
      env,
      cwd,
      // Nothing is sent: a live key may be looked at.
      live: true,
      records,
    }).catch((error: unknown) => {
      if (keyEnv === undefined && error instanceof KeyauditError) return undefined;
      throw error;
    });
    if (found !== undefined) known.set(profile, fingerprintOf(found.key));
  }
  return known;
}

async function fileDigests(
  { predicate }: Statement,
  { cwd }: Pick<Session, 'cwd'>,
): Promise<ReadonlyMap<string, string>> {
  const digests = new Map<string, string>();
  for (const named of [predicate.policy, predicate.lock]) {
    if (named === null) continue;
    const text = await readTextFile(resolve(cwd, named.file)).catch(() => undefined);
    if (text !== undefined) digests.set(named.file, digestOf(text));
  }
  return digests;
}
