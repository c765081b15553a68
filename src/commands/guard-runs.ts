import { parseDuration } from '../core/duration.ts';
import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import { killJson, killTable, statusJson, statusTable } from '../report/guard/control.ts';
import { wrap } from '../report/text.ts';
import type { CommandContext } from '../session/context.ts';
import { askGuard } from '../session/guard/guard-client.ts';
import { type IssueOptions, issueRunKey } from '../session/guard/issue-run-key.ts';
import { printResult, requireFormat } from '../session/result-output.ts';

/** `keyaudit guard issue PROFILE`: begins a run, or gives one a further key. */
export async function issueRun(options: IssueOptions, context: CommandContext): Promise<ExitCode> {
  requireFormat(context.globals.format, ['table', 'json']);
  const { run, place, expiresAt, variable } = await issueRunKey(options, context);
  if (place === 'stdout') return EXIT.ok;
  await printResult(context, {
    json: { schema: 'keyaudit.run-key/1', run, profile: options.profile, variable, place, expiresAt },
    table: (output) =>
      output.write(
        wrap(`Run ${run}: ${variable} in ${place}, until ${expiresAt}.`, output, {
          indent: '  ',
          first: '✔ ',
        }),
      ),
  });
  return EXIT.ok;
}

export interface KillOptions {
  /** A run or a profile. */
  readonly what?: string;
  readonly all?: boolean;
  /** How long to wait for what had left already. */
  readonly wait: string;
  readonly revoke?: boolean;
}

/**
 * `keyaudit guard kill RUN|PROFILE|--all`: refuses everything of it, from the next byte on.
 * @returns 3 where not all of it has ended yet, or the kill is not on disk
 */
export async function killRun(options: KillOptions, context: CommandContext): Promise<ExitCode> {
  const waitMs = parseDuration(options.wait);
  const killed = await askGuard(context.cwd, 'kill', { ...targetOf(options), waitMs });
  const revoked =
    options.revoke === true ? (await askGuard(context.cwd, 'revoke', { target: killed.target })).revoked : [];
  await printResult(context, {
    json: killJson(killed, options.revoke === true ? { revoked } : {}),
    table: (output) => killTable(killed, revoked, output),
  });
  return killed.isQuiet && killed.unwritten === undefined ? EXIT.ok : EXIT.undetermined;
}

export interface ResumeOptions {
  readonly what?: string;
  readonly all?: boolean;
  /** As `guard status` and `guard kill` showed it. */
  readonly epoch: number;
}

/** `keyaudit guard resume`: takes a kill back, for who has seen the latest. */
export async function resumeRun(options: ResumeOptions, context: CommandContext): Promise<ExitCode> {
  const { epoch } = await askGuard(context.cwd, 'resume', { ...targetOf(options), epoch: options.epoch });
  const what = options.all === true ? 'Every run' : options.what;
  await printResult(context, {
    json: { schema: 'keyaudit.guard-resume/1', epoch },
    table: (output) => output.write(wrap(`${what} is let through again (epoch ${epoch}).`, output)),
  });
  return EXIT.ok;
}

/** `keyaudit guard status`: runs, caps, and what nobody knows the outcome of. */
export async function guardStatus(context: CommandContext): Promise<ExitCode> {
  const status = await askGuard(context.cwd, 'status', {});
  await printResult(context, {
    json: statusJson(status),
    table: (output) => statusTable(status, output),
  });
  return EXIT.ok;
}

function targetOf({ what, all }: { readonly what?: string; readonly all?: boolean }): {
  readonly name?: string;
  readonly all?: boolean;
} {
  if (all === true && what === undefined) return { all };
  if (all !== true && what !== undefined) return { name: what };
  throw new KeyauditError('USAGE', 'Name a run or a profile, or say --all.', {
    hint: '"keyaudit guard status" shows the runs.',
  });
}
