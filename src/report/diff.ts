import type { ProfileDiff, Side } from '../core/lock/diff.ts';
import { DIRECTIONS, type Direction } from '../core/lock/extent.ts';
import { counted, paintFor, plain, type TextOutput, wrap } from './text.ts';

const marks: Readonly<Record<Direction, string>> = {
  wider: '+',
  unverified: '?',
  narrower: '-',
  changed: '~',
};

/** At most so many changes of one direction are spelled out; `--verbose` and JSON have them all. */
const MOST_CHANGES = 40;

/** `diff --format json`, schema `keyaudit.diff/1`. */
export function diffJson(
  before: Pick<Side, 'name' | 'kind'>,
  after: Pick<Side, 'name' | 'kind'>,
  profiles: readonly ProfileDiff[],
  counts: Readonly<Record<Direction, number>>,
): unknown {
  return {
    schema: 'keyaudit.diff/1',
    before: { name: before.name, kind: before.kind },
    after: { name: after.name, kind: after.kind },
    ...counts,
    profiles,
  };
}

/** `diff --format table`: `+` wider, `?` no longer verified, `-` narrower, `~` neither. */
export function renderDiffTable(
  diffs: readonly ProfileDiff[],
  counts: Readonly<Record<Direction, number>>,
  output: TextOutput,
  { verbose }: { verbose: boolean },
): void {
  const paint = paintFor(output);
  const colours = {
    wider: paint.red,
    unverified: paint.yellow,
    narrower: paint.green,
    changed: paint.dim,
  };
  for (const { profile, changes } of diffs) {
    if (changes.length === 0) continue;
    output.write(`${paint.bold(plain(profile))}\n`);
    for (const direction of DIRECTIONS) {
      const all = changes.filter((change) => change.direction === direction);
      const shown = verbose ? all : all.slice(0, MOST_CHANGES);
      for (const { message, operations = [] } of shown) {
        const text = verbose && operations.length > 4 ? `${message} All: ${operations.join(', ')}.` : message;
        output.write(
          colours[direction](wrap(text, output, { indent: '    ', first: `  ${marks[direction]} ` })),
        );
      }
      const rest = all.length - shown.length;
      if (rest > 0) output.write(`  ${marks[direction]} and ${rest} more; --verbose shows them\n`);
    }
  }
  const names: Readonly<Record<Direction, string>> = {
    wider: 'wider',
    unverified: 'no longer verified',
    narrower: 'narrower',
    changed: 'otherwise changed',
  };
  const parts = DIRECTIONS.flatMap((direction) =>
    counts[direction] > 0 ? [`${counts[direction]} ${names[direction]}`] : [],
  );
  const compared = counted(diffs.length, 'profile');
  output.write(`${compared} compared: ${parts.length === 0 ? 'nothing differs' : parts.join(', ')}.\n`);
}
