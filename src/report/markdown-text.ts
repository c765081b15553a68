import { plain } from './text.ts';

/** A row of a table. */
export function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |\n`;
}

/** A code span, or escaped text where a code span could not hold it inside a table. */
export function code(text: string): string {
  return /^[\w./{}:@ &'=$"-]+$/.test(text) ? `\`${text}\`` : escapeMarkdown(text);
}

/** Text that stands for itself in a paragraph or a table cell, on one line. */
export function escapeMarkdown(text: string): string {
  return plain(text)
    .replace(/[\\`*[\]|~$#]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, '\\$&')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;');
}
