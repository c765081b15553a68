import type { PermissionName } from '../../core/catalog/catalog.ts';
import type { ProposedCaps } from '../../core/draft/runs/caps-of-runs.ts';
import type { FoldedRuns, UsedOperation } from '../../core/draft/runs/fold-runs.ts';
import type { PermissionWitness } from '../../core/draft/runs/profile-of-runs.ts';
import { outcomeOf, type RecordedRun } from '../../core/draft/runs/recorded-run.ts';
import type { ToolNeeds } from '../../core/draft/tools-by-grant.ts';
import { formatAmount } from '../../core/spend/amount.ts';
import type { Cap } from '../../core/spend/cap.ts';
import { counted, paintFor, type TextOutput, wrap } from '../text.ts';

/** What one run called, in a few lines for the person who ran it. */
export function recordedSummary(run: RecordedRun, file: string, output: TextOutput): void {
  const calls = run.calls.reduce((sum, { count }) => sum + count, 0);
  const refused = run.calls.filter((call) => outcomeOf(call) === 'refused');
  output.write(
    wrap(
      `Recorded ${counted(calls, 'call')} to Stripe, ${counted(new Set(run.calls.map(({ path, method }) => `${method} ${path}`)).size, 'operation')}: ${file}`,
      output,
    ),
  );
  if (refused.length > 0) {
    const names = [
      ...new Set(refused.map(({ operation, method, path }) => operation ?? `${method} ${path}`)),
    ];
    output.write(wrap(`Refused with 403: ${names.join(', ')}`, output, { indent: '  ' }));
  }
  for (const sentence of run.unseen) output.write(wrap(`Not seen: ${sentence}`, output, { indent: '  ' }));
  output.write(wrap(`The profile for it: keyaudit record profile ${run.name}`, output));
}

/** What a profile was made from, and how sure it is. */
export interface RecordProfileReport {
  readonly name: string;
  /** Whether refused calls count as needed. */
  readonly withRefused: boolean;
  readonly folded: FoldedRuns;
  readonly permissions: readonly PermissionName[];
  readonly connectPermissions: readonly PermissionName[];
  readonly witnesses: readonly PermissionWitness[];
  /** The shipped or own profile that grants most of the same. */
  readonly nearest?:
    | {
        readonly profile: string;
        readonly shared: number;
        readonly more: readonly string[];
        readonly fewer: readonly string[];
      }
    | undefined;
  /** Calls whose permission, or whose expansion, the catalog does not know. */
  readonly unresolved: readonly { readonly endpoint: string; readonly reason: string }[];
  /** Why this is not sure enough; empty where it is. */
  readonly doubts: readonly string[];
  /** Caps for a guard; undefined where nothing moved. */
  readonly caps: ProposedCaps | undefined;
  /** The profile as YAML. */
  readonly text: string;
}

/** `record profile --format json`, schema `keyaudit.record-profile/1`. */
export function recordProfileJson({ folded, text, caps, ...report }: RecordProfileReport): unknown {
  const { used, refused, unknown, unauthorized, newByRun, expectedNew, unseen, runs, from, to } = folded;
  return {
    schema: 'keyaudit.record-profile/1',
    ok: report.doubts.length === 0,
    ...report,
    runs,
    from,
    to,
    operations: used,
    refused,
    unknown,
    unauthorized,
    newByRun,
    expectedNew,
    unseen,
    guard: caps === undefined ? undefined : { ...caps, caps: caps.caps.map(capDocument) },
    profileText: text,
  };
}

/** As a profile writes it. */
function capDocument({ amounts, ...cap }: Cap): unknown {
  return { ...cap, amount: amounts.length === 0 ? undefined : amounts.map(formatAmount) };
}

/** How sure the profile is and what a reader must know, as lines for standard error. */
export function recordProfileNotes(report: RecordProfileReport, output: TextOutput): void {
  const { folded, withRefused, nearest, unresolved, doubts } = report;
  const say = (text: string, first = '') => output.write(wrap(text, output, { indent: '  ', first }));
  say(sureness(folded));
  if (folded.refused.length > 0) {
    const what = withRefused ? 'taken in' : 'left out (--with-refused takes them in)';
    say(`Refused in every run, and ${what}: ${folded.refused.map(nameOf).join(', ')}.`);
  }
  for (const { endpoint, calls } of folded.unknown)
    say(`Not in the catalog: ${endpoint} (${counted(calls, 'call')}).`);
  for (const { endpoint, reason } of unresolved) say(`${endpoint}: ${reason}`);
  for (const sentence of folded.unseen) say(`Not seen: ${sentence}`);
  if (nearest !== undefined) {
    const more = nearest.more.length === 0 ? '' : ` It grants besides: ${nearest.more.join(', ')}.`;
    const fewer = nearest.fewer.length === 0 ? '' : ` It lacks: ${nearest.fewer.join(', ')}.`;
    say(`Nearest profile: ${nearest.profile}.${more}${fewer}`);
  }
  for (const doubt of doubts) say(doubt, 'not sure enough: ');
}

