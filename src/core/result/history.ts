import { z } from 'zod';
import { PROFILE_NAME } from '../profile/profile-name.ts';
import { notDetermined } from './not-determined.ts';
import { exitCodeOf, resultIsOk, type VerifyReport } from './verify-report.ts';

/** The version of a line of a history. */
const HISTORY_SCHEMA = 'keyaudit.history/1';

const count = z.number().int().nonnegative().max(1_000_000);

const pastRunSchema = z.object({
  schema: z.literal(HISTORY_SCHEMA),
  at: z.iso.datetime(),
  durationMs: z.number().nonnegative(),
  ok: z.boolean(),
  exitCode: z.number().int(),
  keyaudit: z.string().max(100),
  target: z.string().max(100),
  depth: z.string().max(100),
  commit: z.string().max(100).nullable(),
  results: z
    .array(
      z.object({
        profile: z.string().regex(PROFILE_NAME).max(200),
        ok: z.boolean(),
        determined: z.boolean(),
        probes: count,
        overGrants: count,
        underGrants: count,
        inconclusive: count,
        accepted: count,
        fingerprint: z.string().max(200).nullable(),
      }),
    )
    .max(10_000),
});

/** What is remembered of one run: counts, never a finding. */
export type PastRun = z.infer<typeof pastRunSchema>;

/** This run, as a line of a history says it. */
export function pastRunOf(report: VerifyReport): PastRun {
  const { provenance, target, depth, results } = report;
  const exitCode = exitCodeOf(report);
  return {
    schema: HISTORY_SCHEMA,
    at: provenance.startedAt,
    durationMs: provenance.durationMs,
    ok: exitCode === 0,
    exitCode,
    keyaudit: provenance.keyaudit,
    target,
    depth,
    commit: provenance.ci?.commit ?? null,
    results: results.map((result) => ({
      profile: result.profile,
      ok: resultIsOk(result),
      determined: notDetermined(result) === undefined,
      probes: result.summary.probes,
      overGrants: result.summary.overGrants,
      underGrants: result.summary.underGrants,
      inconclusive: result.summary.inconclusive,
      accepted: result.summary.accepted,
      fingerprint: result.key?.fingerprint ?? null,
    })),
  };
}

/** So many runs are shown. */
const MOST_RUNS = 30;

/**
 * The last runs of a history at the same target, oldest first. A line that is none (cut off by a full disk, of another
 * version) is passed over: a history is for looking at, and decides nothing.
 */
export function readHistory(text: string, target: string): readonly PastRun[] {
  const runs: PastRun[] = [];
  const lines = text.split('\n');
  for (let index = lines.length - 1; index >= 0 && runs.length < MOST_RUNS; index--) {
    const line = lines[index]?.trim() ?? '';
    if (line === '') continue;
    const run = pastRunSchema.safeParse(parsed(line));
    if (run.success && run.data.target === target) runs.unshift(run.data);
  }
  return runs;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
