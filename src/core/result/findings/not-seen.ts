import { RISK_TIERS, type RiskTier } from '../../catalog/risk.ts';
import { type Unseen, unseenSentences } from '../../verdict/unseen.ts';
import { missedSights, type VerifyResult } from '../verify-report.ts';
import type { Explained } from './permission-finding.ts';

/** What a run could not see, and where its witnesses contradict each other: findings of their own, never passed over. */
export function notSeen(result: VerifyResult): readonly Explained[] {
  return [...contradictions(result), ...unseen(result)];
}

function contradictions({ contradictions: found = [], file }: VerifyResult): readonly Explained[] {
  return found.map(({ operation, connect, permissions, message }) => ({
    ...NOTHING,
    kind: 'contradiction',
    weight: 'unknown',
    permission: permissions[0] ?? null,
    connect,
    message,
    operations: [operation],
    location: { file, line: 1, column: 1 },
  }));
}

/** One for all that counts: what must be seen is not known, the rest is a note. */
function unseen(result: VerifyResult): readonly Explained[] {
  // What others cover adds nothing that anybody knows of; it is named, and is no finding alone.
  const counting = result.unseen.filter(({ reason }) => reason !== 'covered');
  if (counting.length === 0) return [];
  const missed = missedSights(result);
  return [
    {
      ...NOTHING,
      kind: 'unseen',
      weight: missed.length > 0 ? 'unknown' : 'note',
      tier: gravest(counting),
      message: [
        `This run could not see whether the key holds ${counting.length === 1 ? 'this permission' : `${counting.length} permissions`}.`,
        ...(missed.length === 0 || missed.length === counting.length
          ? []
          : [`${missed.length} of them must be seen: ${missed.map(nameOf).join(', ')}.`]),
        ...unseenSentences(result.unseen),
      ].join(' '),
      location: { file: result.file, line: 1, column: 1 },
    },
  ];
}

function nameOf({ permission, connect }: Unseen): string {
  return connect ? `${permission} on the Connect side` : permission;
}

function gravest(some: readonly Unseen[]): RiskTier {
  return RISK_TIERS.find((tier) => some.some((one) => one.tier === tier)) ?? 'other';
}

const NOTHING = {
  permission: null,
  connect: false,
  tier: 'other',
  cause: 'not-seen',
  operations: [],
  evidence: null,
  notes: [],
  drift: [],
} as const;
