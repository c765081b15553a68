import { verifyThroughGuard } from '../audit/verify-through-guard.ts';
import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import { withRunningGuard } from '../keys/guard/with-running-guard.ts';
import {
  type ThroughGuardReport,
  throughGuardJson,
  throughGuardTable,
} from '../report/guard/through-guard.ts';
import type { CommandContext } from '../session/context.ts';
import { beginRun } from '../session/guard/issue-run-key.ts';
import { grantsFor } from '../session/profile-grant.ts';
import { printResult, requireFormat } from '../session/result-output.ts';
import { type OpenSession, openSession, withTarget } from '../session/session.ts';

export interface VerifyGuardOptions {
  readonly profiles: readonly string[];
  readonly all?: boolean;
  readonly examples?: boolean;
}

/** `keyaudit verify --through-guard`: is what the guard lets through what each profile asks for, and nothing else? */
export async function verifyGuard(options: VerifyGuardOptions, context: CommandContext): Promise<ExitCode> {
  requireFormat(context.globals.format, ['table', 'json']);
  requireThroughGuard(options);
  const session = await openSession(context);
  const grants = await grantsFor(options, session);
  return withTarget(session, (open) =>
    withRunningGuard(grants, open, async (url, ask) => {
      const results: ThroughGuardReport['results'][number][] = [];
      for (const grant of grants) {
        const { run, key } = await beginRun(
          { profile: grant.profile.name, cap: [], label: ['made-by=verify'], mayRepeat: [] },
          ask,
        );
        try {
          results.push(await verifyThroughGuard(grant, { url, key }, open));
        } finally {
          await ask('end', { run });
        }
      }
      const code = exitCodeFor(results);
      await print({ results, ok: code === EXIT.ok, ...placeOf(url, open) }, context);
      return code;
    }),
  );
}

/** @throws KeyauditError `USAGE` for what only proves a key */
function requireThroughGuard(options: object): void {
  const only = [
    'keyEnv',
    'keyFrom',
    'compare',
    'frozen',
    'lock',
    'attest',
    'history',
    'minCoverage',
    'account',
  ];
  const given = only.find((name) => Object.hasOwn(options, name));
  if (given === undefined) return;
  const word = given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new KeyauditError('USAGE', `--${word} is about a key, and --through-guard asks with a run key.`, {
    hint: 'Verify the key by itself, and the guard beside it.',
  });
}

function exitCodeFor(results: ThroughGuardReport['results']): ExitCode {
  if (results.some(({ summary }) => summary.overGrants + summary.underGrants > 0)) return EXIT.findings;
  const isSure = results.every(
    ({ summary, stopped }) => stopped === undefined && summary.inconclusive === 0 && summary.probes > 0,
  );
  return results.length > 0 && isSure ? EXIT.ok : EXIT.undetermined;
}

function placeOf(url: string, { target, catalog }: OpenSession) {
  return { target: target.name, apiBase: url, targetNote: target.note, catalog: catalog.source };
}

async function print(report: ThroughGuardReport, context: CommandContext): Promise<void> {
  await printResult(context, {
    json: throughGuardJson(report),
    table: (output) => throughGuardTable(report, output),
  });
}
