import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import {
  driftFrom,
  LOCK_FILE,
  type Lock,
  lockedProfile,
  lockProfile,
  mergeLock,
  type Verified,
} from '../core/lock/lock.ts';
import { exitCodeOf, resultIsOk, type VerifyReport } from '../core/result/verify-report.ts';
import { paintFor, plain, type TextOutput, wrap } from '../report/text.ts';
import { verdictLine } from '../report/verify/table.ts';
import type { CommandContext } from '../session/context.ts';
import { loadCatalog } from '../session/load-catalog.ts';
import { grantsFor } from '../session/profile-grant.ts';
import { printResult, requireFormat } from '../session/result-output.ts';
import { type LockFile, readLockFile, renderLock, writeLockFile } from '../store/lock-file.ts';
import { requireWritable } from '../store/result-file.ts';
import { depthFor, type VerifyOptions, verifyGrants } from './verify.ts';

export interface LockOptions extends Omit<VerifyOptions, 'frozen' | 'report'> {
  /** Write nothing; exit 1 when the file would change in more than its keys. */
  readonly check?: boolean;
}

/**
 * `keyaudit lock`: verifies each key and writes how far it reaches to `keyaudit.lock.yaml`. While a key
 * has findings nothing is written: what is agreed on must first be true.
 */
export async function lock(options: LockOptions, context: CommandContext): Promise<ExitCode> {
  requireFormat(context.globals.format, ['table', 'json']);
  const { check = false, all = false, lock: file = LOCK_FILE } = options;
  const grants = await grantsFor(options, context);
  await requireWritable(context.cwd, file);
  const previous = await readPrevious(context.cwd, file, { replace: all && !check });
  const { report, verified } = await verifyGrants(grants, options, context);
  if (exitCodeOf(report) !== EXIT.ok)
    throw notLocked(report, `${file} ${check ? 'could not be compared' : 'was not written'}`);
  const entries = verified.map(
    (one) =>
      [one.profile.name, lockProfile(one, { ...report, depth: depthFor(one.profile, options) })] as const,
  );
  const next = mergeLock(previous?.lock, new Map(entries), { whole: all });
  const changed = previous === undefined || textBesidesKeys(next) !== textBesidesKeys(previous.lock);
  if (!check) await writeLockFile(context.cwd, file, next);
  await printResult(context, {
    json: {
      schema: 'keyaudit.locked/1',
      file,
      written: !check,
      changed,
      target: report.target,
      targetNote: report.targetNote,
      profiles: entries.map(([name]) => name),
    },
    table: (output) => {
      output.write(paintFor(output).dim(wrap(report.targetNote, output)));
      for (const one of verified) renderOne(one, report, previous, output);
      const state = check
        ? `${file} ${changed ? 'is out of date; "keyaudit lock" writes it.' : 'is up to date.'}`
        : `${file} written. ${changed ? 'Review its changes and commit it.' : 'Nothing but keys has changed.'}`;
      output.write(`${state}\n`);
    },
  });
  return check && changed ? EXIT.findings : EXIT.ok;
}

/** The lock file as it is; a broken one does not keep `lock --all` from making it anew. */
async function readPrevious(
  cwd: string,
  file: string,
  { replace }: { replace: boolean },
): Promise<LockFile | undefined> {
  return readLockFile(cwd, file).catch((error: unknown) => {
    const code = error instanceof KeyauditError ? error.code : undefined;
    if (code === 'LOCK_MISSING' || (code === 'LOCK_INVALID' && replace)) return undefined;
    throw error;
  });
}

function notLocked(report: VerifyReport, outcome: string): KeyauditError {
  return new KeyauditError('NOT_LOCKED', `${outcome}: not every key is as its profile says.`, {
    exitCode: exitCodeOf(report),
    problems: report.results
      .filter((result) => !resultIsOk(result))
      .map((result) => ({
        message: `${result.profile}: ${verdictLine(result)}.${result.stopped === undefined ? '' : ` ${result.stopped.message}`}`,
        ...(result.stopped?.hint === undefined ? {} : { hint: result.stopped.hint }),
      })),
    hint: '"keyaudit verify" shows every finding.',
  });
}

/** Keys differ after every rotation, which is no reason to write or review the file. */
function textBesidesKeys(lock: Lock): string {
  const profiles = Object.entries(lock.profiles).map(
    ([name, { made: _, ...locked }]) => [name, { ...locked, fingerprint: '' }] as const,
  );
  return renderLock({ ...lock, profiles: Object.fromEntries(profiles) });
}

function renderOne(
  one: Verified,
  report: VerifyReport,
  previous: LockFile | undefined,
  output: TextOutput,
): void {
  const paint = paintFor(output);
  const { name } = one.profile;
  const facts = `${one.result.summary.probes} operations verified; ${one.grant.permissions.join(', ')}`;
  output.write(`${paint.green('✔')} ${paint.bold(plain(name))}\n`);
  output.write(paint.dim(wrap(facts, output, { indent: '    ', first: '  ' })));
  const before = lockedProfile(previous?.lock, name);
  if (previous === undefined || before === undefined) return;
  const locate = (path: readonly PropertyKey[]) => previous.keyAt(['profiles', name, ...path]);
  const drift = driftFrom(before, one, report, { catalog: loadCatalog(), locate });
  for (const { kind, message } of drift.filter(({ weight }) => weight !== 'note'))
    output.write(wrap(`${kind}: ${message}`, output, { indent: '    ', first: '  ' }));
}
