import { parseEnv } from 'node:util';

/** A part of an env file that belongs together: one line, or the lines of a value in quotes. */
interface Statement {
  /** Where it begins and ends, its line break not counted. */
  readonly from: number;
  readonly to: number;
  readonly kind: 'assignment' | 'other' | 'broken';
  /** Of an assignment. */
  readonly name?: string;
  /** What stands before its value: blanks, `export`, the name and the sign. */
  readonly head?: string;
}

/** What was done to a text, or the line that is no line of an env file. */
export type EnvChange = { readonly text: string } | { readonly brokenLine: number };

const ASSIGNMENT = /([ \t]*(?:export[ \t]+)?)([\w.-]+)[ \t]*(=|:(?=[ \t]|$))/y;
/** `NAME` alone passes a variable on in docker compose, `export NAME` in shells. */
const BARE = /^[ \t]*(?:export(?:[ \t]+[\w.-]+)+|[\w.-]+)[ \t]*(?:#.*)?$/;
const BLANK_OR_COMMENT = /^[ \t]*(?:[#;].*)?$/;

/**
 * The value of a variable as programs read it (node's reader, which reads as dotenv does); undefined where
 * there is none. @param text the file's bytes, one character each
 */
export function valueIn(text: string, variable: string): string | undefined {
  const value = parseEnv(Buffer.from(withoutMark(text), 'latin1').toString('utf8'))[variable];
  return value === '' ? undefined : value;
}

/**
 * Sets one variable, the last of its name, and leaves every other byte as it is: whoever else reads the file
 * may do so in a dialect of his own.
 * @param text the file's bytes, one character each
 * @param isShell whether the file is a shell script, where any line may stand
 */
export function withVariable(text: string, variable: string, value: string, isShell: boolean): EnvChange {
  const statements = statementsOf(text);
  const broken = isShell ? undefined : statements.find(({ kind }) => kind === 'broken');
  if (broken !== undefined) return { brokenLine: lineAt(text, broken.from) };
  const own = statements.findLast(({ name }) => name === variable);
  if (own !== undefined) {
    // With a colon only some readers see it, so the sign becomes the one that all do.
    const head = (own.head ?? '').replace(/[ \t]*:$/, '=');
    return { text: `${text.slice(0, own.from)}${head}${value}${text.slice(own.to)}` };
  }
  const line = `${variable}=${value}`;
  const added = appended(text, line);
  if (valueIn(added, variable) === value) return { text: added };
  // Node 20 takes a name without a sign together with the lines after it; then the key's line goes first.
  return { text: prepended(text, line) };
}

/** Takes out every line that gives a variable this value, and nothing else. */
export function withoutVariable(text: string, variable: string, value: string): string {
  let kept = text;
  for (const { from, to, name } of statementsOf(text).reverse()) {
    if (name !== variable || valueIn(text.slice(from, to), variable) !== value) continue;
    const eol = /^(?:\r\n|\n)/.exec(kept.slice(to))?.[0] ?? '';
    // The last line of a file that ends without a line break takes with it the one before.
    const before = eol === '' ? (/(?:\r\n|\n)$/.exec(kept.slice(0, from))?.[0] ?? '') : '';
    kept = kept.slice(0, from - before.length) + kept.slice(to + eol.length);
  }
  return kept;
}

function appended(text: string, line: string): string {
  if (withoutMark(text) === '') return `${text}${line}\n`;
  const eol = /\r?\n/.exec(text)?.[0] ?? '\n';
  const last = /([^\n]*?)\r?\n?$/.exec(text)?.[1] ?? '';
  // systemd takes a line that ends with a backslash together with the next one.
  const gap = /(?:^|[^\\])(?:\\\\)*\\$/.test(last) ? eol : '';
  return text.endsWith('\n') ? `${text}${gap}${line}${eol}` : `${text}${eol}${gap}${line}`;
}

function prepended(text: string, line: string): string {
  const rest = withoutMark(text);
  return `${text.slice(0, text.length - rest.length)}${line}${/\r?\n/.exec(rest)?.[0] ?? '\n'}${rest}`;
}

const MARK = '\u00EF\u00BB\u00BF';

/** Without a byte order mark. */
function withoutMark(text: string): string {
  return text.startsWith(MARK) ? text.slice(MARK.length) : text;
}

function statementsOf(text: string): Statement[] {
  const statements: Statement[] = [];
  for (let from = text.length - withoutMark(text).length; from < text.length; ) {
    const statement = statementAt(text, from);
    statements.push(statement);
    from = statement.to;
    if (text.startsWith('\r\n', from)) from += 2;
    else if (from < text.length) from += 1;
  }
  return statements;
}

function statementAt(text: string, from: number): Statement {
  const end = endOfLine(text, from);
  const line = text.slice(from, end);
  if (BLANK_OR_COMMENT.test(line)) return { from, to: end, kind: 'other' };
  ASSIGNMENT.lastIndex = from;
  const match = ASSIGNMENT.exec(text);
  if (match === null || ASSIGNMENT.lastIndex > end) {
    return { from, to: end, kind: BARE.test(line) ? 'other' : 'broken' };
  }
  const to = endOfValue(text, ASSIGNMENT.lastIndex);
  return { from, to, kind: 'assignment', name: match[2], head: match[0] };
}

/** The end of the line on which a value ends: the first, unless quotes hold it together over several. */
function endOfValue(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\t') at++;
  const quote = text[at] ?? '';
  if (!/^["'`]$/.test(quote)) return endOfLine(text, from);
  const closing = closingQuote(text, at, quote);
  return endOfLine(text, closing === -1 ? from : closing);
}

/** Where a quote is closed: at the next one without a backslash, else, as for some readers, at the next one. */
function closingQuote(text: string, open: number, quote: string): number {
  for (let at = open + 1; at < text.length; at++) {
    if (text[at] === '\\' && quote !== "'") at++;
    else if (text[at] === quote) return at;
  }
  return text.indexOf(quote, open + 1);
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  if (end === -1) return text.length;
  return end > from && text[end - 1] === '\r' ? end - 1 : end;
}

function lineAt(text: string, at: number): number {
  return text.slice(0, at).split('\n').length;
}
