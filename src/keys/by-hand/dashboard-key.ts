import { EXIT, KeyauditError } from '../../core/error.ts';
import { resultIsOk, type VerifyResult } from '../../core/result/verify-report.ts';
import type { SecretKey } from '../../core/secret-key.ts';
import { verdictLine } from '../../report/verify/words/verdict-line.ts';
import type { ProfileGrant } from '../../session/profile-grant.ts';
import type { OpenSession } from '../../session/session.ts';
import { profileDigest } from '../../store/files/profile-digest.ts';
import type { JournalWork } from '../../store/notes/journal.ts';
import { fingerprintOf, type KeyRecord } from '../../store/notes/key-records.ts';
import type { SecretStore } from '../../store/secrets/secret-store.ts';
import { beginInTurn } from '../begin-in-turn.ts';
import { publishKey } from '../make-key.ts';
import { whereaboutsOf } from '../whereabouts.ts';
import { pasteKey } from './paste-key.ts';

export interface DashboardOptions {
  /** Opens the link in a browser. */
  readonly open?: boolean;
}

/**
 * The way that works for everyone: a person makes the key by a link and pastes it; it is verified, and only then
 * stored.
 * @throws KeyauditError `KEY_NOT_AS_PROFILE` (exit 1 or 3), and what {@link pasteKey} does
 */
export async function takeDashboardKey(
  one: ProfileGrant,
  { open }: DashboardOptions,
  store: SecretStore,
  session: OpenSession,
): Promise<{ readonly record: KeyRecord; readonly superseded: readonly KeyRecord[] }> {
  const { name } = one.profile;
  const place = whereaboutsOf(session, undefined);
  const work = await beginInTurn({ ...place, command: 'provision', profile: name, step: 'begun' }, session);
  const prompt = await session.stdin.openSecretPrompt();
  try {
    const { key, result } = await pasteKey(one, { name, open }, prompt, session);
    if (!resultIsOk(result)) throw notAsProfile(result);
    const published = await publishDashboardKey(one, { key, name, work }, store, session);
    await work.end();
    return published;
  } finally {
    prompt.close();
    await work.leave();
  }
}

/** A key of the Dashboard that was verified and is to be stored. */
export interface VerifiedDashboardKey {
  readonly key: SecretKey;
  /** What it is called there. */
  readonly name: string;
  /** The work of which storing it is a step. */
  readonly work: JournalWork;
}

/** Stores a key that a person made, and remembers it; there is nothing that a program could end at Stripe. */
export async function publishDashboardKey(
  { profile, grant }: ProfileGrant,
  { key, name, work }: VerifiedDashboardKey,
  store: SecretStore,
  session: OpenSession,
): Promise<{ readonly record: KeyRecord; readonly superseded: readonly KeyRecord[] }> {
  const now = session.now();
  const here = whereaboutsOf(session, undefined);
  const fingerprint = fingerprintOf(key);
  const record: KeyRecord = {
    id: `dashboard:${fingerprint.slice('sha256:'.length, 'sha256:'.length + 12)}`,
    name,
    profile: profile.name,
    profileDigest: profileDigest(profile),
    permissions: [...grant.permissions],
    connectPermissions: [...grant.connectPermissions],
    keyApi: 'dashboard',
    ...here,
    mode: session.globals.live ? 'live' : 'test',
    fingerprint,
    variable: profile.env,
    place: '',
    status: 'active',
    createdAt: now.toISOString(),
    verifiedAt: now.toISOString(),
  };
  const made = {
    id: record.id,
    secret: key,
    mode: record.mode,
    permissions: record.permissions,
    createdAt: now,
  };
  return publishKey({ key: made, record, work, undo: work.end }, store, session);
}

function notAsProfile(result: VerifyResult): KeyauditError {
  const { overGrants, underGrants } = result.summary;
  return new KeyauditError('KEY_NOT_AS_PROFILE', `The key was not stored: ${verdictLine(result)}.`, {
    problems: result.findings.filter(({ kind }) => kind !== 'accepted').map(({ message }) => ({ message })),
    hint:
      result.stopped?.message ??
      'Correct its permissions in the Dashboard, or delete it there, and try again.',
    exitCode: overGrants + underGrants > 0 ? EXIT.findings : EXIT.undetermined,
  });
}
