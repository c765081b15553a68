import { KeyauditError } from '../core/error.ts';
import type { OpenSession } from '../session/session.ts';
import type { JournalEntry } from '../store/notes/journal.ts';
import type { KeyRecord } from '../store/notes/key-records.ts';

/** Where a key lives: the server, the mode, and the connected account that a platform made it for. */
export type Whereabouts = Pick<JournalEntry, 'target' | 'apiBase' | 'mode' | 'account'>;

/** Where this command works. Without a secret key the mode is what the command line says. */
export function whereaboutsOf({ target, globals }: OpenSession, account: string | undefined): Whereabouts {
  const apiBase = globals.apiBase === undefined ? undefined : target.apiBase;
  return { target: target.name, apiBase, mode: modeOf({ target, globals }), account };
}

function modeOf({ target, globals }: Pick<OpenSession, 'target' | 'globals'>): Whereabouts['mode'] {
  try {
    return target.secretKey().countsAsLive ? 'live' : 'test';
  } catch {
    return globals.live ? 'live' : 'test';
  }
}

/** Whether a key's record is of this place; a command that names no connected account takes the record's own. */
export function isHere(record: Whereabouts, here: Whereabouts): boolean {
  return (
    record.target === here.target &&
    record.apiBase === here.apiBase &&
    record.mode === here.mode &&
    (here.account === undefined || record.account === here.account)
  );
}

/** The refusal of a command that is about another place than the key; names both sides. */
export function elsewhere(record: KeyRecord, here: Whereabouts): KeyauditError {
  return new KeyauditError(
    'KEY_ELSEWHERE',
    `The key ${record.id} of ${record.profile} is of ${describePlace(record)}, and this command is about ${describePlace(here)}.`,
    {
      hint: 'Nothing was asked and nothing was changed. Name the place of the key: --target, --api-base, --live, --account, and the secret key of its account and mode.',
    },
  );
}

function describePlace({ target, apiBase, mode, account }: Whereabouts): string {
  const server = apiBase === undefined ? target : `${target} at ${apiBase}`;
  return `${server} in ${mode} mode${account === undefined ? '' : ` for the account ${account}`}`;
}
