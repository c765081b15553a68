import type { Catalog } from '../core/catalog/catalog.ts';
import { driftFrom, type LocateInLock, type LockedProfile, type Verified } from '../core/lock/lock.ts';
import { nextCommand } from '../core/next-command.ts';
import { lockWords } from '../core/result/findings/fix.ts';
import type { VerifyReport } from '../core/result/verify-report.ts';
import { shellWord } from '../core/shell-word.ts';
import { unseenSentences } from '../core/verdict/unseen.ts';
import { bothSides, paintFor, plain, type TextOutput, wrap } from './text.ts';

/** What `lock` did, or with `--check` would do. */
export interface LockReport {
  readonly file: string;
  /** Options that a command which writes what was compared repeats. */
  readonly next: readonly string[];
  readonly written: boolean;
  readonly changed: boolean;
  readonly report: VerifyReport;
  readonly verified: readonly Verified[];
  /** The entry that a profile had, and where its parts stand. */
  readonly before: (
    profile: string,
  ) => { readonly locked: LockedProfile; readonly locate: LocateInLock } | undefined;
}

/** `lock --format json`, schema `keyaudit.locked/1`. */
export function lockJson({ file, written, changed, report, verified }: LockReport): unknown {
  return {
    schema: 'keyaudit.locked/1',
    file,
    written,
    changed,
    target: report.target,
    targetNote: report.targetNote,
    profiles: verified.map(({ profile }) => profile.name),
    results: verified.map(({ profile, result: { unseen, witnesses } }) => ({
      profile: profile.name,
      unseen,
      witnesses,
    })),
  };
}

export function renderLockTable(lock: LockReport, catalog: Catalog, output: TextOutput): void {
  const { file, written, changed, report, verified, next } = lock;
  output.write(paintFor(output).dim(wrap(report.targetNote, output)));
  for (const seen of verified) renderOne(seen, lock, catalog, output);
  const write = nextCommand(
    ['keyaudit lock', ...verified.map(({ profile }) => shellWord(profile.name)), ...lockWords(file)].join(
      ' ',
    ),
    next,
  );
  const state = written
    ? `${file} written. ${changed ? 'Review its changes and commit it.' : 'Nothing but keys has changed.'}`
    : `${file} ${changed ? `is out of date; "${write}" writes it.` : 'is up to date.'}`;
  output.write(`${state}\n`);
}

function renderOne(
  seen: Verified,
  { report, before }: LockReport,
  catalog: Catalog,
  output: TextOutput,
): void {
  const paint = paintFor(output);
  const { name } = seen.profile;
  const facts = `${seen.result.summary.probes} operations verified; ${bothSides(seen.grant)}`;
  output.write(`${paint.green('✔')} ${paint.bold(plain(name))}\n`);
  output.write(paint.dim(wrap(facts, output, { indent: '    ', first: '  ' })));
  for (const sentence of unseenSentences(seen.result.unseen))
    output.write(paint.dim(wrap(sentence, output, { indent: '    ', first: '  ' })));
  const then = before(name);
  if (then === undefined) return;
  const drift = driftFrom(then.locked, seen, report, { catalog, locate: then.locate });
  for (const { kind, message } of drift.filter(({ weight }) => weight !== 'note'))
    output.write(wrap(`${kind}: ${message}`, output, { indent: '    ', first: '  ' }));
}
