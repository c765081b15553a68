import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where scripts/install-peers.sh puts what the tests need from elsewhere. */
export const PEERS = fileURLToPath(new URL('../../node_modules/.cache/peers', import.meta.url));

export interface Peer {
  /** The executable, or an empty text when there is none. */
  readonly file: string;
  /** For `describe.skipIf`. */
  readonly missing: boolean;
}

/**
 * A program that this project did not write. Without it, the tests that need it are left out, loudly; in
 * CI they are never left out.
 * @param names what it is called, the first that is found wins
 * @param tests which tests are left out without it
 * @param folders where to look, by default also on PATH
 */
export async function findPeer(
  names: string | readonly string[],
  tests: string,
  folders: readonly string[] = [join(PEERS, 'bin'), ...(process.env.PATH ?? '').split(delimiter)],
): Promise<Peer> {
  const candidates = [names].flat().flatMap((name) => folders.map((folder) => join(folder, name)));
  for (const file of candidates) {
    const found = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return { file, missing: false };
  }
  const message = `${[names].flat().join(' or ')} is missing: left out are ${tests}. scripts/install-peers.sh installs it.`;
  if (process.env.CI !== undefined && process.env.CI !== '') throw new Error(message);
  console.warn(`\n  LEFT OUT: ${message}\n`);
  return { file: '', missing: true };
}

export function findStripeMock(tests: string): Promise<Peer> {
  return findPeer('stripe-mock', tests);
}

export function findBrowser(tests: string): Promise<Peer> {
  return findPeer(['chromium', 'chromium-browser', 'google-chrome', 'chrome'], tests);
}
