import { type Lock, lockedProfile } from '../core/lock/lock.ts';
import type { Depth } from '../core/probe/depth.ts';
import type { Profile } from '../core/profile/profile.ts';

/** How deep a profile is verified: as the command line says, else as it was locked, else as it says itself. */
export function depthFor(
  profile: Profile,
  { depth }: { readonly depth?: Depth },
  lockFile?: { readonly lock: Lock },
): Depth {
  return (
    depth ??
    lockedProfile(lockFile?.lock, profile.name)?.depth ??
    (profile.only ? 'endpoints' : 'permissions')
  );
}
