import { Chalk, type ChalkInstance } from 'chalk';

/** Where a renderer writes to, and what it may use there. */
export interface TextOutput {
  write(text: string): void;
  readonly columns: number | undefined;
  readonly colour: boolean;
}

/** Narrower than this nothing is wrapped any more. */
const NARROWEST = 40;
/** Lines of prose longer than this are hard to read, however wide the terminal. */
const WIDEST = 100;

/** A painter that honours the output's wish for colour. */
export function paintFor(output: Pick<TextOutput, 'colour'>): ChalkInstance {
  return new Chalk({ level: output.colour ? 1 : 0 });
}

/**
 * Wraps plain text to the output's width, every line with `indent`, the first with `first` instead.
 * Words longer than a line stand alone and are never cut, so that names can be copied.
 */
export function wrap(
  text: string,
  output: Pick<TextOutput, 'columns'>,
  { indent = '', first = indent }: { indent?: string; first?: string } = {},
): string {
  const width = Math.max(NARROWEST, Math.min(output.columns ?? WIDEST, WIDEST));
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (const { part, blank } of partsOf(plain(text))) {
    const gap = empty || !blank ? '' : ' ';
    if (!empty && widthOf(line) + gap.length + widthOf(part) > width) {
      lines.push(line);
      line = indent + part;
    } else line += gap + part;
    empty = false;
  }
  lines.push(line);
  return `${lines.join('\n')}\n`;
}

/** Characters that take two columns of a terminal; lines of them break anywhere. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/gu;

const WIDE_APART = new RegExp(`(${WIDE.source})`, 'u');
/** Whether a text may have wide characters: most have none, which is told much faster than where they are. */
const MAY_BE_WIDE = /[\u1100-\uffff]/;

/** How many columns a text takes. */
function widthOf(text: string): number {
  if (!MAY_BE_WIDE.test(text)) return text.length;
  return text.length + (text.match(WIDE) ?? []).filter((character) => character.length === 1).length;
}

/** What a line may be broken between: words, and wide characters. */
function partsOf(text: string): readonly { readonly part: string; readonly blank: boolean }[] {
  const words = text.split(' ').filter((word) => word !== '');
  if (!MAY_BE_WIDE.test(text)) return words.map((part) => ({ part, blank: true }));
  return words.flatMap((word) =>
    word
      .split(WIDE_APART)
      .filter((part) => part !== '')
      .map((part, index) => ({ part, blank: index === 0 })),
  );
}

/** `1,234`; `toLocaleString` would load the data of locales, in some 7 ms. */
export function grouped(count: number): string {
  return `${count}`.replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `1 probe`, `2 probes`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

/** Halves of surrogate pairs, which no encoding can hold, become U+FFFD. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

/** Control characters and those that turn the direction of writing: a terminal would obey them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to take out
const commanding = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Text from a profile for a line of output: on one line, and nothing in it that a terminal obeys or
 * that GitHub's runner would take for a workflow command (`::name::` at the start of a line, or
 * `##[name]` anywhere; actions/runner, ActionCommand.cs).
 */
export function plain(text: string): string {
  return wellFormed(text)
    .replace(/[\s\u2028\u2029]+/g, ' ')
    .replace(commanding, '\ufffd')
    .replace(/(^| )::/g, '$1: :')
    .replaceAll('##[', '## [');
}

/** `2026-11-02 08:00 UTC`. @param at ISO 8601, in UTC */
export function dayAndTime(at: string): string {
  return `${at.slice(0, 10)} ${at.slice(11, 16)} UTC`;
}

/** `0.8 s`, `42 s`, `3 min 5 s` */
export function inWords(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** What a key or a grant holds on both sides: `a, b; with Stripe-Account: c`. */
export function bothSides({
  permissions,
  connectPermissions,
}: {
  readonly permissions: readonly string[];
  readonly connectPermissions: readonly string[];
}): string {
  const own = permissions.join(', ');
  return connectPermissions.length === 0
    ? own
    : `${own}; with Stripe-Account: ${connectPermissions.join(', ')}`;
}
