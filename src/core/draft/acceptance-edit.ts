import { isRecord } from '../document/is-record.ts';
import { readYaml } from '../document/yaml-source.ts';

/** An acceptance to be written into a profile. */
export interface NewAcceptance {
  readonly operations: readonly string[];
  readonly reason: string;
  /** Last day on which it counts, YYYY-MM-DD. */
  readonly until?: string;
}

/** Lines to put before a line of a text; line counts from 1. */
export interface Insertion {
  readonly line: number;
  readonly insert: string;
}

/**
 * Where and what to insert into a profile's text so that it accepts these operations, every other byte kept.
 * Undefined where inserting lines cannot do it, as in a list written on one line: the edited text is read again, and
 * must say the same but for the acceptance.
 */
export function acceptanceEdit(text: string, acceptance: NewAcceptance): Insertion | undefined {
  const source = readYaml(text, '');
  const { value } = source;
  if (source.problems.length > 0 || !isRecord(value)) return undefined;
  const { accept } = value;
  let edit: Insertion;
  if (Array.isArray(accept) && accept.length > 0) {
    const { line, column } = source.valueAt(['accept', 0]);
    edit = { line, insert: linesOf(acceptance, Math.max(0, column - 3)) };
  } else {
    if (accept !== undefined || !text.endsWith('\n')) return undefined;
    edit = { line: text.split('\n').length, insert: `accept:\n${linesOf(acceptance, 2)}` };
  }
  const before = Array.isArray(accept) ? accept : [];
  const expected = { ...value, accept: [asValue(acceptance), ...before] };
  const after = readYaml(withInsertion(text, edit), '');
  const isSame = after.problems.length === 0 && sameJson(after.value, expected);
  return isSame ? edit : undefined;
}

/** The text with the lines in their place. */
export function withInsertion(text: string, { line, insert }: Insertion): string {
  const lines = text.split('\n');
  const newline = /\r\n/.test(text) ? insert.replaceAll('\n', '\r\n') : insert;
  const head = lines.slice(0, line - 1).map((one) => `${one}\n`);
  return `${head.join('')}${newline}${lines.slice(line - 1).join('\n')}`;
}

function linesOf({ operations, reason, until }: NewAcceptance, indent: number): string {
  const margin = ' '.repeat(indent);
  return [
    `${margin}- operations: [${operations.join(', ')}]`,
    `${margin}  reason: ${/^[A-Za-z][\w ,.;()/-]*$/.test(reason) ? reason : JSON.stringify(reason)}`,
    ...(until === undefined ? [] : [`${margin}  until: ${until}`]),
    '',
  ].join('\n');
}

function asValue({ operations, reason, until }: NewAcceptance): object {
  return { operations, reason, until };
}

/** Key order counts for nothing in YAML. */
function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
