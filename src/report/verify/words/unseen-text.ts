import { RISK_TIERS } from '../../../core/catalog/risk.ts';
import { isRisky, UNSEEN_TEXT, type Unseen } from '../../../core/verdict/unseen.ts';
import { counted } from '../../text.ts';

/** At most so many names stand in one sentence. */
const MOST_NAMES = 6;

/** `not seen: 12 permissions, 2 of them risky (api_key_write, …)`; undefined where all was seen. */
export function unseenInShort(unseen: readonly Unseen[]): string | undefined {
  const counting = unseen.filter(({ reason }) => reason !== 'covered');
  if (counting.length === 0) return undefined;
  const risky = counting.filter(isRisky);
  const names = risky.length === 0 ? '' : `, ${risky.length} of them risky (${namesOf(risky)})`;
  return `not seen: ${counted(counting.length, 'permission')}${names}`;
}

/** A sentence for each tier and reason, the gravest first; what others cover comes last and together. */
export function unseenSentences(unseen: readonly Unseen[]): readonly string[] {
  const sentences: string[] = [];
  for (const tier of RISK_TIERS) {
    for (const reason of Object.keys(UNSEEN_TEXT) as (keyof typeof UNSEEN_TEXT)[]) {
      if (reason === 'covered') continue;
      const here = unseen.filter((one) => one.tier === tier && one.reason === reason);
      if (here.length > 0)
        sentences.push(`Not seen (${tier}), since ${UNSEEN_TEXT[reason]}: ${namesOf(here)}.`);
    }
  }
  const covered = unseen.filter(({ reason }) => reason === 'covered');
  if (covered.length > 0)
    sentences.push(`Not seen, since ${UNSEEN_TEXT.covered}: ${counted(covered.length, 'permission')}.`);
  return sentences;
}

function namesOf(unseen: readonly Unseen[]): string {
  const names = unseen.map(({ permission, connect }) =>
    connect ? `${permission} on the Connect side` : permission,
  );
  const rest = names.length - MOST_NAMES;
  return rest > 0 ? `${names.slice(0, MOST_NAMES).join(', ')} and ${rest} more` : names.join(', ');
}
