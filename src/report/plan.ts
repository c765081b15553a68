import { allows, type Catalog, type Operation } from '../core/catalog/catalog.ts';
import { remarksOnAll, type SharedRemark, unconfirmedName } from '../core/catalog/remark.ts';
import { type Risk, riskOf } from '../core/catalog/risk.ts';
import { type ApprovalRule, approvalRules } from '../core/grant/approval-rules.ts';
import { dashboardRows, dashboardUrl } from '../core/grant/dashboard-link.ts';
import type { Grant, Widening } from '../core/grant/grant.ts';
import { letThrough } from '../core/grant/let-through.ts';
import type { ProbePlan } from '../core/probe/probe-plan.ts';
import { guardDocument } from '../core/profile/guard-section.ts';
import type { Profile } from '../core/profile/profile.ts';
import type { Coverage } from '../core/rules/coverage.ts';
import { someOf } from '../core/some-of.ts';
import { describeOperation } from '../core/verdict/finding-message.ts';
import { capLines } from './guard/cap-lines.ts';
import { renderPlanCard } from './plan/plan-card.ts';
import { counted, paintFor, type TextOutput, wrap } from './text.ts';
import { describeWidening } from './verify/table/table.ts';

/** All that a profile comes to, before anything is made. */
export interface PlanReport {
  readonly profile: Profile;
  readonly grant: Grant;
  readonly catalog: Catalog;
  readonly probes: ProbePlan;
  readonly coverage: Coverage;
}

/** `plan --format json`, schema `keyaudit.plan/1`. */
export function planJson({ profile, grant, catalog, probes, coverage }: PlanReport): unknown {
  const link = {
    name: profile.name,
    permissions: grant.permissions,
    connectPermissions: grant.connectPermissions,
  };
  const both = [...new Set([...grant.permissions, ...grant.connectPermissions])];
  const notManaged = both.filter((name) => catalog.permission(name)?.managedApi === false);
  return {
    schema: 'keyaudit.plan/1',
    profile: profile.name,
    file: profile.file,
    variable: profile.env,
    permissions: grant.permissions,
    connectPermissions: grant.connectPermissions,
    implied: [...grant.effective].filter((name) => !grant.permissions.includes(name)).sort(),
    widenings: grant.widenings,
    risks: risksOf(grant),
    dashboardRows: dashboardRows(grant.permissions, catalog),
    dashboardUrl: { test: dashboardUrl('test', link, catalog), live: dashboardUrl('live', link, catalog) },
    notInManagedApi: notManaged,
    unconfirmed: both.filter((name) => unconfirmedName(name, catalog) !== undefined),
    remarks: remarksOf({ grant, catalog }),
    approvals: { rules: approvalRules(grant), visible: false },
    probes: probes.probes.length,
    unverifiable: probes.unverifiable,
    coverage,
    guard: profile.guard === undefined ? undefined : guardDocument(profile.guard),
  };
}

/** On what the key may do, asked for or not. */
function remarksOf({ grant, catalog }: Pick<PlanReport, 'grant' | 'catalog'>): readonly SharedRemark[] {
  const widened = grant.widenings.flatMap(({ operations }) => operations);
  return remarksOnAll(new Set([...grant.asked, ...grant.connect.asked, ...widened]), catalog);
}

/** The grave permissions of both sides; those of the Connect side say so. */
function risksOf({ permissions, connectPermissions }: PlanReport['grant']) {
  return [
    ...permissions.map((permission) => ({ permission, ...riskOf(permission) })),
    ...connectPermissions.map((permission) => ({ permission, connect: true, ...riskOf(permission) })),
  ].filter((risk) => risk.tier !== 'other');
}

