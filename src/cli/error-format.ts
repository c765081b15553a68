/**
 * How an error is printed. Read from the words themselves, since what is wrong may be the command line: an option
 * that commander never came to, say.
 */
export function errorFormat(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): 'json' | 'text' {
  const end = argv.indexOf('--');
  const words = end < 0 ? argv : argv.slice(0, end);
  const given = words.flatMap((word, at) => {
    if (word.startsWith('--format=')) return [word.slice('--format='.length)];
    return word === '--format' ? [words[at + 1] ?? ''] : [];
  });
  return (given.at(-1) ?? env.KEYAUDIT_FORMAT) === 'json' ? 'json' : 'text';
}