function sureness({ runs, newByRun, expectedNew }: FoldedRuns): string {
  const last = newByRun.findLastIndex((count) => count > 0);
  const curve =
    newByRun.length > 1
      ? ` New operations by run: ${newByRun.join(', ')}; the last new one in run ${last + 1} of ${runs}.`
      : '';
  return `${counted(runs, 'run')}.${curve} Expect ${expectedNew.toFixed(expectedNew >= 10 ? 0 : 2)} new operations in the next run.`;
}

function nameOf({ operation, account }: UsedOperation): string {
  return account ? `${operation} (with Stripe-Account)` : operation;
}

/** `record show --format json`, schema `keyaudit.recording/1`. */
export function recordedRunsJson(name: string, runs: readonly RecordedRun[]): unknown {
  return { schema: 'keyaudit.recording/1', name, runs };
}

/** The recorded runs, one a line, and what each called. */
export function recordedRunsTable(runs: readonly RecordedRun[], output: TextOutput): void {
  const paint = paintFor(output);
  for (const run of runs) {
    const calls = run.calls.reduce((sum, { count }) => sum + count, 0);
    output.write(`${paint.bold(run.name)}  ${run.startedAt}  ${counted(calls, 'call')}\n`);
    for (const { operation, method, path, expand, account, status, code, count } of run.calls) {
      const facts = [
        `${count}×`,
        operation ?? `${method} ${path} (not in the catalog)`,
        status === null ? 'no answer' : `${status}`,
        ...(code === undefined ? [] : [code]),
        ...(account ? ['with Stripe-Account'] : []),
        ...(expand.length === 0 ? [] : [`expands ${expand.join(', ')}`]),
      ];
      output.write(`  ${facts.join('  ')}\n`);
    }
  }
}

/** What was made of a file of another program's. */
export interface ImportedReport {
  readonly name: string;
  /** The format. */
  readonly from: string;
  /** The file, as shown. */
  readonly source: string;
  readonly imported: {
    readonly calls: readonly unknown[];
    readonly unread: readonly { readonly line: number; readonly why: string }[];
    readonly unseen: readonly string[];
  };
  readonly runs: readonly RecordedRun[];
  readonly files: readonly string[];
  /** The profile of which it is asked which tools its key is shown. */
  readonly profile: string | undefined;
  /** Of an MCP server; undefined for what tells of calls. */
  readonly tools: readonly ToolNeeds[] | undefined;
}

/** `record import --format json`, schema `keyaudit.record-import/1`. */
export function importedJson({ imported, runs, ...report }: ImportedReport): unknown {
  const { calls, unread, unseen } = imported;
  return {
    schema: 'keyaudit.record-import/1',
    ...report,
    calls: calls.length,
    runs: runs.length,
    unread,
    unseen,
  };
}

/** How many lines that were left out are shown unless all are asked for. */
const SHOWN_UNREAD = 10;

/** `record import --format table`. */
export function importedSummary(
  { name, from, source, imported, runs, files, tools, profile }: ImportedReport,
  output: TextOutput,
  { verbose }: { readonly verbose: boolean },
): void {
  const { calls, unread, unseen } = imported;
  const made = runs.length === 0 ? '' : ` in ${counted(runs.length, 'run')}: ${files.join(', ')}`;
  output.write(wrap(`${source} (${from}): ${counted(calls.length, 'call')}${made}`, output));
  if (unread.length > 0) {
    output.write(
      wrap(`Left out: ${counted(unread.length, 'line or entry', 'lines or entries')}.`, output, {
        indent: '  ',
      }),
    );
    for (const { line, why } of unread.slice(0, verbose ? unread.length : SHOWN_UNREAD)) {
      output.write(wrap(`${line}: ${why}`, output, { indent: '    ' }));
    }
    if (!verbose && unread.length > SHOWN_UNREAD)
      output.write(`    and ${counted(unread.length - SHOWN_UNREAD, 'more', 'more')} (--verbose)\n`);
  }
  for (const tool of tools ?? []) renderTool(tool, profile, output);
  for (const sentence of unseen) output.write(wrap(`Not seen: ${sentence}`, output, { indent: '  ' }));
  if (runs.length > 0) output.write(wrap(`The profile for it: keyaudit record profile ${name}`, output));
}

function renderTool(
  { tool, permissions, operations, shown, lacks, reason }: ToolNeeds,
  profile: string | undefined,
  output: TextOutput,
): void {
  const needs =
    reason !== undefined
      ? reason
      : operations.length === 0
        ? 'needs no permission'
        : `needs ${permissions.join(', ') || 'a permission that is not known'}`;
  const words =
    profile === undefined
      ? ''
      : shown === undefined
        ? `; whether ${profile} is shown it is not known`
        : shown
          ? `; shown to ${profile}`
          : `; hidden from ${profile}, which lacks ${lacks.join(', ')}`;
  output.write(wrap(`${tool}: ${needs}${words}`, output, { first: '  ', indent: '    ' }));
}
