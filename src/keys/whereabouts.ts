import { KeyauditError } from '../core/error.ts';
import { shellWord } from '../core/shell-word.ts';
import type { OpenSession } from '../session/session.ts';
import type { JournalEntry } from '../store/notes/journal.ts';
import type { KeyRecord } from '../store/notes/key-records.ts';

/**
 * Where a key lives: the server, the mode, the account of the secret key, and the connected account that a platform
 * made it for.
 */
export type Whereabouts = Pick<JournalEntry, 'target' | 'apiBase' | 'mode' | 'ownAccount' | 'account'>;

/**
 * Where this command works, as far as its command line and environment say. Without a secret key the mode is what
 * the command line says. Nothing is asked, so its own account is left open.
 */
export function whereaboutsOf(
  { target, globals }: Pick<OpenSession, 'target' | 'globals'>,
  account: string | undefined,
): Whereabouts {
  const apiBase = globals.apiBase === undefined ? undefined : target.apiBase;
  return { target: target.name, apiBase, mode: modeOf({ target, globals }), account };
}

/** The same with the account of the secret key, which is asked. @throws KeyauditError without a secret key */
export async function askedWhereabouts(
  session: OpenSession,
  account: string | undefined,
): Promise<Whereabouts> {
  return { ...whereaboutsOf(session, account), ownAccount: await session.ownAccount() };
}

function modeOf({ target, globals }: Pick<OpenSession, 'target' | 'globals'>): Whereabouts['mode'] {
  try {
    return target.secretKey().countsAsLive ? 'live' : 'test';
  } catch {
    return globals.live ? 'live' : 'test';
  }
}

/** Whether a key's record is of this place; a command that names no connected account takes the record's own. */
function isHere(record: Whereabouts, here: Whereabouts): boolean {
  return isSameServer(record, here) && (here.account === undefined || record.account === here.account);
}

/** Whether both are one place. An account that was not said is no other one: then the key API is asked. */
export function isSamePlace(one: Whereabouts, other: Whereabouts): boolean {
  return isSameServer(one, other) && one.account === other.account;
}

function isSameServer(one: Whereabouts, other: Whereabouts): boolean {
  return (
    one.target === other.target &&
    one.apiBase === other.apiBase &&
    one.mode === other.mode &&
    (one.ownAccount === undefined || other.ownAccount === undefined || one.ownAccount === other.ownAccount)
  );
}

/** The options that name a place on a command line. */
export function placeWordsOf({ target, apiBase, mode, account }: Whereabouts): readonly string[] {
  return [
    `--target ${target}`,
    ...(apiBase === undefined ? [] : [`--api-base ${shellWord(apiBase)}`]),
    ...(mode === 'live' ? ['--live'] : []),
    ...(account === undefined ? [] : [`--account ${account}`]),
  ];
}

/** Those of some keys that are of this command's place; its account is asked only where that can tell. */
export async function keysHere(
  records: readonly KeyRecord[],
  account: string | undefined,
  session: OpenSession,
): Promise<readonly KeyRecord[]> {
  const here = whereaboutsOf(session, account);
  const near = records.filter((record) => isHere(record, here));
  if (near.every(({ ownAccount }) => ownAccount === undefined)) return near;
  const asked = await askedWhereabouts(session, account);
  return near.filter((record) => isHere(record, asked));
}

/**
 * Refuses a command that is about another place than the key: first by what the command says, then by the account of
 * its secret key.
 * @throws KeyauditError `KEY_ELSEWHERE`
 */
export async function requireHere(
  record: KeyRecord,
  account: string | undefined,
  session: OpenSession,
): Promise<void> {
  const here = whereaboutsOf(session, account);
  if (!isHere(record, here)) throw elsewhere(record, here);
  if (record.ownAccount === undefined) return;
  const asked = await askedWhereabouts(session, account);
  if (!isHere(record, asked)) throw elsewhere(record, asked);
}

/** The refusal of a command that is about another place than the key; names both sides. */
function elsewhere(record: KeyRecord, here: Whereabouts): KeyauditError {
  return new KeyauditError(
    'KEY_ELSEWHERE',
    `The key ${record.id} of ${record.profile} is of ${describePlace(record)}, and this command is about ${describePlace(here)}.`,
    {
      hint: 'Nothing was changed. Name the place of the key: --target, --api-base, --live, --account, and the secret key of its account and mode.',
    },
  );
}

/** `stripe in test mode, account acct_1A, for the connected account acct_1B` */
export function describePlace({ target, apiBase, mode, ownAccount, account }: Whereabouts): string {
  const server = apiBase === undefined ? target : `${target} at ${apiBase}`;
  const own = ownAccount === undefined ? '' : `, account ${ownAccount}`;
  const connected = account === undefined ? '' : `, for the connected account ${account}`;
  return `${server} in ${mode} mode${own}${connected}`;
}
/** The connected account that a platform acts for: what this command names, else what the key's record does. */
export function accountFor(
  options: { readonly account?: string | undefined },
  record?: { readonly account?: string | undefined },
): { readonly account: string | undefined } {
  return { account: options.account ?? record?.account };
}
