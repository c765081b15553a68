import { guardVerifyResult } from '../audit/guard-verify-result.ts';
import { type GuardResult, verifyThroughGuard } from '../audit/verify-through-guard.ts';
import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import { exitCodeOf, type VerifyReport, type VerifyResult } from '../core/result/verify-report.ts';
import { withRunningGuard } from '../keys/guard/with-running-guard.ts';
import { throughGuardJson, throughGuardTable } from '../report/guard/through-guard.ts';
import { writeJson } from '../report/verify/json.ts';
import type { CommandContext } from '../session/context.ts';
import type { AskGuard } from '../session/guard/guard-client.ts';
import { beginRun } from '../session/guard/issue-run-key.ts';
import { grantsFor, type ProfileGrant } from '../session/profile-grant.ts';
import { reportHeader } from '../session/report-header.ts';
import { type OpenSession, openSession, withTarget } from '../session/session.ts';
import { parseReportRequests, printReports } from '../session/verify-output.ts';
import { fingerprintOf } from '../store/notes/key-records.ts';

export interface VerifyGuardOptions {
  readonly profiles: readonly string[];
  readonly all?: boolean;
  readonly examples?: boolean;
  /** Further reports, each `FORMAT=FILE`. */
  readonly report?: readonly string[];
  /** `acct_…`: a connected account with which the Connect side is asked. */
  readonly account?: string;
}

/** `keyaudit verify --through-guard`: is what the guard lets through what each profile asks for, and nothing else? */
export async function verifyGuard(options: VerifyGuardOptions, context: CommandContext): Promise<ExitCode> {
  requireThroughGuard(options);
  const session = await openSession(context);
  const requests = await parseReportRequests(options.report ?? [], session);
  const grants = await grantsFor(options, session);
  return withTarget(session, (open) =>
    withRunningGuard(grants, open, async (url, ask) => {
      const results: VerifyResult[] = [];
      const seen: GuardResult[] = [];
      for (const grant of grants) {
        const one = await verifyOne(grant, { url, ask, account: options.account }, open);
        results.push(one.whole);
        seen.push(one.seen);
      }
      const header = await reportHeader(open, 'endpoints');
      const targetNote = `${header.targetNote} Asked through the guard at ${url}.`;
      const report: VerifyReport = { ...header, apiBase: url, targetNote, results };
      const code = exitCodeOf(report);
      const { target, catalog } = report;
      const short = {
        ok: code === EXIT.ok,
        target,
        apiBase: url,
        targetNote: header.targetNote,
        catalog,
        results: seen,
      };
      await printReports(report, requests, open, undefined, {
        json: (_report, output) => writeJson(throughGuardJson(short), output.write),
        table: (_report, output) => throughGuardTable(short, output),
      });
      return code;
    }),
  );
}

async function verifyOne(
  grant: ProfileGrant,
  {
    url,
    ask,
    account,
  }: { readonly url: string; readonly ask: AskGuard; readonly account: string | undefined },
  open: OpenSession,
): Promise<{ readonly seen: GuardResult; readonly whole: VerifyResult }> {
  const startedAt = open.now();
  const { run, key, variable, expiresAt } = await beginRun(
    { profile: grant.profile.name, cap: [], label: ['made-by=verify'], mayRepeat: [] },
    ask,
  );
  try {
    const asked = await verifyThroughGuard(grant, { url, key, account }, open);
    const probed = {
      id: run,
      mode: key.mode ?? null,
      fingerprint: fingerprintOf(key),
      variable,
      place: 'guard',
      createdAt: startedAt.toISOString(),
      expiresAt,
      account: null,
      madeFor: null,
    };
    return { seen: asked.result, whole: guardVerifyResult(asked, grant, { key: probed, startedAt }, open) };
  } finally {
    await ask('end', { run });
  }
}

/** @throws KeyauditError `USAGE` for what only proves a key */
function requireThroughGuard(options: object): void {
  const only = ['keyEnv', 'keyFrom', 'compare', 'frozen', 'lock', 'attest', 'history', 'minCoverage'];
  const given = only.find((name) => Object.hasOwn(options, name));
  if (given === undefined) return;
  const word = given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new KeyauditError('USAGE', `--${word} is about a key, and --through-guard asks with a run key.`, {
    hint: 'Verify the key by itself, and the guard beside it.',
  });
}
