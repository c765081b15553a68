import type { Catalog } from '../core/catalog/catalog.ts';
import { riskOf } from '../core/catalog/risk.ts';
import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import { dashboardRows, dashboardUrl } from '../core/grant/dashboard-link.ts';
import type { Grant } from '../core/grant/grant.ts';
import { type ProbePlan, planProbes } from '../core/probe/probe-plan.ts';
import type { Profile } from '../core/profile/profile.ts';
import { type Coverage, coverageOf, coverageProblems } from '../core/rules/coverage.ts';
import { renderPlanTable } from '../report/plan-table.ts';
import type { CommandContext } from '../session/context.ts';
import { loadCatalog } from '../session/load-catalog.ts';
import { makeProbes } from '../session/probe-maker.ts';
import { grantsFor } from '../session/profile-grant.ts';
import { printResult } from '../session/result-output.ts';

/** All that a profile comes to, before anything is made. */
export interface PlanReport {
  readonly profile: Profile;
  readonly grant: Grant;
  readonly catalog: Catalog;
  readonly probes: ProbePlan;
  readonly coverage: Coverage;
}

/** `keyaudit plan PROFILE`: the grant in Stripe's names, the widenings, the risks, the links. */
export async function plan(
  { profile: name, minCoverage = 0 }: { profile: string; minCoverage?: number },
  context: CommandContext,
): Promise<ExitCode> {
  const catalog = loadCatalog();
  const [resolved] = await grantsFor({ profiles: [name] }, context);
  if (resolved === undefined) return EXIT.usage;
  const { profile, grant } = resolved;
  const probes = planProbes({
    catalog,
    profile,
    grant,
    depth: profile.only ? 'endpoints' : 'permissions',
    probeFor: makeProbes(),
  });
  const report: PlanReport = {
    profile,
    grant,
    catalog,
    probes,
    coverage: coverageOf(profile, grant, catalog),
  };
  await printResult(context, {
    json: planJson(report),
    table: (output) => renderPlanTable(report, output, { verbose: context.globals.verbose }),
  });
  const problems = coverageProblems(report.coverage, minCoverage, profile, catalog);
  if (problems.length === 0) return EXIT.ok;
  throw new KeyauditError('COVERAGE_LOW', `${profile.file} names too few checks.`, {
    exitCode: EXIT.findings,
    problems,
  });
}

/** `plan --format json`, schema `keyaudit.plan/1`. */
export function planJson({ profile, grant, catalog, probes, coverage }: PlanReport): unknown {
  const link = {
    name: profile.name,
    permissions: grant.permissions,
    connectPermissions: grant.connectPermissions,
  };
  const notManaged = grant.permissions.filter((name) => catalog.permission(name)?.managedApi === false);
  return {
    schema: 'keyaudit.plan/1',
    profile: profile.name,
    file: profile.file,
    variable: profile.env,
    permissions: grant.permissions,
    connectPermissions: grant.connectPermissions,
    implied: [...grant.effective].filter((name) => !grant.permissions.includes(name)).sort(),
    widenings: grant.widenings,
    risks: grant.permissions
      .map((permission) => ({ permission, ...riskOf(permission) }))
      .filter((risk) => risk.tier !== 'other'),
    dashboardRows: dashboardRows(grant.permissions, catalog),
    dashboardUrl: { test: dashboardUrl('test', link, catalog), live: dashboardUrl('live', link, catalog) },
    notInManagedApi: notManaged,
    probes: probes.probes.length,
    unverifiable: probes.unverifiable,
    coverage,
  };
}
