/** Options that say where requests go and with which keys. */
const PLACE = /^--(?:target|api-base)$/;

/**
 * The words of a command line that say where requests go: a command that is proposed next repeats them, so that it
 * does there what it says. What the environment or a file says holds for it anyway.
 */
export function placeWords(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf('--');
  const words = end < 0 ? argv : argv.slice(0, end);
  const found = new Map<string, string>();
  for (const [at, word] of words.entries()) {
    const [name = '', value] = word.split(/=(.*)/s);
    if (PLACE.test(name)) found.set(name, value ?? words[at + 1] ?? '');
    if (word === '--live') found.set(word, '');
  }
  return [...found].flatMap(([name, value]) => (value === '' ? [name] : [name, quoted(value)]));
}

/** As a shell takes it for one word. */
function quoted(value: string): string {
  return /^[\w./:@%+=,-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}
