import type { PermissionName } from '../../core/catalog/catalog.ts';
import { RISK_TIERS, riskOf } from '../../core/catalog/risk.ts';
import { approvalRules } from '../../core/grant/approval-rules.ts';
import type { PermissionEntry } from '../../core/profile/profile.ts';
import { someOf } from '../../core/some-of.ts';
import { code, escapeMarkdown, row } from '../markdown-text.ts';
import type { PlanReport } from '../plan.ts';
import { counted, paintFor, type TextOutput, wrap } from '../text.ts';

/** One line of the card: what it is about, and what there is to say. */
type Line = readonly [title: string, text: string];

/** What a profile comes to on one card: asked, comes along, cannot be told, risks, what Stripe can hold. */
function planCard({ profile, grant, probes }: PlanReport): readonly Line[] {
  const hasConnect = grant.connectPermissions.length > 0;
  const levels = [...levelsOf(profile.permissions), ...levelsOf(profile.connectPermissions).map(withAccount)];
  const writes = grant.widenings.filter(({ canWrite }) => canWrite);
  const reads = grant.widenings.filter(({ canWrite }) => !canWrite);
  const along = [
    ...writes.map(
      ({ operations, permission, accepted, connect }) =>
        `${someOf(operations)} with ${connect === true ? withAccount(permission) : permission} (${accepted ? 'accepted' : 'NOT ACCEPTED'})`,
    ),
    ...(reads.length === 0
      ? []
      : [
          counted(
            reads.reduce((sum, { operations }) => sum + operations.length, 0),
            'read',
          ),
        ]),
  ];
  const risks = RISK_TIERS.filter((tier) => tier !== 'other').flatMap((tier) => {
    const isOfTier = (permission: PermissionName) => riskOf(permission).tier === tier;
    const names = [
      ...grant.permissions.filter(isOfTier),
      ...grant.connectPermissions.filter(isOfTier).map(withAccount),
    ];
    return names.length === 0 ? [] : [`${tier}: ${someOf(names)}`];
  });
  const rules = approvalRules(grant);
  const held = (['block', 'approve'] as const).flatMap((control) => {
    const actions = rules.filter((rule) => rule.control === control).map(({ action }) => action);
    return actions.length === 0 ? [] : [`${control} ${actions.join(', ')}`];
  });
  return [
    ['asked', levels.join(', ') || 'nothing'],
    ['comes along', along.join('; ') || 'nothing'],
    [
      'cannot be told',
      [
        probes.unverifiable.length === 0
          ? 'nothing: a probe tells of each permission'
          : `${counted(probes.unverifiable.length, 'permission')}; --verbose names them`,
        ...(hasConnect
          ? ["with Stripe-Account, which permissions it has: verify --account or Stripe's record tells"]
          : []),
      ].join('; '),
    ],
    ['risks', risks.join('; ') || 'none above reading plain business data'],
    [
      'approvals',
      held.length === 0
        ? 'no action of it can be held by a rule of Stripe'
        : `${held.join('; ')}, by rules for agent-tagged keys (not visible here${hasConnect ? '; whether they hold calls with Stripe-Account is not known' : ''})`,
    ],
  ];
}

function levelsOf(entries: readonly PermissionEntry[]): readonly string[] {
  return entries
    .filter(({ level }) => level !== 'none')
    .map(({ name, level }) => `${name} ${level === 'write' ? 'W' : 'R'}`);
}

function withAccount(what: string): string {
  return `${what} with Stripe-Account`;
}

export function renderPlanCard(plan: PlanReport, output: TextOutput): void {
  const paint = paintFor(output);
  const lines = planCard(plan);
  const width = Math.max(...lines.map(([title]) => title.length));
  for (const [title, text] of lines) {
    const first = `  ${title.padEnd(width)}  `;
    const wrapped = wrap(text, output, { indent: ' '.repeat(first.length), first });
    output.write(wrapped.replace(title, paint.bold(title)));
  }
}

/** `plan --format markdown`: the card as a table, for a comment in a pull request. */
export function renderPlanMarkdown(plan: PlanReport, { write }: TextOutput): void {
  const { profile, grant, coverage } = plan;
  write(`## keyaudit plan: ${escapeMarkdown(profile.name)}\n\n`);
  if (profile.description !== undefined) write(`${escapeMarkdown(profile.description)}\n\n`);
  write(row(['', '']));
  write(row(['---', '---']));
  for (const [title, text] of planCard(plan)) write(row([`**${title}**`, escapeMarkdown(text)]));
  write(row(['**permissions**', grant.permissions.map(code).join(', ') || 'none']));
  if (grant.connectPermissions.length > 0)
    write(row(['**with Stripe-Account**', grant.connectPermissions.map(code).join(', ')]));
  write(row(['**checks**', escapeMarkdown(`they exercise ${coverage.percent} % of the permissions`)]));
  write(row(['**file**', code(profile.file)]));
}
