/** Halves of surrogate pairs, which no encoding can hold, become U+FFFD. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

/**
 * What a terminal obeys and a reader does not see: control characters but the tab and the line break, the marks
 * that turn the direction of writing, breaks of lines and paragraphs, and tags.
 */
const COMMANDING =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to take out
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/gu;

/** Styles that our own renderers use; nothing of the kind survives in data, which is made plain before it is painted. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: a style begins with the escape character
const STYLE = /\u001b\[(?:1|2|22|3[0-7]|39|9[0-7])m/;

/**
 * Text that can be shown anywhere: every character that a terminal would obey becomes U+FFFD. Styles of ours stay
 * with `styles`.
 */
export function plainText(text: string, { styles = false }: { readonly styles?: boolean } = {}): string {
  const clean = (part: string) => wellFormed(part).replaceAll('\r\n', '\n').replace(COMMANDING, '\ufffd');
  if (!styles || !text.includes('\u001b')) return clean(text);
  return text
    .split(new RegExp(`(${STYLE.source})`))
    .map((part, index) => (index % 2 === 1 ? part : clean(part)))
    .join('');
}

/** Styles may stand before it: somebody could take them off. */
const COMMAND_START = new RegExp(`^((?:\\s|${STYLE.source})*):(?=:)`);

/**
 * Breaks what a CI runner would obey in a log: `::name::` at the beginning of a line (actions/runner,
 * ActionCommand.cs, which trims the line first) and `##[name]` or `##vso[…]` anywhere.
 * @param isOwn tells the commands that may stay
 */
export function withoutCommands(text: string, isOwn: (line: string) => boolean = () => false): string {
  if (!text.includes('::') && !text.includes('##')) return text;
  return text
    .split('\n')
    .map((line) =>
      isOwn(line) ? line : line.replace(COMMAND_START, '$1: ').replace(/##(?=[A-Za-z]*\[)/g, '# #'),
    )
    .join('\n');
}
