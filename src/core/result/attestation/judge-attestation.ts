import type { ErrorCode } from '../../error-code.ts';
import type { AttestedResult, Statement } from './statement.ts';

/** What is known here and now, to hold a statement against. */
export interface AtHand {
  /** ISO 8601, in UTC. */
  readonly now: string;
  readonly maxAgeMs: number;
  /** `90d`, as it was said. */
  readonly maxAge: string;
  /** The digest of each profile that is found here. */
  readonly profiles: ReadonlyMap<string, string>;
  /** The fingerprint of each profile's key, where one is at hand. */
  readonly fingerprints: ReadonlyMap<string, string>;
  /** The digest of each file that is found here. */
  readonly files: ReadonlyMap<string, string>;
}

/** Why a statement does not hold for what is at hand. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
}

/** What was compared, and what could not be, since it is not here. */
export interface AttestationJudgement {
  readonly refusals: readonly Refusal[];
  readonly compared: readonly string[];
  readonly notCompared: readonly string[];
}

/** A statement whose signature holds, against its age, the keys, the profiles and the files at hand. */
export function judgeAttestation({ predicate }: Statement, atHand: AtHand): AttestationJudgement {
  const compared: string[] = [];
  const notCompared: string[] = [];
  const refusals: Refusal[] = [...tooOld(predicate, atHand)];
  const compare = (what: string, is: string | undefined, said: string, code: ErrorCode, message: string) => {
    if (is === undefined) notCompared.push(what);
    else {
      compared.push(what);
      if (is !== said) refusals.push({ code, message });
    }
  };
  for (const result of predicate.results) {
    const { profile, key, profileDigest } = result;
    compare(
      `profile ${profile}`,
      atHand.profiles.get(profile),
      profileDigest,
      'ATTESTATION_OTHER_PROFILE',
      `The profile ${profile} is another one today: ${atHand.profiles.get(profile)}, attested ${profileDigest}.`,
    );
    compare(
      `key of ${profile}`,
      atHand.fingerprints.get(profile),
      key?.fingerprint ?? '',
      'ATTESTATION_OTHER_KEY',
      `The attestation is for another key of ${profile}: attested ${key?.fingerprint ?? 'none'}, here ${atHand.fingerprints.get(profile)}.`,
    );
    refusals.push(...notAsItsProfile(result), ...keyExpired(result, atHand));
  }
  for (const named of [predicate.policy, predicate.lock]) {
    if (named === null) continue;
    compare(
      named.file,
      atHand.files.get(named.file),
      named.digest,
      'ATTESTATION_OTHER_FILE',
      `${named.file} is another one today: ${atHand.files.get(named.file)}, attested ${named.digest}.`,
    );
  }
  return { refusals, compared, notCompared };
}

function tooOld({ finishedAt }: Statement['predicate'], { now, maxAgeMs, maxAge }: AtHand): Refusal[] {
  const ageMs = Date.parse(now) - Date.parse(finishedAt);
  if (ageMs > maxAgeMs)
    return [
      {
        code: 'ATTESTATION_EXPIRED',
        message: `The attestation is of ${finishedAt.slice(0, 10)}, older than ${maxAge}.`,
      },
    ];
  // A minute between two clocks is nothing; a statement from tomorrow is none.
  return ageMs < -60_000
    ? [{ code: 'ATTESTATION_EXPIRED', message: `The attestation is of ${finishedAt}, which is yet to come.` }]
    : [];
}

function notAsItsProfile({ profile, verdict }: AttestedResult): Refusal[] {
  if (verdict === 'as-profile') return [];
  return [
    {
      code: 'ATTESTATION_NOT_OK',
      message:
        verdict === 'findings'
          ? `The attestation itself says that the key of ${profile} is not as its profile says.`
          : `The attestation itself says that nothing could be determined of the key of ${profile}.`,
    },
  ];
}

function keyExpired({ profile, key }: AttestedResult, { now }: AtHand): Refusal[] {
  if (!key?.expiresAt || Date.parse(key.expiresAt) > Date.parse(now)) return [];
  return [
    {
      code: 'ATTESTATION_EXPIRED',
      message: `The attested key of ${profile} has ended by itself at ${key.expiresAt}.`,
    },
  ];
}
