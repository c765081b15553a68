import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { KeyauditError } from '../core/error.ts';
import type { Side, SideKind } from '../core/lock/diff.ts';
import { type Extent, extentOf } from '../core/lock/extent.ts';
import { lockedExtent } from '../core/lock/lock.ts';
import { readVerifyReport } from '../core/lock/read-verify-report.ts';
import { readTextFile } from '../store/files/read-text-file.ts';
import { commitOf, yamlFilesAt } from '../store/git-tree.ts';
import { looksLikeLock, parseLock } from '../store/lock-file.ts';
import { ProfileLibrary } from '../store/profile-library.ts';
import { resolveGrants } from './profile-grant.ts';
import type { Session } from './session.ts';

/**
 * One side of `keyaudit diff`: a lock file or a verify report by its content, a profile by name or path, else the
 * profiles of a git revision (`main`, `v1.2`, `HEAD~3`; with `git:` before it, whatever else has that name).
 * @throws KeyauditError for a file that is none of them, or an unknown profile
 */
export async function readSide(name: string, session: Session): Promise<Side> {
  const text = await readTextFile(resolve(session.cwd, name)).catch(() => undefined);
  const side = (kind: SideKind, extents: ReadonlyMap<string, Extent>): Side => ({ kind, name, extents });
  if (text !== undefined && looksLikeLock(text)) {
    const { lock } = parseLock(text, name);
    return side(
      'lock',
      new Map(Object.entries(lock.profiles).map(([profile, locked]) => [profile, lockedExtent(locked)])),
    );
  }
  if (text !== undefined && /^\s*\{/.test(text)) return side('verify', verifyExtents(text, name));
  const isProfile = !name.startsWith(GIT) && (await isKnown(name, session));
  if (!isProfile) {
    const commit = await commitOf(session, name.replace(GIT, ''));
    if (commit !== undefined) return side('revision', await extentsAt(commit, name, session));
  }
  const grants = await resolveGrants({ profiles: [name] }, session);
  return side(
    'profile',
    new Map(grants.map(({ profile, grant }) => [profile.name, extentOf(profile, grant)])),
  );
}

/** A profile goes before a branch of its name, which this tells apart. */
const GIT = 'git:';

async function isKnown(name: string, { library }: Session): Promise<boolean> {
  return library.find(name).then(
    () => true,
    () => false,
  );
}

/** The profiles of one's own as they are in the working folder: the other side of a revision. */
export async function readWorkingSide(session: Session): Promise<Side> {
  return { kind: 'profiles', name: 'the working folder', extents: await ownExtents(session) };
}

/** The profiles of one's own as they were in a commit, read from copies: nothing in the working folder is touched. */
async function extentsAt(
  commit: string,
  name: string,
  session: Session,
): Promise<ReadonlyMap<string, Extent>> {
  const folder = await mkdtemp(join(tmpdir(), 'keyaudit-diff-'));
  try {
    for (const { path, text } of await yamlFilesAt(session, commit)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text, { mode: 0o600 });
    }
    const { packageRoot, catalog } = session;
    const library = new ProfileLibrary({ cwd: folder, shippedDir: join(packageRoot, 'profiles'), catalog });
    return await ownExtents({ ...session, library });
  } catch (error) {
    if (!(error instanceof KeyauditError)) throw error;
    throw new KeyauditError('DIFF_UNREADABLE', `The profiles of ${name} cannot be used: ${error.message}`, {
      problems: error.problems,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function ownExtents(session: Session): Promise<ReadonlyMap<string, Extent>> {
  const own = (await session.library.entries()).filter(({ origin }) => origin === 'own');
  if (own.length === 0) return new Map();
  const grants = await resolveGrants({ profiles: [], all: true }, session);
  return new Map(grants.map(({ profile, grant }) => [profile.name, extentOf(profile, grant)]));
}

function verifyExtents(text: string, name: string): ReadonlyMap<string, Extent> {
  const extents = readVerifyReport(parsed(text));
  if (typeof extents !== 'string') return extents;
  throw new KeyauditError('DIFF_UNREADABLE', `${name} is no report of this keyaudit (${extents}).`, {
    hint: 'Write one with "keyaudit verify PROFILE --format json --output FILE".',
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
