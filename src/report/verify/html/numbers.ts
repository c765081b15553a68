import { type RiskTier, riskOf } from '../../../core/catalog/risk.ts';
import { hasWitness, notDetermined } from '../../../core/result/not-determined.ts';
import { unseenOf } from '../../../core/result/unseen-count.ts';
import type { VerifyReport, VerifyResult } from '../../../core/result/verify-report.ts';

/** What one question about all keys of a report comes to. */
export interface Answer {
  readonly id: string;
  readonly question: string;
  /** `yes` where any key does, `unknown` where none is known to and not all are known, else `no`. */
  readonly answer: 'yes' | 'no' | 'unknown';
  /** Whether that goes beyond what the profiles say. */
  readonly isBeyond: boolean;
  readonly profiles: readonly string[];
  readonly unknown: number;
}

/** The row of numbers: what somebody asks who has ten seconds. */
export function answersOf(report: Pick<VerifyReport, 'results'>): readonly Answer[] {
  return [
    answerFor('money-out', 'Can any agent move money out?', report),
    answerFor('personal-data', 'Does any key show personal data?', report),
    answerFor('self-widening', 'Can any key widen itself?', report),
    unseenAnswer(report),
  ];
}

function answerFor(tier: RiskTier, question: string, { results }: Pick<VerifyReport, 'results'>): Answer {
  const holding = results.filter((result) => heldTiers(result).has(tier));
  // What nobody could see is no answer either.
  const unknown = results.filter(
    (result) =>
      !holding.includes(result) &&
      (notDetermined(result) !== undefined ||
        result.unseen.some((unseen) => unseen.tier === tier && unseen.reason !== 'covered')),
  ).length;
  const isBeyond = results.some(({ permissionFindings }) =>
    permissionFindings.some((finding) => finding.kind === 'over-grant' && finding.tier === tier),
  );
  return {
    id: tier,
    question,
    answer: holding.length > 0 ? 'yes' : unknown > 0 ? 'unknown' : 'no',
    isBeyond,
    profiles: holding.map(({ profile }) => profile),
    unknown,
  };
}

/** The tiers of what the key holds: its grant without what it was found to lack, and with what it was found to have. */
function heldTiers(result: VerifyResult): ReadonlySet<RiskTier> {
  if (result.key === null || !hasWitness(result)) return new Set();
  const missingOn = (side: boolean) =>
    new Set(
      result.permissionFindings.flatMap(({ cause, permission, connect }) =>
        cause === 'missing' && connect === side ? [permission] : [],
      ),
    );
  const own = missingOn(false);
  const onConnect = missingOn(true);
  // Of a key that was not asked to the end, its grant is no answer: what was seen is.
  const held =
    notDetermined(result) === undefined
      ? [
          ...result.permissions.filter((name) => !own.has(name)),
          ...result.connectPermissions.filter((name) => !onConnect.has(name)),
        ].map((name) => riskOf(name).tier)
      : [];
  const more = result.permissionFindings
    .filter(({ kind }) => kind === 'over-grant' || kind === 'accepted')
    .map(({ tier }) => tier);
  return new Set([...held, ...more]);
}

function unseenAnswer({ results }: Pick<VerifyReport, 'results'>): Answer {
  const seeing = results.filter((result) => notDetermined(result) === undefined && unseenOf(result) > 0);
  const unknown = results.filter((result) => notDetermined(result) !== undefined).length;
  return {
    id: 'unseen',
    question: 'Is anything unseen?',
    answer: seeing.length > 0 ? 'yes' : unknown > 0 ? 'unknown' : 'no',
    isBeyond: false,
    profiles: seeing.map((result) => `${result.profile} (${unseenOf(result)})`),
    unknown,
  };
}
