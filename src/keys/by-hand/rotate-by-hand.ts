import { EXIT, KeyauditError } from '../../core/error.ts';
import { dashboardKeysUrl } from '../../core/grant/dashboard-link.ts';
import { nextCommand } from '../../core/next-command.ts';
import { checkKeyAge } from '../../core/result/key-age.ts';
import type { Rotation } from '../../report/keys/rotate.ts';
import { wrap } from '../../report/text.ts';
import type { ProfileGrant } from '../../session/profile-grant.ts';
import type { SecretPrompt } from '../../session/prompts/secret-prompt.ts';
import type { OpenSession } from '../../session/session.ts';
import type { JournalWork } from '../../store/notes/journal.ts';
import { fingerprintOf, type KeyRecord } from '../../store/notes/key-records.ts';
import type { SecretStore } from '../../store/secrets/secret-store.ts';
import { judgeNewKey, type OldKey } from '../judge-new-key.ts';
import { publishDashboardKey } from './dashboard-key.ts';
import { pasteKey } from './paste-key.ts';
import { retireByHand } from './retire-by-hand.ts';

/** What is left to a person where nobody sits at a terminal; a key past the policy's age is a finding. */
export async function leftToPerson(
  { profile }: ProfileGrant,
  old: KeyRecord,
  session: OpenSession,
): Promise<Pick<Rotation, 'outcome' | 'message' | 'tooOld'>> {
  const policy = await session.policy();
  const age = policy === undefined ? undefined : checkKeyAge(policy, old, session.now());
  const command = nextCommand(`keyaudit rotate ${profile.name}`, session.globals.place);
  return {
    outcome: 'by-hand',
    tooOld: age?.weight === 'fails',
    message: `${age === undefined ? '' : `${age.message} `}${old.id} was made in the Dashboard, so a person must replace it there. Run "${command}" on a terminal: it shows the link, takes the new key, and watches the old one end.`,
  };
}

export interface RotateByHandOptions {
  readonly store: SecretStore;
  /** The work of which this is the whole. */
  readonly work: JournalWork;
  /** Waits while the old key is to go on working; false when that was interrupted. */
  readonly grace: () => Promise<boolean>;
  /** Longest watch for the end of the old key, in ms. */
  readonly watchMs: number;
}

/**
 * The rotation of a key that no program can make or end: a person makes the new one by a link and pastes it; it is
 * verified against its profile and the old key, and only then published; then the old one is deleted by hand, and
 * watched until it is dead.
 */
export async function rotateByHand(
  one: ProfileGrant,
  old: OldKey,
  options: RotateByHandOptions,
  session: OpenSession,
): Promise<
  Pick<Rotation<KeyRecord>, 'outcome' | 'verification' | 'broader' | 'message'> & Partial<Rotation<KeyRecord>>
> {
  const prompt = await session.stdin.openSecretPrompt();
  try {
    return await rotateWith(prompt, one, old, options, session);
  } finally {
    prompt.close();
  }
}

async function rotateWith(
  prompt: SecretPrompt,
  one: ProfileGrant,
  old: OldKey,
  { store, work, grace, watchMs }: RotateByHandOptions,
  session: OpenSession,
): ReturnType<typeof rotateByHand> {
  const { profile } = one;
  const { record: before } = old;
  const name = `${profile.name} ${session.now().toISOString().slice(0, 16).replace('T', ' ')}`;
  const { key, judged } = await pasteAndJudge(prompt, name, one, old, session).catch((error: unknown) => {
    throw error instanceof KeyauditError ? nothingChanged(error, name, before) : error;
  });
  if (judged.message !== '') {
    const undo = `Correct its rows in the Dashboard and run this again, or delete "${name}" there: ${dashboardKeysUrl(before.mode)}`;
    return { ...judged, outcome: 'refused', undo };
  }
  const { record } = await publishDashboardKey(one, { key, name, work }, store, session);
  await work.end();
  const done = `The new key is as the profile says; it is stored now: ${record.variable} in ${record.place}.`;
  session.stderr.write(wrap(done, session.stderr, { indent: '  ' }));
  const isOld = old.found !== undefined && fingerprintOf(old.found.key) === before.fingerprint;
  const retirement = (await grace())
    ? await retireByHand(
        before,
        { secret: isOld ? old.found?.key : undefined, wait: true, timeoutMs: watchMs },
        session,
      )
    : {
        id: before.id,
        alreadyGone: false,
        byHand: { name: before.name, url: dashboardKeysUrl(before.mode) },
        unwatched: 'interrupted' as const,
      };
  return { ...judged, outcome: 'rotated', record, retirement };
}

async function pasteAndJudge(
  prompt: SecretPrompt,
  name: string,
  one: ProfileGrant,
  old: OldKey,
  session: OpenSession,
) {
  const { key, result } = await pasteKey(one, { name, old: old.record }, prompt, session);
  return { key, judged: await judgeNewKey(result, old, one, session) };
}

function nothingChanged({ code, message, hint = '', exitCode }: KeyauditError, name: string, old: KeyRecord) {
  const rest = `Nothing was stored; ${old.id} works on. A key "${name}" that you made all the same is to be deleted: ${dashboardKeysUrl(old.mode)}`;
  return new KeyauditError(code, message, {
    hint: `${hint.replace(/ ?Nothing was stored\.$/, '')} ${rest}`.trim(),
    exitCode: code === 'INTERRUPTED' ? EXIT.undetermined : exitCode,
  });
}
