/** Verbs that ask a server; what is offline is the same wherever it looks. */
const ASKING =
  'verify|provision|rotate|revoke|exec|lock|inspect|calibrate|keys (?:clean-up|prune)|guard|record';

const COMMAND = new RegExp(`"(keyaudit (?:${ASKING})\\b(?!-)[^"]*)"`, 'g');

/**
 * Makes the commands that a text proposes, in double quotes, say where they are to work, unless they do.
 * @param place words such as `--target stripe`, those that this run was given
 */
export function withPlace(text: string, place: readonly string[]): string {
  return text.replace(COMMAND, (_whole, command: string) => `"${nextCommand(command, place)}"`);
}

/** A command to be run next, saying where it is to work, unless it does. */
export function nextCommand(command: string, place: readonly string[]): string {
  if (place.length === 0 || /\s--(?:target|api-base)\b/.test(command)) return command;
  const at = command.indexOf(' -- ');
  const [head, tail] = at < 0 ? [command, ''] : [command.slice(0, at), command.slice(at)];
  return `${head} ${place.join(' ')}${tail}`;
}