/** `plan --format table`: one screen for a security engineer. */
export function renderPlanTable(
  plan: PlanReport,
  output: TextOutput,
  { verbose }: { verbose: boolean },
): void {
  const { profile } = plan;
  const paint = paintFor(output);
  output.write(`${paint.bold(profile.name)} ${paint.dim(profile.file)}\n`);
  if (profile.description !== undefined) output.write(wrap(profile.description, output));
  renderPlanCard(plan, output);
  const sections: readonly (readonly [title: string, render: () => void])[] = [
    ['Permissions to grant (everything else: none)', () => renderPermissions(plan, output)],
    ['What the key can do beyond the profile', () => renderWidenings(plan, output)],
    ...(verbose ? [['Risks', () => renderRisks(plan, output)] as const] : []),
    ['Through the guard', () => renderGuard(plan, output)],
    ...(verbose ? [['Approvals at Stripe', () => renderApprovals(plan, output)] as const] : []),
    ['Verification', () => renderVerification(plan, output, verbose)],
    ['Make it by hand', () => renderLinks(plan, output)],
  ];
  for (const [title, render] of sections) {
    output.write(`\n${paint.bold(title)}\n`);
    render();
  }
}

const PLAIN = { indent: '  ' };
const HANGING = { indent: '    ', first: '  ' };

function renderPermissions({ grant, catalog }: PlanReport, output: TextOutput): void {
  const paint = paintFor(output);
  for (const row of dashboardRows(grant.permissions, catalog)) {
    const place = `Dashboard: ${row.group} › ${row.label} › ${row.level}`;
    const mark = unconfirmedName(row.permission, catalog) === undefined ? '' : ' (unconfirmed name)';
    output.write(`  ${row.permission}${mark}  ${paint.dim(place)}\n`);
  }
  if (grant.permissions.length === 0) output.write('  none\n');
  if (grant.connectPermissions.length > 0) {
    output.write(wrap(`With Stripe-Account: ${grant.connectPermissions.join(', ')}`, output, PLAIN));
  }
  const implied = [...grant.effective].filter((name) => !grant.permissions.includes(name)).sort();
  if (implied.length > 0) output.write(wrap(`These imply: ${implied.join(', ')}.`, output, PLAIN));
}

function renderWidenings({ grant }: PlanReport, output: TextOutput): void {
  for (const widening of grant.widenings.filter(({ canWrite }) => canWrite)) renderWriting(widening, output);
  const reading = grant.widenings.filter(({ canWrite }) => !canWrite);
  if (reading.length > 0) {
    output.write(wrap(`Reads: ${reading.map(describeWidening).join('; ')}.`, output, HANGING));
  }
  if (grant.widenings.length === 0) output.write('  nothing\n');
  if (![...grant.permissions, ...grant.connectPermissions].includes('charge_write')) return;
  output.write(
    wrap(
      'There is no refund permission at Stripe: one row, Charges and refunds, covers both. A key that may refund may also create and capture charges, and no amount, customer or parameter can be limited.',
      output,
      { indent: '    ', first: '  ! ' },
    ),
  );
}

function renderRisks({ grant }: PlanReport, output: TextOutput): void {
  const worth = risksOf(grant);
  for (const risk of worth) output.write(wrap(riskLine(risk), output, HANGING));
  if (worth.length === 0) output.write('  none above reading plain business data\n');
}

function renderGuard({ profile, grant, catalog }: PlanReport, output: TextOutput): void {
  const { guard } = profile;
  if (guard === undefined) {
    const text = 'The profile has no "guard" section, so the guard does not serve it: no cap holds its key.';
    output.write(wrap(text, output, PLAIN));
    return;
  }
  const { own } = letThrough(profile, guard, grant, catalog);
  const shut = catalog.operations.filter(({ name, ...rest }) =>
    isShut({ name, ...rest }, grant.effective, own),
  );
  output.write(
    wrap(
      `${counted(own.size, 'operation')} let through; ${shut.length} more that the key allows stay shut${shut.length === 0 ? '' : `: ${someOf(shut.map(({ name }) => name))}`}.`,
      output,
      HANGING,
    ),
  );
  for (const line of capLines(guard)) output.write(wrap(line, output, HANGING));
}

function isShut(operation: Operation, effective: ReadonlySet<string>, own: ReadonlySet<string>): boolean {
  return allows(effective, operation) && !own.has(operation.name);
}

