/** A sentence takes so many names; the machine formats have them all. */
const MOST_NAMES = 4;

/** `a, b, c and 4 more`: names for a sentence. Never "and 1 more", which would be as long as the name. */
export function someOf(names: readonly string[], most = MOST_NAMES): string {
  if (names.length <= most) return names.join(', ');
  const shown = names.slice(0, most - 1);
  return `${shown.join(', ')} and ${names.length - shown.length} more`;
}
