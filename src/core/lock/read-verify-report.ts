import { z } from 'zod';
import { shapeSentence } from '../document/shape-problem.ts';
import { VERDICT_KINDS } from '../verdict/verdict.ts';
import type { Extent } from './extent.ts';

/** The schema of `verify --format json`. */
const VERIFY_SCHEMA = 'keyaudit.verify/1';

const seen = z.object({
  connect: z.boolean().optional(),
  evidence: z.string().optional(),
  operation: z.string(),
  observed: z.enum(VERDICT_KINDS),
});

/** What a diff needs of a report; further fields are ignored. */
const reportSchema = z.object({
  schema: z.literal(VERIFY_SCHEMA),
  results: z.array(
    z.object({
      profile: z.string(),
      permissions: z.array(z.string()),
      /** Absent in reports of before there was a Connect side. */
      connectPermissions: z.array(z.string()).optional(),
      widenings: z.array(
        z.object({
          permission: z.string(),
          operations: z.array(z.string()),
          connect: z.boolean().optional(),
        }),
      ),
      findings: z.array(seen),
      probes: z.array(seen).optional(),
      stopped: z.object({ message: z.string() }).optional(),
    }),
  ),
});

/** How far each key of a `verify` report reaches; the reason where it is none. */
export function readVerifyReport(value: unknown): ReadonlyMap<string, Extent> | string {
  const report = reportSchema.safeParse(value);
  if (!report.success) return shapeSentence(report.error.issues[0], 'the report');
  return new Map(
    report.data.results.map(
      ({ profile, permissions, connectPermissions, widenings, findings, probes, stopped }) => [
        profile,
        {
          permissions,
          connectPermissions,
          widenings,
          verdicts: verdictsOn(false, probes ?? findings),
          connectVerdicts: verdictsOn(true, probes ?? findings),
          // Without --verbose a report has findings alone, and what is missing was as expected.
          complete: probes !== undefined && stopped === undefined,
        },
      ],
    ),
  );
}

function verdictsOn(isConnect: boolean, answers: readonly z.infer<typeof seen>[]): Extent['verdicts'] {
  const here = answers.filter(
    ({ connect = false, evidence }) => connect === isConnect && evidence !== 'record',
  );
  return isConnect && here.length === 0
    ? undefined
    : new Map(here.map(({ operation, observed }) => [operation, observed]));
}