/** Each control in words, the action standing before it. */
const CONTROL_TEXT: Readonly<Record<ApprovalRule['control'], string>> = {
  approve: 'require approval, from an amount on where it has one',
  block: 'block, since the profile does not ask for it',
};

function renderApprovals({ grant }: PlanReport, output: TextOutput): void {
  const rules = approvalRules(grant);
  for (const { action, control } of rules)
    output.write(wrap(`${action}: ${CONTROL_TEXT[control]}`, output, HANGING));
  const text =
    rules.length === 0
      ? 'No rule of Settings › Approvals is about what this key may do.'
      : 'These rules of Settings › Approvals bind a key only if it is tagged "authorizing an AI agent" when it is made in the Dashboard. keyaudit can see neither the tag nor the rules.';
  output.write(wrap(text, output, PLAIN));
}

function renderVerification(
  { probes, coverage, grant, catalog }: PlanReport,
  output: TextOutput,
  verbose: boolean,
): void {
  const idle = coverage.permissions
    .filter(({ exercisedBy, operations }) => exercisedBy.length === 0 && operations.length > 0)
    .map(({ permission, connect }) => `${permission}${connect ? ' with Stripe-Account' : ''}`);
  const none = idle.length === 0 ? '' : `; none exercises ${idle.join(', ')}`;
  output.write(
    wrap(
      `${counted(probes.probes.length, 'probe')} at depth ${probes.depth}. The calls under "checks.allow" exercise ${coverage.percent} % of the permissions${none}.`,
      output,
      HANGING,
    ),
  );
  const say = (text: string, ...reasons: readonly string[]) => {
    const names = probes.unverifiable
      .filter(({ reason }) => reasons.includes(reason))
      .map(({ permission }) => permission);
    if (names.length === 0) return;
    output.write(wrap(`${text}: ${verbose ? names.join(', ') : someOf(names)}.`, output, HANGING));
  };
  if (verbose) say('Cannot be verified, since no known call needs it', 'no-operation');
  say('Cannot be verified, since every probe for it is blind or unsafe', 'blind', 'unsafe');
  if (verbose) say('Cannot be told apart, since this grant allows the same calls anyway', 'always-covered');
  for (const { remark, operations } of remarksOf({ grant, catalog }))
    output.write(wrap(`${someOf(operations)}: ${remark}`, output, HANGING));
}

function renderLinks({ profile, grant, catalog }: PlanReport, output: TextOutput): void {
  const { permissions, connectPermissions } = grant;
  const link = { name: profile.name, permissions, connectPermissions };
  output.write(`  test: ${dashboardUrl('test', link, catalog)}\n`);
  output.write(`  live: ${dashboardUrl('live', link, catalog)}\n`);
  const missing = [...new Set([...permissions, ...connectPermissions])].filter(
    (name) => catalog.permission(name)?.managedApi === false,
  );
  if (missing.length > 0) {
    output.write(wrap(`The managed key API is not known to take ${missing.join(', ')}.`, output, PLAIN));
  }
}

function renderWriting(widening: Widening, output: TextOutput): void {
  const paint = paintFor(output);
  const mark = widening.accepted ? paint.cyan('accepted') : paint.red('NOT ACCEPTED');
  const cause =
    widening.implied === undefined
      ? widening.permission
      : `${widening.permission}, which implies ${widening.implied}`;
  const names = widening.operations.map((name) => `${name} (${describeOperation(name)})`).join(', ');
  const reason =
    widening.reason === undefined
      ? 'Accept these by name with a reason, or verify will report them.'
      : `Reason: ${widening.reason}.`;
  const until = widening.until === undefined ? '' : ` Until ${widening.until}.`;
  const side = widening.connect === true ? ' with Stripe-Account' : '';
  output.write(`  ${mark} ${paint.dim(`${widening.cause}, ${cause}${side}`)}\n`);
  output.write(wrap(`${names}. ${reason}${until}`, output, { indent: '    ' }));
}

function riskLine({
  permission,
  tier,
  why,
  connect = false,
}: Risk & { permission: string; connect?: boolean }): string {
  return `${tier}: ${permission}${connect ? ' with Stripe-Account' : ''}. ${why}`;
}
