import { type BeyondSdk, isBeyondSdk } from '../catalog/beyond-sdk.ts';
import type { Catalog, Operation, OperationName, PermissionName } from '../catalog/catalog.ts';
import { RISK_TIERS, type RiskTier, riskOf } from '../catalog/risk.ts';
import { type Grant, sideOf } from '../grant/grant.ts';
import type { ProbePlan } from '../probe/probe-plan.ts';
import { tellingOperations } from '../probe/telling-operations.ts';
import type { UnansweredReason } from '../probe/unanswered.ts';
import type { ConnectState } from './connect-state.ts';
import type { ProbeResult } from './finding.ts';
import { holds, type Verdict } from './verdict.ts';

/**
 * Why a run could not show whether a key holds a permission. `no-call`: no public call needs it. `covered`: all that it
 * allows, so far as is known, the key may do without it. `not-open`: the calls that need it are in preview or gone, and
 * not open to this account. `about-account`: the answers were about the account, its products or its mode. `not-asked`:
 * not at this depth. `no-account`: no connected account was named (`--account`). `no-platform`: the account is no
 * Connect platform. `unanswered`: no answer that tells.
 */
export type UnseenReason =
  | UnansweredReason
  | 'no-call'
  | 'covered'
  | 'not-open'
  | 'about-account'
  | 'not-asked'
  | 'no-account'
  | 'no-platform'
  | 'unanswered';

/** A permission whose presence a run could not show. */
export interface Unseen {
  readonly permission: PermissionName;
  readonly connect: boolean;
  readonly tier: RiskTier;
  readonly reason: UnseenReason;
  /** The calls that would have told, at most {@link MOST_NAMED}. */
  readonly operations: readonly OperationName[];
}

const MOST_NAMED = 3;

/** What a run has done on one side of a key. */
export interface SideSeen {
  readonly plan: Pick<ProbePlan, 'unasked'>;
  readonly results: readonly Pick<ProbeResult, 'operation' | 'observed' | 'reason'>[];
}

export interface UnseenInput {
  readonly catalog: Catalog;
  readonly beyondSdk: BeyondSdk;
  readonly grant: Grant;
  readonly own: SideSeen;
  /** Absent where no connected account was named. */
  readonly connect?: SideSeen | undefined;
  readonly connectState: ConnectState;
}

/**
 * The permissions of both sides whose presence the probes could not show, the gravest tier first. A permission is seen
 * when a call whose answer differs with it was answered by yes or no.
 */
export function unseenPermissions(input: UnseenInput): readonly Unseen[] {
  const own = unseenOn(input.own, false, input);
  return [...own, ...unseenOnConnectSide(input)].sort(
    (a, b) =>
      RISK_TIERS.indexOf(a.tier) - RISK_TIERS.indexOf(b.tier) || Number(a.connect) - Number(b.connect),
  );
}

function unseenOnConnectSide(input: UnseenInput): readonly Unseen[] {
  const { connect, connectState, catalog } = input;
  // Having none at all is an answer about every one of them.
  if (connectState === 'none') return [];
  if (connect !== undefined) return unseenOn(connect, true, input);
  const reasons = { some: 'no-account', 'no-platform': 'no-platform', 'not-asked': 'not-asked' } as const;
  const reason = connectState === 'unknown' ? 'unanswered' : reasons[connectState];
  return catalog.permissions.map(({ name }) => unseen(name, true, reason, []));
}

