import { guardDocument } from '../../core/profile/guard-section.ts';
import type { Profile } from '../../core/profile/profile.ts';
import { digestOf } from './digest.ts';

/** The beginning of {@link wholeProfileDigest}, as `sha256:` and 16 hex digits: short enough for a lock file. */
export function profileDigest(profile: Profile): string {
  return wholeProfileDigest(profile).slice(0, 'sha256:'.length + 16);
}

/**
 * A digest of all that a profile says about permissions, as `sha256:` and 64 hex digits: two files
 * that differ only in comments, order or reasons have the same.
 */
export function wholeProfileDigest(profile: Profile): string {
  const levels = (entries: Profile['permissions']) =>
    entries.map((entry) => `${entry.name}:${entry.level}`).sort();
  const names = (checks: Profile['allow']) => checks.map((check) => check.operation).sort();
  const content = {
    permissions: levels(profile.permissions),
    connectPermissions: levels(profile.connectPermissions),
    allow: names(profile.allow),
    forbid: names(profile.forbid),
    accept: profile.accept.flatMap((entry) => names(entry.operations)).sort(),
    widening: profile.widening,
    only: profile.only,
    guard: profile.guard === undefined ? undefined : guardDocument(profile.guard),
  };
  return digestOf(JSON.stringify(content));
}
