import { resolve } from 'node:path';
import { EXIT, type ExitCode } from '../core/error.ts';
import { letThrough } from '../core/grant/let-through.ts';
import type { LogRow } from '../core/spend/log-row.ts';
import { type SimulatedPolicy, Simulator } from '../guard/simulate.ts';
import { simulationJson, simulationTable } from '../report/guard/simulation.ts';
import type { CommandContext } from '../session/context.ts';
import { resolveGrants } from '../session/profile-grant.ts';
import { printResult } from '../session/result-output.ts';
import { openSession } from '../session/session.ts';
import { followGuardLog } from '../store/guard-log/follow-guard-log.ts';

export interface SimulateOptions {
  /** A folder of log files, or one of them. */
  readonly file: string;
  /** The policy of this profile for every row; default: each row's own profile, as it is now. */
  readonly profile?: string;
}

/**
 * `keyaudit guard simulate FILE`: which calls of a recorded log the policy, as it is now, would have refused.
 * @returns 1 where it would have refused any, 3 where that could not be told of all
 */
export async function simulateLog(
  { file, profile }: SimulateOptions,
  context: CommandContext,
): Promise<ExitCode> {
  const place = resolve(context.from, file);
  const session = await openSession(context);
  const rows: LogRow[] = [];
  const names = new Set(profile === undefined ? [] : [profile]);
  await followGuardLog(place, (row) => {
    rows.push(row);
    if (profile === undefined && 'profile' in row && row.profile !== undefined) names.add(row.profile);
  });
  const policies = new Map<string, SimulatedPolicy>();
  for (const name of names) {
    for (const { profile: one, grant } of await resolveGrants({ profiles: [name] }, session)) {
      const { guard } = one;
      if (guard !== undefined)
        policies.set(name, { guard, through: letThrough(one, guard, grant, session.catalog) });
    }
  }
  const simulator = new Simulator((name) => policies.get(profile ?? name));
  for (const row of rows) simulator.row(row);
  const { simulation } = simulator;
  await printResult(context, {
    json: simulationJson(simulation),
    table: (output) => simulationTable(simulation, output),
  });
  if (simulation.found.some(({ outcome }) => outcome === 'refused')) return EXIT.findings;
  return simulation.found.length > 0 || simulation.calls === 0 ? EXIT.undetermined : EXIT.ok;
}
