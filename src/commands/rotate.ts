import { depthFor } from '../audit/depth-for.ts';
import { parseDuration } from '../core/duration.ts';
import { EXIT, type ExitCode } from '../core/error.ts';
import { deepest } from '../core/probe/depth.ts';
import { cleanUp } from '../keys/end/clean-up.ts';
import { rotateKey } from '../keys/rotate-key.ts';
import { type Rotation, renderRotateTable, rotateJson } from '../report/keys/rotate.ts';
import type { ReportRequest } from '../report/verify/formats.ts';
import type { CommandContext } from '../session/context.ts';
import { grantsFor, type ProfileGrant } from '../session/profile-grant.ts';
import { reportHeader } from '../session/report-header.ts';
import { printResult } from '../session/result-output.ts';
import { type OpenSession, openSession, withTarget } from '../session/session.ts';
import { parseReportRequests, printReports } from '../session/verify-output.ts';

export interface RotateOptions {
  readonly profiles: readonly string[];
  readonly all?: boolean;
  readonly examples?: boolean;
  /** Rotates only keys made longer ago, such as `90d`. */
  readonly olderThan?: string;
  /** How long the old key goes on working after the new one is published. */
  readonly grace?: string;
  readonly dryRun?: boolean;
  readonly store?: string;
  /** A command that prints what an `exec:` store holds now. */
  readonly readBack?: string;
  readonly reveal?: boolean;
  readonly account?: string;
  readonly wait: boolean;
  /** Reports of the new keys' verification, each `FORMAT=FILE`. */
  readonly report?: readonly string[];
}

/**
 * `keyaudit rotate`: make a new key, verify it against the profile and against the old key, only then
 * publish it, then retire the old one. A broader key is undone; the old one stays untouched.
 */
export async function rotate(options: RotateOptions, context: CommandContext): Promise<ExitCode> {
  const session = await openSession(context);
  const requests = await parseReportRequests(options.report ?? [], session);
  // Those without a key are passed over, so that the examples stand in where there are no profiles of one's own.
  const examples = options.examples ?? (options.all === true && !(await session.library.hasOwn()));
  const grants = await grantsFor({ ...options, examples }, session);
  const olderThanMs = options.olderThan === undefined ? undefined : parseDuration(options.olderThan);
  const graceMs = options.grace === undefined ? 0 : parseDuration(options.grace);
  return withTarget(session, async (open) => {
    await cleanUp(open, options);
    const rotations: Rotation[] = [];
    try {
      for (const grant of grants) {
        if (open.signal.aborted) throw open.signal.reason;
        rotations.push(await rotateKey(grant, { ...options, olderThanMs, graceMs }, open));
      }
    } finally {
      // What was done is told also when the next one failed.
      if (rotations.length > 0) await print(rotations, grants, requests, open);
    }
    return exitCodeOfRotations(rotations);
  });
}

function exitCodeOfRotations(rotations: readonly Rotation[]): ExitCode {
  const isFinding = ({ outcome, verification, broader, tooOld }: Rotation) =>
    tooOld === true ||
    (outcome === 'refused' &&
      (broader.length > 0 ||
        (verification !== null && verification.summary.overGrants + verification.summary.underGrants > 0)));
  if (rotations.some(isFinding)) return EXIT.findings;
  const isUnsure = ({ outcome, retirement }: Rotation) =>
    outcome === 'refused' ||
    outcome === 'by-hand' ||
    // Dead is what a probe with the key itself has said; what could not be asked is not known.
    retirement?.unwatched === 'timeout' ||
    retirement?.unwatched === 'interrupted' ||
    retirement?.unwatched === 'not-found' ||
    retirement?.unwatched === 'no-secret' ||
    // Nobody but a person ends such a key, so that one not seen dead is not known to end.
    (retirement?.byHand !== undefined && retirement.unwatched !== undefined);
  return rotations.some(isUnsure) ? EXIT.undetermined : EXIT.ok;
}

async function print(
  rotations: readonly Rotation[],
  grants: readonly ProfileGrant[],
  requests: readonly ReportRequest[],
  session: OpenSession,
): Promise<void> {
  const { format, verbose } = session.globals;
  const isOwn = format === 'table' || format === 'json';
  const results = rotations.flatMap(({ verification }) => verification ?? []);
  const depth = deepest(grants.map(({ profile }) => depthFor(profile, {})));
  const header = await reportHeader(session, depth);
  await printReports({ ...header, results }, isOwn ? requests.slice(1) : requests, session);
  if (!isOwn) return;
  const report = { ...header, next: session.globals.place, rotations };
  await printResult(session, {
    json: rotateJson(report, { verbose }),
    table: (output) => renderRotateTable(report, output),
  });
}
