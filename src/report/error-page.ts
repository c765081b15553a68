/** The page of this very version. */
export function packagePage(version: string): string {
  return `https://www.npmjs.com/package/keyaudit/v/${version}`;
}

/**
 * Where docs/errors.md of this very version can be read, at the heading of a code or a kind. The page ships with the
 * package; this is where packages of npm can be looked at without installing them.
 */
export function errorPage(version: string, heading: string): string {
  return `https://unpkg.com/keyaudit@${version}/docs/errors.md#${heading.toLowerCase()}`;
}