function unseenOn(
  { plan, results }: SideSeen,
  connect: boolean,
  { catalog, beyondSdk, grant }: UnseenInput,
): readonly Unseen[] {
  const side = sideOf(grant, connect);
  const answers = new Map(results.map((result) => [result.operation, result]));
  const unasked = new Map(plan.unasked.map(({ operation, reason }) => [operation, reason]));
  return catalog.permissions.flatMap(({ name }) => {
    const telling = tellingOperations(name, side, { catalog, beyondSdk });
    const operations = [...telling.catalog, ...telling.beyondSdk];
    const answered = operations.flatMap((operation) => answers.get(operation.name) ?? []);
    if (answered.some(({ observed }) => holds(observed) || observed === 'forbidden')) return [];
    const names = operations.map((operation) => operation.name);
    if (operations.length === 0) {
      const hasCalls = [...catalog.operationsOf(name), ...beyondSdk.operationsOf(name)].length > 0;
      return [unseen(name, connect, hasCalls ? 'covered' : 'no-call', [])];
    }
    if (operations.every((one) => isBeyondSdk(one) && one.access === 'unsafe'))
      return [unseen(name, connect, 'unsafe', names)];
    const withheld = names.flatMap((one) => unasked.get(one) ?? [])[0];
    const reason = answered.map(reasonOf)[0] ?? withheld ?? 'not-asked';
    return [unseen(name, connect, reason, names)];
  });
}

function reasonOf({ reason }: Pick<ProbeResult, 'reason'>): UnseenReason {
  switch (reason) {
    case 'not-open':
      return 'not-open';
    case 'blind-probe':
      return 'blind';
    case 'not-about-permissions':
      return 'about-account';
    default:
      return 'unanswered';
  }
}

function unseen(
  permission: PermissionName,
  connect: boolean,
  reason: UnseenReason,
  operations: readonly OperationName[],
): Unseen {
  return {
    permission,
    connect,
    tier: riskOf(permission).tier,
    reason,
    operations: operations.slice(0, MOST_NAMED),
  };
}

/** Each reason in words, to stand behind "since". */
const UNSEEN_TEXT: Readonly<Record<UnseenReason, string>> = {
  oauth: 'Stripe answers in the form of OAuth, which says nothing about permissions',
  'session-token': 'its call takes the token of a session, not an API key',
  'test-mode': 'its calls exist in test mode alone, and this is a live key',
  'stripe-mock': 'the specification of stripe-mock does not have its calls',
  blind: 'every key gets the same answer',
  unsafe: 'no call that needs it is harmless, so none was sent',
  'no-call': 'no public call needs it',
  covered: 'the key may do all that it allows without it, as far as is known',
  'not-open': 'its calls are in preview or gone, and not open to this account',
  'about-account': 'the answers were about the account, its products or its mode',
  'not-asked': 'it was not asked at this depth',
  'no-account': 'no connected account was named with --account',
  'no-platform': 'the account is no Connect platform, so no call with Stripe-Account gets through',
  unanswered: 'no answer came that tells',
};

/**
 * A sentence for each tier and reason, the gravest first, that names every permission; what others cover comes last.
 * Nothing is cut short: a report that says "and 4 more" has passed over four in silence.
 */
export function unseenSentences(unseen: readonly Unseen[]): readonly string[] {
  const sentences: string[] = [];
  for (const isCovered of [false, true]) {
    for (const tier of RISK_TIERS) {
      for (const reason of Object.keys(UNSEEN_TEXT) as UnseenReason[]) {
        if ((reason === 'covered') !== isCovered) continue;
        const here = unseen.filter((one) => one.tier === tier && one.reason === reason);
        if (here.length === 0) continue;
        const names = here.map(({ permission, connect }) =>
          connect ? `${permission} on the Connect side` : permission,
        );
        sentences.push(`Not seen (${tier}), since ${UNSEEN_TEXT[reason]}: ${names.join(', ')}.`);
      }
    }
  }
  return sentences;
}

/** Whether an answer to a call that the SDK does not have leaves a permission unseen, and is no finding. */
export function isQuiet(operation: Operation, { reason }: Pick<Verdict, 'reason'>): boolean {
  return isBeyondSdk(operation) && reason !== undefined && QUIET.has(reason);
}

const QUIET: ReadonlySet<string> = new Set([
  'not-open',
  'blind-probe',
  'not-about-permissions',
  'unrecognised-refusal',
]);

/** Whether something is at stake with it. */
export function isRisky({ tier, reason }: Unseen): boolean {
  return tier !== 'other' && tier !== 'personal-data' && reason !== 'covered';
}
