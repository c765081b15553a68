import { isRisky, type Unseen } from '../../../core/verdict/unseen.ts';
import { counted } from '../../text.ts';

/** At most so many names stand in the verdict's line; the sentences beside it have them all. */
const MOST_NAMES = 6;

/** `not seen: 12 permissions, 2 of them risky (api_key_write, …)`; undefined where all was seen. */
export function unseenInShort(unseen: readonly Unseen[]): string | undefined {
  const counting = unseen.filter(({ reason }) => reason !== 'covered');
  if (counting.length === 0) return undefined;
  const risky = counting.filter(isRisky);
  const names = risky.length === 0 ? '' : `, ${risky.length} of them risky (${namesOf(risky)})`;
  return `not seen: ${counted(counting.length, 'permission')}${names}`;
}

function namesOf(unseen: readonly Unseen[]): string {
  const names = unseen.map(({ permission, connect }) =>
    connect ? `${permission} on the Connect side` : permission,
  );
  const rest = names.length - MOST_NAMES;
  return rest > 0 ? `${names.slice(0, MOST_NAMES).join(', ')} and ${rest} more` : names.join(', ');
}
