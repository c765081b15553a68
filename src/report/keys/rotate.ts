import type { VerifyResult } from '../../core/result/verify-report.ts';
import { unseenSentences } from '../../core/verdict/unseen.ts';
import { paintFor, type TextOutput, wrap } from '../text.ts';
import { renderFix } from '../verify/table/table-findings.ts';
import { verdictLine } from '../verify/words/verdict-line.ts';
import type { ReportedKey } from './provision.ts';
import { describeRetirement, type Retirement } from './retirement.ts';

/** What became of one profile's key. */
export interface Rotation<Key extends ReportedKey = ReportedKey> {
  readonly profile: string;
  readonly outcome: 'rotated' | 'refused' | 'skipped' | 'planned';
  readonly old: { readonly id: string; readonly createdAt: string } | null;
  readonly record: Key | null;
  readonly verification: VerifyResult | null;
  /** What the new key could do and the old one could not. */
  readonly broader: readonly string[];
  readonly retirement: Retirement | null;
  readonly message: string;
}

/** What became of every key. */
export interface RotateReport {
  readonly target: string;
  readonly targetNote: string;
  readonly rotations: readonly Rotation[];
}

/** `rotate --format json`, schema `keyaudit.rotate/1`. */
export function rotateJson(
  { target, targetNote, rotations }: RotateReport,
  { verbose }: { verbose: boolean },
): unknown {
  return {
    schema: 'keyaudit.rotate/1',
    ok: rotations.every(({ outcome }) => outcome !== 'refused'),
    target,
    targetNote,
    rotations: rotations.map(({ verification, ...rotation }) => ({
      ...rotation,
      verification: verification === null || verbose ? verification : { ...verification, probes: undefined },
    })),
  };
}

export function renderRotateTable({ targetNote, rotations }: RotateReport, output: TextOutput): void {
  const paint = paintFor(output);
  output.write(paint.dim(wrap(targetNote, output)));
  const marks = { rotated: paint.green('✔'), refused: paint.red('✘'), skipped: '–', planned: '→' };
  for (const { profile, outcome, old, record, verification, retirement, message } of rotations) {
    output.write(`${marks[outcome]} ${paint.bold(profile)} ${outcome}\n`);
    const line = (text: string) => output.write(wrap(text, output, { indent: '    ', first: '  ' }));
    if (record !== null && verification !== null) {
      line(`New key ${record.id}, ${record.variable} in ${record.place}: ${verdictLine(verification)}.`);
    }
    for (const sentence of unseenSentences(verification?.unseen ?? [])) line(paint.dim(sentence));
    if (retirement !== null) line(`Old key ${retirement.id} ${describeRetirement(retirement)}`);
    if (message !== '') line(message);
    if (outcome !== 'refused') continue;
    line(`The new key was ended. ${old?.id} is untouched.`);
    for (const finding of verification?.permissionFindings ?? []) {
      if (finding.weight === 'note') continue;
      line(`${finding.kind}: ${finding.message}`);
      renderFix(finding.fix, output);
    }
  }
}
