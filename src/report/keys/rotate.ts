import { withPlace } from '../../core/next-command.ts';
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
  /** `by-hand`: a person must do it, and none is at a terminal. */
  readonly outcome: 'rotated' | 'refused' | 'skipped' | 'planned' | 'by-hand';
  readonly old: { readonly id: string; readonly createdAt: string } | null;
  readonly record: Key | null;
  readonly verification: VerifyResult | null;
  /** What the new key could do and the old one could not. */
  readonly broader: readonly string[];
  readonly retirement: Retirement | null;
  readonly message: string;
  /** Whether the old key, which is left to a person, is past the age that the policy allows. */
  readonly tooOld?: boolean;
  /** What becomes of a refused key that a program cannot end. */
  readonly undo?: string;
}

/** What became of every key. */
export interface RotateReport {
  readonly target: string;
  readonly targetNote: string;
  /** Words that say where a next command is to work. */
  readonly next?: readonly string[];
  readonly rotations: readonly Rotation[];
}

/** `rotate --format json`, schema `keyaudit.rotate/1`. */
export function rotateJson(
  { target, targetNote, rotations }: RotateReport,
  { verbose }: { verbose: boolean },
): unknown {
  return {
    schema: 'keyaudit.rotate/1',
    ok: rotations.every(({ outcome }) => outcome !== 'refused' && outcome !== 'by-hand'),
    target,
    targetNote,
    rotations: rotations.map(({ verification, ...rotation }) => ({
      ...rotation,
      verification: verification === null || verbose ? verification : { ...verification, probes: undefined },
    })),
  };
}

export function renderRotateTable(
  { targetNote, rotations, next = [] }: RotateReport,
  output: TextOutput,
): void {
  const paint = paintFor(output);
  output.write(paint.dim(wrap(targetNote, output)));
  const marks = {
    rotated: paint.green('✔'),
    refused: paint.red('✘'),
    skipped: '–',
    planned: '→',
    'by-hand': paint.yellow('?'),
  };
  for (const { profile, outcome, old, record, verification, retirement, message, undo } of rotations) {
    output.write(
      `${marks[outcome]} ${paint.bold(profile)} ${outcome === 'by-hand' ? 'to be rotated by hand' : outcome}\n`,
    );
    const line = (text: string) =>
      output.write(wrap(withPlace(text, next), output, { indent: '    ', first: '  ' }));
    if (record !== null && verification !== null) {
      line(`New key ${record.id}, ${record.variable} in ${record.place}: ${verdictLine(verification)}.`);
    }
    for (const sentence of unseenSentences(verification?.unseen ?? [])) line(paint.dim(sentence));
    if (retirement !== null) line(`Old key ${retirement.id} ${describeRetirement(retirement)}`);
    if (message !== '') line(message);
    if (outcome !== 'refused') continue;
    line(`${undo ?? 'The new key was ended.'} ${old?.id} is untouched.`);
    for (const finding of verification?.permissionFindings ?? []) {
      if (finding.weight === 'note') continue;
      line(`${finding.kind}: ${finding.message}`);
      renderFix(finding.fix, output);
    }
  }
}
