import type { SmallerLine } from '../../core/draft/runs/smaller-profile.ts';
import type { PermissionUse } from '../../core/draft/runs/unused-permissions.ts';
import { counted, paintFor, type TextOutput, wrap } from '../text.ts';

/** One side of a key, its own or that with `Stripe-Account`. */
export interface UnusedSide {
  readonly permissions: readonly PermissionUse[];
  readonly smaller: readonly SmallerLine[];
}

/** What a profile grants, and what recordings say of its use. */
export interface UnusedReport {
  readonly profile: string;
  readonly runs: number;
  /** When the first of them began. */
  readonly from: string | undefined;
  /** How far back was looked, as the user said it. */
  readonly within: string | undefined;
  readonly own: UnusedSide;
  readonly connect: UnusedSide;
  readonly unseen: readonly string[];
}

/** `record unused --format json`, schema `keyaudit.record-unused/1`. */
export function unusedJson({ own, connect, ...report }: UnusedReport): unknown {
  const all = [...own.permissions, ...connect.permissions];
  return {
    schema: 'keyaudit.record-unused/1',
    ok: all.every(({ state }) => state !== 'unused'),
    ...report,
    permissions: own.permissions,
    connectPermissions: connect.permissions,
    smaller: own.smaller,
    connectSmaller: connect.smaller,
  };
}

/** `record unused --format table`: each permission with its use, then the smaller profile as a diff. */
export function unusedTable(report: UnusedReport, output: TextOutput): void {
  const paint = paintFor(output);
  const since = report.from === undefined ? '' : ` since ${report.from.slice(0, 10)}`;
  output.write(`${paint.bold(report.profile)}: ${counted(report.runs, 'recorded run')}${since}\n`);
  for (const use of report.own.permissions) renderUse(use, '', output);
  for (const use of report.connect.permissions) renderUse(use, ' (with Stripe-Account)', output);
  renderSmaller(report.own.smaller, 'permissions', output);
  renderSmaller(report.connect.smaller, 'connect_permissions', output);
  for (const sentence of report.unseen) {
    output.write(wrap(sentence, output, { first: '  not seen: ', indent: '    ' }));
  }
}

const MARKS = { used: 'used', unused: 'UNUSED', new: 'new', unknown: '?' } as const;
const MARK_WIDTH = 8;

function renderUse(use: PermissionUse, side: string, output: TextOutput): void {
  const { permission, state, runs, lastUsed, enough, since } = use;
  const paint = paintFor(output);
  const colour = { used: paint.green, unused: paint.yellow, new: paint.dim, unknown: paint.dim }[state];
  const when =
    lastUsed === undefined ? 'never used' : `used in ${counted(runs, 'run')}, last ${lastUsed.slice(0, 10)}`;
  const lesser = enough === undefined ? '' : `; ${enough} would have been enough`;
  const why =
    state === 'new'
      ? `; not granted all the time${since === undefined ? '' : ` (first seen ${since.slice(0, 10)})`}`
      : state === 'unknown'
        ? '; whether it was granted then is not known'
        : '';
  const text = wrap(`${permission}${side}: ${when}${lesser}${why}`, output, {
    first: `  ${MARKS[state].padEnd(MARK_WIDTH)}`,
    indent: ' '.repeat(MARK_WIDTH + 2),
  });
  output.write(text.replace(MARKS[state], colour(MARKS[state])));
}

function renderSmaller(lines: readonly SmallerLine[], key: string, output: TextOutput): void {
  if (lines.length === 0) return;
  const paint = paintFor(output);
  const [first] = lines;
  output.write(`\n--- ${first?.location.file}\n+++ smaller\n ${key}:\n`);
  for (const { name, from, to, location } of lines) {
    output.write(`${paint.red(`-  ${name}: ${from}`)}${paint.dim(`  # line ${location.line}`)}\n`);
    if (to !== 'none') output.write(`${paint.green(`+  ${name}: ${to}`)}\n`);
  }
}
