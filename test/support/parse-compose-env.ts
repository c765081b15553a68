/**
 * An env file as docker compose reads it, interpolation left out: written after compose-go's `dotenv/parser.go`
 * (statements, `export`, single and double quotes over several lines with `\` as the escape, a comment after a
 * blank). @throws Error for what compose refuses
 */
export function parseComposeEnv(file: string): Record<string, string> {
  const values: Record<string, string> = {};
  let rest = file.replace(/\r\n/g, '\n').replace(/^\uFEFF/, '');
  for (;;) {
    rest = rest.replace(/^(?:\s*(?:#[^\n]*(?:\n|$))?)*/, '');
    if (rest === '') return values;
    const { name, inherits, left } = keyOf(rest);
    if (inherits) {
      rest = left;
      continue;
    }
    const [value, next] = valueAt(left);
    values[name] = value;
    rest = next;
  }
}

function keyOf(text: string): { name: string; inherits: boolean; left: string } {
  const source = text.replace(/^export\s+/, '');
  const match = /^([A-Za-z0-9_.\-[\]]*)[ \t]*([=:]|\n|$)/.exec(source);
  if (match === null || match[1] === '') throw new Error(`unexpected character in ${source.slice(0, 20)}`);
  const [whole, name = '', sign] = match;
  return {
    name,
    inherits: sign !== '=' && sign !== ':',
    left: source.slice(whole.length).replace(/^[ \t]+/, ''),
  };
}

function valueAt(text: string): [value: string, rest: string] {
  const quote = text[0];
  if (quote !== '"' && quote !== "'") {
    const end = text.indexOf('\n');
    const line = end === -1 ? text : text.slice(0, end);
    const comment = /(?:^|\s)#/.exec(line);
    const value = comment === null ? line : line.slice(0, comment.index);
    return [value.trimEnd(), end === -1 ? '' : text.slice(end + 1)];
  }
  let isEscaped = false;
  for (let at = 1; at < text.length; at++) {
    if (text[at] === quote && !isEscaped) {
      const inner = text.slice(1, at);
      const value =
        quote === "'" ? inner : inner.replace(/\\(.)/g, (whole, c: string) => ESCAPES[c] ?? whole);
      return [value, text.slice(at + 1)];
    }
    isEscaped = text[at] === '\\' && !isEscaped;
  }
  throw new Error('unterminated quoted value');
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  '\\': '\\',
  '"': '"',
  "'": "'",
  $: '$',
};
