import { RISK_TIERS, type RiskTier } from '../../../core/catalog/risk.ts';
import type { NotSeenKind, PermissionFinding } from '../../../core/result/findings/permission-finding.ts';
import type { FindingKind } from '../../../core/verdict/finding.ts';
import { isDriftAlone, TIER_WORDS } from '../words/finding-words.ts';

interface Rule {
  readonly name: string;
  readonly level: 'error' | 'warning' | 'note';
  readonly short: string;
  readonly full: string;
  readonly help: string;
}

type RuleKind = Exclude<FindingKind, 'accepted'> | NotSeenKind;

const rules: Readonly<Record<RuleKind, Rule>> = {
  'over-grant': {
    name: 'OverGrant',
    level: 'error',
    short: 'The key can do more than its profile says',
    full: 'A probe showed that the key is allowed an operation which its profile neither asks for nor accepts.',
    help: 'Take the permission off the key ("keyaudit rotate PROFILE" makes a new one). Where Stripe cannot separate it from what the profile needs, accept the operation by name in the profile\'s "accept", with a reason. If the agent does need it, add it to "permissions".',
  },
  'under-grant': {
    name: 'UnderGrant',
    level: 'error',
    short: 'The key cannot do what its profile says',
    full: 'A probe showed that the key is refused an operation which its profile asks for.',
    help: 'Give the key the permission that the message names ("keyaudit rotate PROFILE" makes a new key with all of them), or take the need out of the profile.',
  },
  contradiction: {
    name: 'WitnessesContradict',
    level: 'warning',
    short: "Probes and Stripe's record of the key cannot both be right",
    full: "What a probe showed of the key and what Stripe's own record says of it contradict each other, so nothing is known.",
    help: 'Calibrate the probes ("keyaudit calibrate"), or report the row of the catalog. What contradicts itself never counts as passed.',
  },
  unseen: {
    name: 'NotSeen',
    level: 'note',
    short: 'What the run could not see',
    full: 'Permissions whose presence no probe of this run could show, with the reason; the key may hold them or not.',
    help: "Let Stripe's record of the key be read as well (STRIPE_SECRET_KEY), which lists every permission by name.",
  },
  inconclusive: {
    name: 'NotDetermined',
    level: 'warning',
    short: 'What the key can do could not be determined',
    full: 'A probe brought no answer from which it follows whether the key is allowed the operation, so nothing is known about it.',
    help: 'Read the reason: a dead key, a foreign answer, the rate limit and the network each need something else. Then run "keyaudit verify PROFILE" again. What is inconclusive never counts as passed.',
  },
};

/** What GitHub makes of it: above 9.0 critical, from 7.0 high, from 4.0 medium, below low. */
const SEVERITIES: Readonly<Record<RiskTier, string>> = {
  'self-widening': '9.8',
  'money-out': '9.1',
  'money-in': '7.5',
  'personal-data': '5.5',
  other: '3.0',
};

const driftRules: Readonly<Record<'fails' | 'warns', Rule & { readonly id: string }>> = {
  fails: {
    id: 'drift',
    name: 'Drift',
    level: 'error',
    short: 'The key or its profile left what was agreed',
    full: 'The key can do more than the committed lock file says it was verified to do, the profile grants more, a widening is new, an operation is no longer verified, or the key is older than the policy allows.',
    help: 'Rotate a key that is too old. Else undo the change, or, if it is meant, write the lock file anew with "keyaudit lock PROFILE", review what changed in it and commit it together with the profile.',
  },
  warns: {
    id: 'drift-narrower',
    name: 'DriftNarrower',
    level: 'warning',
    short: 'The key or its profile is narrower than the lock file',
    full: 'The key or its profile no longer reaches as far as the committed lock file says.',
    help: 'Write the lock file anew with "keyaudit lock PROFILE" and commit it, so that the old reach cannot come back unseen.',
  },
};

/** A rule of SARIF. Severity is a rule's there and not a result's, so each tier has a rule of its own. */
export interface TieredRule {
  readonly id: string;
  readonly rule: Rule;
  readonly severity?: string;
  /** The heading of docs/errors.md. */
  readonly heading: string;
}

export const RULES: readonly TieredRule[] = [
  ...RISK_TIERS.map((tier) => tiered('over-grant', tier, rules['over-grant'])),
  { id: 'under-grant', rule: rules['under-grant'], heading: 'under-grant' },
  { id: 'inconclusive', rule: rules.inconclusive, heading: 'inconclusive' },
  { id: 'contradiction', rule: rules.contradiction, heading: 'inconclusive' },
  { id: 'unseen', rule: rules.unseen, heading: 'findings' },
  ...RISK_TIERS.map((tier) => tiered('drift', tier, driftRules.fails)),
  { id: driftRules.warns.id, rule: driftRules.warns, heading: 'drift' },
];
export const RULE_INDEX: ReadonlyMap<string, number> = new Map(RULES.map(({ id }, index) => [id, index]));

function tiered(id: string, tier: RiskTier, rule: Rule): TieredRule {
  const words = TIER_WORDS[tier];
  return {
    id: `${id}/${tier}`,
    rule: {
      ...rule,
      name: `${rule.name}${tier.replace(/(?:^|-)(\w)/g, (_match, letter: string) => letter.toUpperCase())}`,
      short: `${rule.short} (${words})`,
    },
    severity: SEVERITIES[tier],
    heading: id,
  };
}

/** A rule as SARIF has it. */
export function ruleOf({ id, rule, severity }: TieredRule, helpUri: string): object {
  const { name, level, short, full, help } = rule;
  return {
    id,
    name,
    shortDescription: { text: short },
    fullDescription: { text: full },
    help: { text: help, markdown: help },
    helpUri,
    defaultConfiguration: { level },
    properties: {
      tags: ['security', 'stripe', 'least-privilege'],
      precision: 'very-high',
      'security-severity': severity,
    },
  };
}

/** The rule of a finding. */
export function ruleIdOf(finding: PermissionFinding): string {
  if (!isDriftAlone(finding)) {
    return finding.kind === 'over-grant' ? `over-grant/${finding.tier}` : finding.kind;
  }
  return finding.weight === 'warns' ? driftRules.warns.id : `drift/${finding.tier}`;
}
