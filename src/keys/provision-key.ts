import { KeyauditError } from '../core/error.ts';
import type { KeyApiChoice } from '../core/key-api.ts';
import { wrap } from '../report/text.ts';
import type { ProfileGrant } from '../session/profile-grant.ts';
import { startSpinner } from '../session/progress.ts';
import type { OpenSession, Session } from '../session/session.ts';
import type { JournalWork } from '../store/notes/journal.ts';
import type { KeyRecord } from '../store/notes/key-records.ts';
import { openStore } from '../store/secrets/open-store.ts';
import type { SecretStore } from '../store/secrets/secret-store.ts';
import { beginInTurn } from './begin-in-turn.ts';
import { takeDashboardKey } from './by-hand/dashboard-key.ts';
import { createKey, publishKey } from './make-key.ts';
import { openKeyApi } from './open-key-api.ts';
import { requireFree } from './require-free.ts';
import { askedWhereabouts } from './whereabouts.ts';

export interface ProvisionKeyOptions {
  readonly account?: string;
  /** How long the key lives, in ms. */
  readonly ttlMs?: number;
  /** Opens the Dashboard link in a browser. */
  readonly open?: boolean;
  /** Make it although one works, and in the place of another. */
  readonly again?: boolean;
  /** Which of how many it is, such as `2 of 5`. */
  readonly turn?: string;
}

/** A key that was made and stored. */
export interface Provisioned {
  readonly record: KeyRecord;
  /** Older keys of the same profile that still work. */
  readonly superseded: readonly KeyRecord[];
}

/** Makes the key of a profile and stores its secret; by hand where no key API is open to this account. */
export async function provisionKey(
  one: ProfileGrant,
  kind: KeyApiChoice,
  options: ProvisionKeyOptions,
  store: SecretStore,
  session: OpenSession,
): Promise<Provisioned> {
  await requireFree([one], options, store, session);
  const byHand = () => takeDashboardKey(one, options, store, session);
  if (kind === 'dashboard') return byHand();
  const { account, ttlMs } = options;
  const expiresAt = ttlMs === undefined ? undefined : new Date(session.now().getTime() + ttlMs);
  try {
    const api = openKeyApi(kind === 'restricted_keys' ? kind : 'managed', options, session);
    const work = await beginProvision(one, options, store, session);
    try {
      const turn = options.turn === undefined ? '' : ` (${options.turn})`;
      const spinner = await startSpinner(session, `Making the key of ${one.profile.name}${turn}`);
      const creating = { command: 'provision', expiresAt, account, work } as const;
      const pending = await createKey(one, creating, api, session).finally(spinner.stop);
      if (session.signal.aborted) {
        await pending.undo();
        throw session.signal.reason;
      }
      const published = await publishKey(pending, store, session);
      await warnOfDisplaced(published.record, session);
      await work.end();
      return published;
    } finally {
      await work.leave();
    }
  } catch (error) {
    if (kind !== 'auto' || !meansByHand(error)) throw error;
    session.stderr.write(wrap(`By the Dashboard, since: ${(error as Error).message}`, session.stderr));
    return byHand();
  }
}

/** Begins in turn; while another process was at work there may have come another key. */
async function beginProvision(
  one: ProfileGrant,
  options: ProvisionKeyOptions,
  store: SecretStore,
  session: OpenSession,
): Promise<JournalWork> {
  const place = await askedWhereabouts(session, options.account);
  const entry = { ...place, command: 'provision', profile: one.profile.name, step: 'begun' } as const;
  const work = await beginInTurn(entry, session);
  try {
    session.records.forget();
    await requireFree([one], options, store, session);
    return work;
  } catch (error) {
    await work.leave();
    throw error;
  }
}

/** The store of `--store`; see {@link openStore}. */
export function storeFor(
  {
    store,
    reveal,
    readBack,
  }: {
    readonly store?: string;
    readonly reveal?: boolean;
    readonly readBack?: string;
  },
  session: Pick<Session, 'cwd' | 'env' | 'writeUnredacted' | 'stderr'>,
): SecretStore {
  return openStore(store ?? session.env.KEYAUDIT_STORE, {
    cwd: session.cwd,
    env: session.env,
    readBack,
    reveal: reveal === true ? session.writeUnredacted : undefined,
    log: session.stderr.write,
  });
}

/** Refusals that mean "not for you", and not "you did it wrong". */
function meansByHand(error: unknown): boolean {
  return error instanceof KeyauditError && error.code === 'KEY_API_UNAVAILABLE';
}

/** A key of another target or mode, whose secret stood in the same variable of the same store. */
async function warnOfDisplaced(record: KeyRecord, { records, stderr }: Session): Promise<void> {
  const displaced = (await records.all()).filter(
    (old) =>
      old.status === 'active' &&
      old.id !== record.id &&
      old.variable === record.variable &&
      old.place === record.place &&
      (old.target !== record.target || old.mode !== record.mode),
  );
  for (const old of displaced) {
    const text = `warning: ${record.variable} in ${record.place} held the ${old.mode} key ${old.id} of the target ${old.target}. That key still works, but its secret is stored no more. --store env-file:PATH keeps them apart.`;
    stderr.write(wrap(text, stderr, { indent: '  ' }));
  }
}
