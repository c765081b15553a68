import { resolve } from 'node:path';
import { KeyauditError } from '../core/error.ts';
import type { Side, SideKind } from '../core/lock/diff.ts';
import { type Extent, extentOf } from '../core/lock/extent.ts';
import { lockedExtent } from '../core/lock/lock.ts';
import { readVerifyReport } from '../core/lock/read-verify-report.ts';
import { readTextFile } from '../store/files/read-text-file.ts';
import { looksLikeLock, parseLock } from '../store/lock-file.ts';
import { resolveGrants } from './profile-grant.ts';
import type { Session } from './session.ts';

/**
 * One side of `keyaudit diff`: a lock file or a verify report by its content, else a profile by name
 * or path.
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
  const grants = await resolveGrants({ profiles: [name] }, session);
  return side(
    'profile',
    new Map(grants.map(({ profile, grant }) => [profile.name, extentOf(profile, grant)])),
  );
}

function verifyExtents(text: string, name: string): ReadonlyMap<string, Extent> {
  const extents = readVerifyReport(parsed(text));
  if (typeof extents !== 'string') return extents;
  throw new KeyauditError('DIFF_UNREADABLE', `${name} is no report of this keyaudit (${extents}).`, {
    hint: 'Write one with "keyaudit verify --format json --output FILE".',
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
