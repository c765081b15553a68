import type { ProfileDiff, Side } from '../core/lock/diff.ts';
import { DIRECTIONS, type Direction } from '../core/lock/extent.ts';
import { escapeMarkdown } from './markdown-text.ts';
import { counted, paintFor, plain, type TextOutput, wrap } from './text.ts';

const marks: Readonly<Record<Direction, string>> = {
  wider: '+',
  unverified: '?',
  narrower: '-',
  changed: '~',
};

const NAMES: Readonly<Record<Direction, string>> = {
  wider: 'wider',
  unverified: 'no longer verified',
  narrower: 'narrower',
  changed: 'otherwise changed',
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
  const parts = DIRECTIONS.flatMap((direction) =>
    counts[direction] > 0 ? [`${counts[direction]} ${NAMES[direction]}`] : [],
  );
  const compared = counted(diffs.length, 'profile');
  output.write(`${compared} compared: ${parts.length === 0 ? 'nothing differs' : parts.join(', ')}.\n`);
}

/** `diff --format markdown`: for a comment in a pull request, what got wider first. */
export function renderDiffMarkdown(
  diffs: readonly ProfileDiff[],
  counts: Readonly<Record<Direction, number>>,
  [before, after]: readonly [string, string],
  { write }: TextOutput,
): void {
  const parts = DIRECTIONS.flatMap((direction) =>
    counts[direction] > 0 ? [`${counts[direction]} ${NAMES[direction]}`] : [],
  );
  const mark = counts.wider + counts.unverified > 0 ? '⚠️' : '✅';
  write(`## keyaudit diff: ${mark} ${parts.length === 0 ? 'nothing differs' : parts.join(', ')}\n\n`);
  write(`${escapeMarkdown(`From ${before} to ${after}, ${counted(diffs.length, 'profile')} compared.`)}\n`);
  for (const direction of DIRECTIONS) {
    const rows = diffs.flatMap(({ profile, changes }) =>
      changes.filter((change) => change.direction === direction).map((change) => ({ profile, change })),
    );
    if (rows.length === 0) continue;
    write(`\n### ${HEADINGS[direction]}\n\n| Profile | Change |\n| --- | --- |\n`);
    for (const { profile, change } of rows.slice(0, MOST_ROWS))
      write(`| ${escapeMarkdown(profile)} | ${escapeMarkdown(change.message)} |\n`);
    if (rows.length > MOST_ROWS) write(`\nAnd ${rows.length - MOST_ROWS} more.\n`);
  }
}

/** So many rows of a direction keep a comment below the limits of GitHub and GitLab. */
const MOST_ROWS = 100;

const HEADINGS: Readonly<Record<Direction, string>> = {
  wider: 'Wider',
  unverified: 'No longer verified',
  narrower: 'Narrower',
  changed: 'Otherwise changed',
};
