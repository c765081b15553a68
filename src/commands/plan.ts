import { depthFor } from '../audit/depth-for.ts';
import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import { planProbes } from '../core/probe/probe-plan.ts';
import { coverageOf, coverageProblems } from '../core/rules/coverage.ts';
import { renderPlanMarkdown } from '../report/plan/plan-card.ts';
import { type PlanReport, planJson, renderPlanTable } from '../report/plan.ts';
import type { CommandContext } from '../session/context.ts';
import { probeMaker } from '../session/probe-maker.ts';
import { requireAllowed, resolveGrants } from '../session/profile-grant.ts';
import { printResult } from '../session/result-output.ts';
import { openSession } from '../session/session.ts';

/** `keyaudit plan PROFILE`: the grant in Stripe's names, the widenings, the risks, the links. */
export async function plan(
  { profile: name, minCoverage = 0 }: { profile: string; minCoverage?: number },
  context: CommandContext,
): Promise<ExitCode> {
  const session = await openSession(context);
  const { catalog, beyondSdk, calibration } = session;
  const probeFor = probeMaker(catalog, calibration);
  const [resolved] = await resolveGrants({ profiles: [name] }, session);
  if (resolved === undefined) return EXIT.usage;
  const { profile, grant } = resolved;
  const report: PlanReport = {
    profile,
    grant,
    catalog,
    probes: planProbes({ catalog, beyondSdk, profile, grant, depth: depthFor(profile, {}), probeFor }),
    coverage: coverageOf(profile, grant, catalog),
  };
  await printResult(session, {
    json: planJson(report),
    table: (output) => renderPlanTable(report, output, { verbose: context.globals.verbose }),
    markdown: (output) => renderPlanMarkdown(report, output),
  });
  // Beside the result: who is refused wants to see what was asked for.
  await requireAllowed([resolved], session);
  const problems = coverageProblems(report.coverage, minCoverage, profile, catalog);
  if (problems.length === 0) return EXIT.ok;
  throw new KeyauditError('COVERAGE_LOW', `${profile.file} names too few checks.`, {
    exitCode: EXIT.findings,
    problems,
  });
}
